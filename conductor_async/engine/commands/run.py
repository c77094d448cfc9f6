"""What synchronous executions and signals answer: WorkflowRun and TaskRun.

The dev server waits until `is_due`, and asks again whenever `on_change` reports the execution.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async._language.return_strategies import RETURN_STRATEGIES, TARGET_WORKFLOW
from conductor_async.engine.commands.base import Commands, command
from conductor_async.engine.errors import Refused
from conductor_async.engine.rows.rendering import task_to_wire, without_nulls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.task_row import TaskRow
    from conductor_async.models import JsonObject

__all__ = ["RunCommands"]


class RunCommands(Commands):
    """Queries of what a synchronous execution or a signal answers."""

    @command
    def is_due(self, workflow_id: str, wait_until_task_refs: Sequence[str] = ()) -> bool:
        """Returns whether a synchronous execution answers now: it or one of the tasks ended, or a WAIT blocks it."""
        execution = self.core.store.execution(workflow_id)
        if execution.is_terminal or self._blocking(execution) is not None:
            return True
        wanted = {name.strip() for name in wait_until_task_refs if name.strip()}
        return bool(wanted) and self._has_ended(execution, wanted)

    @command
    def get(
        self,
        workflow_id: str,
        *,
        return_strategy: str = TARGET_WORKFLOW,
        request_id: str = "",
        signal_timeout: bool = False,
    ) -> JsonObject:
        """Returns the WorkflowRun or TaskRun that a synchronous execution or signal answers."""
        if return_strategy not in RETURN_STRATEGIES:
            msg = (
                "Method parameter 'returnStrategy': Failed to convert value of type 'java.lang.String' to required "
                f"type 'com.netflix.conductor.common.run.WorkflowSignalReturnStrategy'; {return_strategy}"
            )
            raise Refused(msg)
        target = self.core.store.execution(workflow_id)
        blocking = self._blocking(target)
        head: JsonObject = {
            "responseType": return_strategy,
            "targetWorkflowId": workflow_id,
            "targetWorkflowStatus": target.status,
            "requestId": request_id,
            "signalTimeout": signal_timeout,
        }
        if return_strategy.startswith("BLOCKING_TASK"):
            if blocking is None:
                raise Refused("value" if signal_timeout else "The mapper returned a null value.")
            return {**head, **self._task_view(*blocking)}
        shown = blocking[0] if blocking is not None and return_strategy == "BLOCKING_WORKFLOW" else target
        return {**head, **self._workflow_view(shown)}

    def _blocking(self, execution: Execution) -> tuple[Execution, TaskRow] | None:
        """Returns the WAIT without a time that blocks an execution, with its execution: this one or a sub-workflow."""
        if execution.is_terminal:
            return None
        rows = execution.open_in_order
        for row in rows:
            if row.task_type == "WAIT" and row.wait_until == 0 and not row.mocked:
                return execution, row
        for row in rows:
            child = self.core.store.sub_workflow(row)
            found = self._blocking(child) if child is not None else None
            if found is not None:
                return found
        return None

    def _has_ended(self, execution: Execution, names: set[str]) -> bool:
        if any(row.reference_name in names and row.is_terminal for row in execution.tasks):
            return True
        children = (self.core.store.sub_workflow(row) for row in execution.open.values())
        return any(child is not None and self._has_ended(child, names) for child in children)

    def _workflow_view(self, execution: Execution) -> JsonObject:
        now = self.core.now()
        view: JsonObject = {
            "workflowId": execution.workflow_id,
            "correlationId": execution.correlation_id,
            "input": execution.input,
            "output": execution.output,
            "priority": execution.priority,
            "variables": execution.variables,
            "tasks": [task_to_wire(row, now) for row in execution.tasks],
            "createdBy": execution.created_by,
            "createTime": execution.create_time,
            "status": execution.status,
            "updateTime": execution.update_time,
        }
        return without_nulls(view)

    def _task_view(self, execution: Execution, row: TaskRow) -> JsonObject:
        view: JsonObject = {
            "workflowId": execution.workflow_id,
            "correlationId": execution.correlation_id,
            "input": row.input,
            "output": row.output,
            "taskType": row.task_type,
            "taskId": row.task_id,
            "referenceTaskName": row.reference_name,
            "retryCount": row.retry_count,
            "taskDefName": row.task_def_name,
            "retriedTaskId": row.retried_task_id,
            "workflowType": execution.definition.name,
            "reasonForIncompletion": row.reason,
            "priority": execution.priority,
            "createdBy": row.worker_id,
            "createTime": row.start_time,
            "updateTime": row.update_time,
            "status": row.status,
        }
        return without_nulls(view)

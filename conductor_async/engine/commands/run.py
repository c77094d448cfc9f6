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
    from collections.abc import Set as AbstractSet

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
        return execution.is_terminal or self._reached(execution, frozenset(wait_until_task_refs)) is not None

    @command
    def get(
        self,
        workflow_id: str,
        *,
        wait_until_task_refs: Sequence[str] = (),
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
        reached = self._reached(target, frozenset(wait_until_task_refs))
        head: JsonObject = {
            "responseType": return_strategy,
            "targetWorkflowId": workflow_id,
            "targetWorkflowStatus": target.status,
            "requestId": request_id,
            "signalTimeout": signal_timeout,
        }
        if return_strategy.startswith("BLOCKING_TASK"):
            if reached is None:
                raise Refused("value" if signal_timeout else "The mapper returned a null value.")
            return {**head, **self._task_view(*reached)}
        shown = reached[0] if reached is not None and return_strategy == "BLOCKING_WORKFLOW" else target
        return {**head, **self._workflow_view(shown)}

    def _reached(self, execution: Execution, awaited: AbstractSet[str]) -> tuple[Execution, TaskRow] | None:
        """Returns the first task that ends the wait, with its execution: this one or a running sub-workflow.

        It is a WAIT without a time, which blocks the execution, or an awaited task that has ended. As on the server,
        the tasks of a sub-workflow come where its SUB_WORKFLOW task is.
        """
        for row in execution.tasks if awaited else execution.open_in_order:
            blocks = row.task_type == "WAIT" and row.wait_until == 0 and not row.mocked and not row.is_terminal
            if blocks or (row.is_terminal and row.reference_name in awaited):
                return execution, row
            child = None if row.is_terminal else self.core.store.sub_workflow(row)
            found = self._reached(child, awaited) if child is not None else None
            if found is not None:
                return found
        return None

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

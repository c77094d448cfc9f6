"""What expressions see of an execution: `workflow`, and its tasks by reference name. Computed on access."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.task_row import TaskRow
    from conductor_async.models import JsonObject

__all__ = ["Roots"]


class Roots(Mapping[str, "JsonObject"]):
    """The roots of the expressions of one execution, as they are now."""

    __slots__ = ("_execution", "_roots")

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._roots: dict[str, JsonObject] = {}

    def __getitem__(self, name: str) -> JsonObject:
        root = self._roots.get(name)
        if root is None:
            row = self._execution.visible.get(name)
            if row is not None:
                root = _task_root(self._execution.latest.get(row.reference_name, row))
            elif name == "workflow":
                root = _workflow_root(self._execution)
            else:
                raise KeyError(name)
            self._roots[name] = root
        return root

    def __contains__(self, name: object) -> bool:
        return name == "workflow" or name in self._execution.visible

    def __iter__(self) -> Iterator[str]:
        yield "workflow"
        yield from (name for name in self._execution.visible if name != "workflow")

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _workflow_root(execution: Execution) -> JsonObject:
    return {
        "input": execution.input,
        "output": execution.output,
        "status": execution.status,
        "workflowId": execution.workflow_id,
        "parentWorkflowId": execution.parent_workflow_id,
        "parentWorkflowTaskId": execution.parent_task_id,
        "workflowType": execution.definition.name,
        "version": execution.definition.version,
        "correlationId": execution.correlation_id,
        "reasonForIncompletion": execution.reason,
        "schemaVersion": execution.definition.wire["schemaVersion"],
        "variables": execution.variables,
    }


def _task_root(row: TaskRow) -> JsonObject:
    return {
        "input": row.input,
        # The output of an open task still changes; whoever reads it now must not see later changes.
        "output": row.output if row.is_terminal else dict(row.output),
        "taskType": row.task_type,
        "status": row.status,
        "referenceTaskName": row.reference_name,
        "retryCount": row.retry_count,
        "correlationId": row.correlation_id,
        "pollCount": row.poll_count,
        "taskDefName": row.task_def_name,
        "scheduledTime": row.scheduled_time,
        "startTime": row.start_time,
        "endTime": row.end_time,
        "workflowInstanceId": row.workflow_id,
        "taskId": row.task_id,
        "reasonForIncompletion": row.reason,
        "callbackAfterSeconds": row.callback_after,
        "workerId": row.worker_id,
        "iteration": row.iteration,
    }

"""EVENT: an event to the engine's own handlers. Other queues need a service that is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.inputs import evaluate
from conductor_async.engine.java_values import as_java_string
from conductor_async.engine.system_tasks.base import TaskKind

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.execution import Execution, TaskRow
    from conductor_async.engine.system_tasks.base import Place

__all__ = ["EventKind"]


class EventKind(TaskKind):
    """Publishes its input to a sink."""

    type = "EVENT"

    def rows(self, place: Place) -> list[TaskRow]:
        """One row."""
        wire = place.spec.wire
        parameters = {
            **place.spec.input_parameters,
            "sink": wire.get("sink"),
            "asyncComplete": wire["asyncComplete"],
        }
        task_id = place.core.ids.new()
        values = evaluate(place.core, place.execution, parameters, task_id=task_id)
        return [place.row("SCHEDULED", task_id=task_id, input=values)]

    def start(self, core: Core, execution: Execution, row: TaskRow) -> None:
        """Publish; the task's output is what was published."""
        row.status = "IN_PROGRESS"
        row.output = {
            **row.output,
            **row.input,
            "workflowInstanceId": execution.workflow_id,
            "workflowType": execution.definition.name,
            "workflowVersion": execution.definition.version,
            "correlationId": execution.correlation_id,
            "taskToDomain": execution.task_to_domain,
        }
        queue = _queue(core, execution, row)
        if queue is None:
            sink = row.input.get("sink")
            row.status = "FAILED"
            row.reason = (
                f"The embedded engine publishes only to conductor queues, not to {as_java_string(sink)}: "
                "mock the task, or run it on a real Conductor server."
            )
            return
        row.output["event_produced"] = queue
        core.events.append((queue, row.task_id, row.output))

    def execute(self, core: Core, execution: Execution, row: TaskRow) -> bool:
        """Done, unless somebody else is to complete it."""
        if self.is_async_complete(row):
            return False
        row.status = "COMPLETED"
        return True


def _queue(core: Core, execution: Execution, row: TaskRow) -> str | None:
    sink = as_java_string(evaluate(core, execution, {"sink": row.input.get("sink")}, task_id=row.task_id)["sink"])
    if sink == "conductor":
        return f"conductor:{execution.definition.name}:{row.reference_name}"
    if sink.startswith("conductor:"):
        return f"conductor:{execution.definition.name}:{sink.replace('conductor:', '')}"
    return None

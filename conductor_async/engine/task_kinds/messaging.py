"""EVENT: an event to the engine's own handlers. Other queues need a service that is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.expressions.inputs import evaluate
from conductor_async.engine.expressions.java_values import as_java_string, hash_ordered
from conductor_async.engine.task_kinds.base import TaskKind

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.execution import Execution, TaskRow
    from conductor_async.engine.task_kinds.base import Place

__all__ = ["EventKind"]

_OUTSIDE = frozenset({"amqp", "amqp_exchange", "amqp_queue", "jsm", "kafka", "nats", "nats_stream", "sqs"})


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
        published = {
            **row.input,
            "workflowInstanceId": execution.workflow_id,
            "workflowType": execution.definition.name,
            "workflowVersion": execution.definition.version,
            "correlationId": execution.correlation_id,
            "taskToDomain": execution.task_to_domain,
        }
        row.output = {**row.output, **published}
        sink = as_java_string(evaluate(core, execution, {"sink": row.input.get("sink")}, task_id=row.task_id)["sink"])
        queue = _queue(execution, row, sink)
        if queue is None:
            row.status = "FAILED"
            row.reason = f"Invalid / Unsupported sink specified: {sink}"
            return
        row.output = hash_ordered({**row.output, "event_produced": queue})
        if _problem(queue) is None:
            core.events.append((queue, row.task_id, row.output))

    def execute(self, core: Core, execution: Execution, row: TaskRow) -> bool:
        """Done, unless somebody else is to complete it. That it failed is no change in itself, as on the server."""
        queue = row.output["event_produced"]
        problem = _problem(queue)
        if problem is not None:
            row.status = "FAILED"
            row.reason = f"Error loading queue:{queue}, for task:{row.task_id}, error: {problem}"
            execution.unstored[row.task_id] = row
            return False
        if self.is_async_complete(row):
            return False
        row.status = "COMPLETED"
        return True


def _queue(execution: Execution, row: TaskRow, sink: str) -> str | None:
    """The queue's full name: the engine's own ones are the workflow's. None for what only looks like one of them."""
    if sink == "conductor":
        return f"conductor:{execution.definition.name}:{row.reference_name}"
    if sink.startswith("conductor:"):
        return f"conductor:{execution.definition.name}:{sink.replace('conductor:', '')}"
    return None if sink.startswith("conductor") else sink


def _problem(queue: str) -> str | None:
    """Why nothing can be published there: as the server has it, but for queues that other servers may have."""
    kind, colon, _ = queue.partition(":")
    if not colon:
        return f"Illegal event {queue}"
    if kind in _OUTSIDE:
        return (
            f"The embedded engine publishes only to conductor queues, not to {queue}: "
            "mock the task, or run it on a real Conductor server."
        )
    return None if kind == "conductor" else f"Unknown queue type {kind}"

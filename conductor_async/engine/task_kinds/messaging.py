"""EVENT: publishes to the engine's own event handlers. Other queues need services that the engine does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.expressions.java_values import as_java_string, hash_ordered
from conductor_async.engine.rows.inputs import evaluate
from conductor_async.engine.rows.kind import TaskKind

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.rows.kind import RowFactory
    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.task_row import TaskRow

__all__ = ["EventKind"]

_EXTERNAL = frozenset({"amqp", "amqp_exchange", "amqp_queue", "jsm", "kafka", "nats", "nats_stream", "sqs"})


class EventKind(TaskKind):
    """Publishes its input to a sink."""

    type = "EVENT"

    def rows(self, factory: RowFactory) -> list[TaskRow]:
        """Returns one scheduled row."""
        wire = factory.spec.wire
        parameters = {
            **factory.spec.input_parameters,
            "sink": wire.get("sink"),
            "asyncComplete": wire["asyncComplete"],
        }
        task_id = factory.core.ids.new()
        values = evaluate(factory.core, factory.execution, parameters, task_id=task_id)
        return [factory.new_row("SCHEDULED", task_id=task_id, input=values)]

    def start(self, core: Core, execution: Execution, row: TaskRow) -> None:
        """Publishes. What was published becomes the task's output."""
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
        """Completes the task, unless somebody else is to.

        A failure does not count as a change, as on the server: the decision does not store it if nothing else changed.
        """
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
    """Returns the full name of the queue: `conductor` queues are the workflow's own. None if the sink is malformed."""
    if sink == "conductor":
        return f"conductor:{execution.definition.name}:{row.reference_name}"
    if sink.startswith("conductor:"):
        return f"conductor:{execution.definition.name}:{sink.replace('conductor:', '')}"
    return None if sink.startswith("conductor") else sink


def _problem(queue: str) -> str | None:
    """Returns why a queue cannot be published to; None if it can. The server's words, but for external queues."""
    kind, colon, _ = queue.partition(":")
    if not colon:
        return f"Illegal event {queue}"
    if kind in _EXTERNAL:
        return (
            f"The embedded engine publishes only to conductor queues, not to {queue}: "
            "mock the task, or run it on a real Conductor server."
        )
    return None if kind == "conductor" else f"Unknown queue type {kind}"

"""HTTP: the engine leaves the request to the runtime, which reports the response."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.expressions.java_values import hash_ordered
from conductor_async.engine.rows.kind import TaskKind
from conductor_async.engine.rows.queueing import dispatch

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.rows.kind import RowFactory
    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.task_row import TaskRow

__all__ = ["HttpKind"]


class HttpKind(TaskKind):
    """Sends an HTTP request, by the runtime."""

    type = "HTTP"
    is_async = True

    def rows(self, factory: RowFactory) -> list[TaskRow]:
        """Returns one scheduled row."""
        spec = factory.spec
        definition = factory.definition()
        task_id = factory.core.ids.new()
        values = factory.input(definition, task_id)
        values.setdefault("asyncComplete", spec.wire["asyncComplete"])
        row = factory.new_row(
            "SCHEDULED",
            task_id=task_id,
            input=hash_ordered(values),
            retry_count=factory.retry_count,
            callback_after=spec.start_delay,
            rate_limit=definition.rate_limit if definition else 0,
            rate_frequency=definition.rate_frequency if definition else 0,
        )
        return [row]

    def is_async_complete(self, row: TaskRow) -> bool:
        """Returns whether somebody else completes the task: by default the response does."""
        return bool(row.input.get("asyncComplete"))

    def start(self, core: Core, execution: Execution, row: TaskRow) -> None:
        """Hands the task to the runtime."""
        row.status = "IN_PROGRESS"
        dispatch(core, row)

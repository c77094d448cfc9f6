"""HTTP: the engine hands the request out, and takes the answer in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.expressions.java_values import hash_ordered
from conductor_async.engine.external import dispatch
from conductor_async.engine.task_kinds.base import TaskKind

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.execution import Execution, TaskRow
    from conductor_async.engine.task_kinds.base import Place

__all__ = ["HttpKind"]


class HttpKind(TaskKind):
    """A request that the runtime makes."""

    type = "HTTP"
    is_async = True

    def rows(self, place: Place) -> list[TaskRow]:
        """One row."""
        spec = place.spec
        definition = spec.definition or place.core.metadata.task_definition(spec.name)
        task_id = place.core.ids.new()
        values = place.input(definition, task_id)
        values.setdefault("asyncComplete", spec.wire["asyncComplete"])
        row = place.row(
            "SCHEDULED",
            task_id=task_id,
            input=hash_ordered(values),
            retry_count=place.retry_count,
            callback_after=spec.start_delay,
            rate_limit=definition.rate_limit if definition else 0,
            rate_frequency=definition.rate_frequency if definition else 0,
        )
        return [row]

    def is_async_complete(self, row: TaskRow) -> bool:
        """The answer completes the task, unless it is to be completed by somebody else."""
        return bool(row.input.get("asyncComplete"))

    def start(self, core: Core, execution: Execution, row: TaskRow) -> None:
        """Hand the request out."""
        row.status = "IN_PROGRESS"
        dispatch(core, row)

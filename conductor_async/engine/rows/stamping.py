"""The times that the server notes when it stores a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.state.task_row import TERMINAL

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.task_row import TaskRow

__all__ = ["stamp"]


def stamp(core: Core, row: TaskRow) -> None:
    """Notes the time of a change. The end of a task frees its place under a concurrency limit."""
    now = core.now()
    terminal = row.status in TERMINAL
    if not terminal or row.update_time == 0:
        row.update_time = now
    if terminal and row.end_time == 0:
        row.end_time = now
    if terminal and row.definition is not None and row.definition.concurrency_limit > 0:
        _release_next(core, row)


def _release_next(core: Core, row: TaskRow) -> None:
    """Makes the first task that waits in the row's queue ready: it may have been postponed because of the limit."""
    queue = core.queues.get(row.queue)
    first = queue.first_waiting() if queue is not None else None
    if first is not None:
        core.enqueue(core.store.tasks[first], 0)

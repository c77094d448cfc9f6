"""How many tasks of a definition may run at once, and how many in a span of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.execution import TaskRow

__all__ = ["is_limited", "note_in_progress"]


def is_limited(core: Core, row: TaskRow) -> bool:
    """Whether so many tasks of this definition are in progress that this one has to wait."""
    definition = row.definition
    if definition is None or definition.concurrency_limit <= 0:
        return False
    running = core.in_progress.get(row.task_def_name or "", {})
    for task_id in [key for key in running if not _is_in_progress(core, key)]:
        del running[task_id]
    return len(running) >= definition.concurrency_limit


def note_in_progress(core: Core, row: TaskRow) -> None:
    """Count the row if it has begun and is of a limited kind."""
    definition = row.definition
    if definition is not None and definition.concurrency_limit > 0 and row.status == "IN_PROGRESS":
        core.in_progress.setdefault(row.task_def_name or "", {})[row.task_id] = None


def _is_in_progress(core: Core, task_id: str) -> bool:
    row = core.store.tasks.get(task_id)
    return row is not None and row.status == "IN_PROGRESS"

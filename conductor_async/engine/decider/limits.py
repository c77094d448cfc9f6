"""Concurrency limits: how many tasks of a definition may be in progress at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.task_row import TaskRow

__all__ = ["POSTPONED_MS", "is_limited", "note_in_progress"]

POSTPONED_MS = 60_000
"""How long the server postpones a task that a limit holds back (`taskExecutionPostponeDuration`)."""


def is_limited(core: Core, row: TaskRow) -> bool:
    """Returns whether as many tasks of the definition are in progress as may be."""
    definition = row.definition
    if definition is None or definition.concurrency_limit <= 0:
        return False
    running = core.in_progress.get(row.task_def_name or "", {})
    for task_id in [key for key in running if not _is_in_progress(core, key)]:
        del running[task_id]
    return len(running) >= definition.concurrency_limit


def note_in_progress(core: Core, row: TaskRow) -> None:
    """Counts a row in progress whose definition has a limit."""
    definition = row.definition
    if definition is not None and definition.concurrency_limit > 0 and row.status == "IN_PROGRESS":
        core.in_progress.setdefault(row.task_def_name or "", {})[row.task_id] = None


def _is_in_progress(core: Core, task_id: str) -> bool:
    row = core.store.tasks.get(task_id)
    return row is not None and row.status == "IN_PROGRESS"

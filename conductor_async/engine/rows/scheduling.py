"""From new rows to running ones: what the engine runs within the decision is started, the rest is queued."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from conductor_async.engine.errors import EngineError, WorkflowHalted
from conductor_async.engine.rows.inputs import with_secrets
from conductor_async.engine.rows.kind import system_kind
from conductor_async.engine.rows.queueing import queue_row
from conductor_async.engine.rows.stamping import stamp
from conductor_async.engine.state.task_row import TERMINAL

if TYPE_CHECKING:
    from collections.abc import Generator

    from conductor_async.engine.core import Core
    from conductor_async.engine.rows.kind import TaskKind
    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.task_row import TaskRow

__all__ = ["add_new", "schedule", "secrets_in_input"]


def add_new(execution: Execution, rows: list[TaskRow]) -> list[TaskRow]:
    """Adds the rows that the execution does not have yet, by name and attempt. Returns these."""
    added = [row for row in rows if (row.reference_name, row.retry_count) not in execution.attempts]
    for row in added:
        execution.add(row)
    return added


def schedule(core: Core, execution: Execution, rows: list[TaskRow]) -> bool:
    """Starts rows that the engine runs within the decision, and queues the others. Returns whether it started any.

    Raises:
        WorkflowHalted: A task could not be started.
    """
    now = core.now()
    for row in rows:
        if row.seq == 0:
            execution.highest_seq += 1
            row.seq = execution.highest_seq
        row.first_scheduled_time = row.first_scheduled_time or now
        row.scheduled_time = now
        core.store.tasks[row.task_id] = row
    to_queue: list[TaskRow] = []
    for row in rows:
        kind = system_kind(row)
        row.mocked = _is_mock(core, kind, row)
        if row.mocked or kind is None:
            to_queue.append(row)
            continue
        if row.status not in TERMINAL and row.start_time == 0:
            row.start_time = now
        if kind.is_async:
            to_queue.append(row)
            continue
        _start(core, execution, kind, row)
        stamp(core, row)
        execution.touch(row)
    # The server queues nothing before all have been started: one that cannot be started halts the workflow.
    for row in to_queue:
        if row.status not in TERMINAL:
            queue_row(core, row)
    return len(to_queue) < len(rows)


def _is_mock(core: Core, kind: TaskKind | None, row: TaskRow) -> bool:
    if core.is_mocked is None or row.status in TERMINAL or (kind is not None and kind.is_operator):
        return False
    if not core.is_mocked(row):
        return False
    row.status = "SCHEDULED"
    return True


def _start(core: Core, execution: Execution, kind: TaskKind, row: TaskRow) -> None:
    try:
        with secrets_in_input(core, row):
            kind.start(core, execution, row)
    except EngineError as error:
        msg = f"Error scheduling tasks: [{row.task_id}], for workflow: {execution.workflow_id}"
        raise WorkflowHalted(msg) from error


@contextmanager
def secrets_in_input(core: Core, row: TaskRow) -> Generator[None]:
    """Has secrets filled in in a row's input while the context is open. They are never stored."""
    kind = system_kind(row)
    if kind is not None and not kind.takes_secrets:
        yield
        return
    literal = row.input
    try:
        row.input = with_secrets(core, literal)
        yield
    finally:
        row.input = literal

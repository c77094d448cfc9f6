"""Running system tasks: operators within the decision, the others after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.decider.joins import notify_joins
from conductor_async.engine.decider.limits import POSTPONED_MS, is_limited, note_in_progress
from conductor_async.engine.rows.kind import system_kind
from conductor_async.engine.rows.queueing import dispatch
from conductor_async.engine.rows.scheduling import secrets_in_input
from conductor_async.engine.rows.stamping import stamp
from conductor_async.engine.rows.timeout_timers import set_timeout_timer
from conductor_async.engine.state.task_row import TERMINAL

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.rows.kind import TaskKind
    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.task_row import TaskRow

__all__ = ["dispatch_task", "execute_in_decision", "run_task"]


def execute_in_decision(core: Core, execution: Execution, row: TaskRow) -> bool:
    """Continues a task that runs within the decision. Returns whether anything has changed."""
    kind = system_kind(row)
    if kind is None or kind.is_async or row.mocked:
        return False
    with secrets_in_input(core, row):
        return kind.execute(core, execution, row)


def run_task(core: Core, task_id: str) -> None:
    """Runs a task that runs after the decision: starts it, or continues it."""
    found = _find_open(core, task_id)
    if found is None:
        return
    execution, row = found
    kind = system_kind(row)
    if kind is None or row.mocked:
        return
    if core.held is not None and not kind.is_operator and row.task_type != "SUB_WORKFLOW":
        core.held.append(task_id)
        return
    before = row.status
    if before == "SCHEDULED" and is_limited(core, row):
        core.timers.add(core.now() + POSTPONED_MS, "run", task_id)
        return
    if before == "SCHEDULED" or not kind.is_async_complete(row):
        row.poll_count += 1  # the server polls its own queues for system tasks
    _run(core, execution, kind, row)
    if row.status in TERMINAL:
        row.end_time = core.now()
    stamp(core, row)
    if row.status not in TERMINAL:
        notify_joins(core, execution, row)
    if row.status in TERMINAL or (kind.is_async_complete(row) and row.status != "SCHEDULED" and row.status != before):
        execution.touch(row)
        core.mark_changed(execution)
        core.decide_later(execution.workflow_id)
    elif row.status != before:
        core.mark_changed(execution)
    note_in_progress(core, row)
    set_timeout_timer(core, row)


def _run(core: Core, execution: Execution, kind: TaskKind, row: TaskRow) -> None:
    with secrets_in_input(core, row):
        if row.status == "SCHEDULED":
            row.start_time = core.now()
            kind.start(core, execution, row)
        else:
            kind.execute(core, execution, row)


def dispatch_task(core: Core, task_id: str) -> None:
    """Hands a mocked task to the runtime."""
    found = _find_open(core, task_id)
    if found is None:
        return
    execution, row = found
    row.status = "IN_PROGRESS"
    row.start_time = row.start_time or core.now()
    row.callback_after = 0
    row.poll_count += 1
    stamp(core, row)
    core.mark_changed(execution)
    dispatch(core, row)
    set_timeout_timer(core, row)


def _find_open(core: Core, task_id: str) -> tuple[Execution, TaskRow] | None:
    """Returns an open row with its execution. A row that outlived its execution is cancelled, as on the server."""
    row = core.store.tasks.get(task_id)
    if row is None or row.status in TERMINAL:
        return None
    execution = core.store.executions[row.workflow_id]
    if execution.is_terminal:
        row.status = "CANCELED"
        row.reason = f"Workflow is in {execution.status} state"
        stamp(core, row)
        execution.touch(row)
        return None
    return execution, row

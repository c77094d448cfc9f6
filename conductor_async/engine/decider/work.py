"""What the engine does on its own, after a command or when a timer is due."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from conductor_async.engine.decider.loop import decide_execution
from conductor_async.engine.decider.system_tasks import dispatch_task, run_task
from conductor_async.engine.errors import EngineError
from conductor_async.engine.rows.timeout_timers import set_timeout_timer
from conductor_async.engine.state.task_row import TERMINAL

if TYPE_CHECKING:
    from conductor_async.engine.core import Core, Work

__all__ = ["do_work"]


def do_work(core: Core, work: Work) -> None:
    """Does one piece of work. Its errors do not reach the command that caused it."""
    if work.kind == "decide":
        _decide(core, work.key)
    elif work.kind == "run":
        run_task(core, work.key)
    elif work.kind == "dispatch":
        dispatch_task(core, work.key)
    elif work.kind == "script":
        _continue_script(core, work.key)
    elif work.kind == "queue":
        core.queued[work.key] = None
    elif work.kind == "timeout":
        _check_task(core, work.key)
    elif work.kind == "workflow":
        execution = core.store.executions.get(work.key)
        if execution is not None and execution.status == "RUNNING":
            core.decide_later(execution.workflow_id)
    else:
        msg = f"The engine knows no work of the kind {work.kind!r}."
        raise ValueError(msg)


def _decide(core: Core, workflow_id: str) -> None:
    execution = core.store.executions.get(workflow_id)
    if execution is not None:
        # The server logs such errors and decides again and again; the execution stays RUNNING there too.
        with suppress(EngineError):
            decide_execution(core, execution)


def _continue_script(core: Core, task_id: str) -> None:
    """Decides an execution because a script of one of its tasks has ended."""
    row = core.store.tasks.get(task_id)
    if row is None or row.status in TERMINAL:
        return
    execution = core.store.executions[row.workflow_id]
    execution.touch(row)
    _decide(core, execution.workflow_id)


def _check_task(core: Core, task_id: str) -> None:
    """Decides an execution because a timeout of one of its tasks may be over."""
    row = core.store.tasks.get(task_id)
    if row is None or row.status in TERMINAL or row.next_check > core.now():
        return
    row.next_check = 0
    execution = core.store.executions[row.workflow_id]
    if execution.status == "RUNNING":
        execution.touch(row)
        _decide(core, execution.workflow_id)
    set_timeout_timer(core, row)

"""What the engine does on its own: decide until nothing changes, run system tasks, and whatever the timers bring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.core import Work
from conductor_async.engine.decider.decide import Decision, decide
from conductor_async.engine.decider.limits import is_limited, note_in_progress
from conductor_async.engine.decider.scheduling import add_new, execute_sync, schedule, set_domains, stamp
from conductor_async.engine.decider.timeouts import watch
from conductor_async.engine.errors import EngineError, PayloadOutOfReach, WorkflowHalted
from conductor_async.engine.executions.ending import cancel_open_tasks, end, halt
from conductor_async.engine.expressions.inputs import with_secrets
from conductor_async.engine.expressions.java_values import as_stored, hash_ordered
from conductor_async.engine.external import dispatch
from conductor_async.engine.state.execution import TERMINAL
from conductor_async.engine.task_kinds.base import is_system, system_kind

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.execution import Execution, TaskRow
    from conductor_async.engine.task_kinds.base import TaskKind

__all__ = ["decide_execution", "do_work", "run_outside", "run_task", "tell_joins"]

_POSTPONED_MS = 60_000


def decide_execution(core: Core, execution: Execution) -> None:
    """Take an execution as far as it goes without anybody's help.

    Raises:
        EngineError: The definition cannot be carried out here; the execution stays as it was.
    """
    if execution.is_terminal:
        if execution.status != "COMPLETED":
            cancel_open_tasks(core, execution)
        return
    if execution.output_outside is not None:
        raise PayloadOutOfReach(execution.output_outside)
    _join_again(core, execution)
    try:
        _decide_to_the_end(core, execution)
    finally:
        execution.loops_seen.clear()
        _store(execution)
    if execution.joins_stale:
        execution.joins_stale = False
        core.work.extend(Work("run", task_id) for task_id in execution.joins)


def _store(execution: Execution) -> None:
    """Make values what they are for the server when it reads them again."""
    for row in execution.standing.values():
        if not row.stored:
            row.stored, row.output = True, hash_ordered(row.output)
    if execution.has_path_results:
        execution.has_path_results = False
        parts = (part for row in execution.tasks for part in (row.input, row.output))
        for values in (execution.variables, execution.output, *parts):
            as_stored(values)


def _decide_to_the_end(core: Core, execution: Execution) -> None:
    """Decide as long as there is something new, or until the execution has ended."""
    while True:
        if not core.take_step():
            core.postponed.append(Work("decide", execution.workflow_id))
            return
        decision = Decision()
        try:
            decide(core, execution, decision)
        except WorkflowHalted as halted:
            halt(core, execution, halted)
            decision.forget(halted.task)
            return
        if decision.complete:
            try:
                end(core, execution, decision.terminate_row)
            except EngineError:
                decision.forget(None)
                for row, _ in decision.seen:
                    execution.touch(row)
                raise
            decision.forget(decision.terminate_row if execution.status != "COMPLETED" else None)
            return
        try:
            if not _carry_out(core, execution, decision):
                return
        except WorkflowHalted as halted:
            halt(core, execution, halted)
            return


def _carry_out(core: Core, execution: Execution, decision: Decision) -> bool:
    """Do what was decided. Whether there is something new to decide on."""
    set_domains(core, execution, decision.to_schedule)
    added = add_new(execution, decision.to_schedule)
    changed = schedule(core, execution, added)
    for row in decision.to_schedule:
        if row.status not in TERMINAL and is_system(row) and execute_sync(core, execution, row):
            decision.to_update.append(row)
            execution.touch(row)
            changed = True
    for row in decision.to_update:
        stamp(core, row)
        if row.executed:
            tell_joins(core, execution, row)
    if decision.to_update or added:
        core.mark_changed(execution)
    if not changed:
        for row in execution.unstored.values():
            row.status, row.reason = "IN_PROGRESS", None
    execution.unstored.clear()
    return changed


def tell_joins(core: Core, execution: Execution, row: TaskRow) -> None:
    """A task has ended, or said something: JOINs take its output, and look at the whole when they can decide."""
    for join in execution.joined_by.get(row.reference_name, ()):
        waits = execution.joins.get(join.task_id)
        if waits is None or execution.latest[row.reference_name] is not row:
            continue
        if row.output:
            join.output[row.reference_name] = row.output
        if row.status not in TERMINAL:
            continue
        waits.discard(row.reference_name)
        if not waits or not row.is_successful:
            core.work.append(Work("run", join.task_id))


def _join_again(core: Core, execution: Execution) -> None:
    """A sub-workflow was revived by itself: what was joined in vain is joined again."""
    revived = (
        [
            row
            for row in execution.tasks
            if row.subworkflow_changed and row.task_type == "SUB_WORKFLOW" and not row.retried
        ]
        if execution.has_revived_child
        else []
    )
    execution.has_revived_child = False
    if not revived:
        return
    revived[0].subworkflow_changed = False
    execution.has_revived_child = len(revived) > 1
    for row in execution.tasks:
        if row.task_type == "JOIN" and row.is_terminal and not row.is_successful:
            row.status = "IN_PROGRESS"
            stamp(core, row)
            execution.touch(row)


# -- tasks that the engine runs after the decision ---------------------------------------------------


def run_task(core: Core, task_id: str) -> None:
    """Run a system task that is not run within a decision."""
    found = _running(core, task_id)
    if found is None:
        return
    execution, row = found
    kind = system_kind(row)
    if kind is None or row.mocked:
        return
    scheduled = row.status == "SCHEDULED"
    if scheduled and is_limited(core, row):
        core.timers.add(core.now() + _POSTPONED_MS, "run", task_id)
        return
    if scheduled or not kind.is_async_complete(row):
        row.poll_count += 1
    before = row.status
    _run(core, execution, kind, row)
    if row.status in TERMINAL:
        row.end_time = core.now()
    stamp(core, row)
    if row.status in TERMINAL or (kind.is_async_complete(row) and row.status != "SCHEDULED" and row.status != before):
        execution.touch(row)
        core.mark_changed(execution)
        core.decide_later(execution.workflow_id)
    elif row.status != before:
        core.mark_changed(execution)
    note_in_progress(core, row)
    watch(core, row)


def _run(core: Core, execution: Execution, kind: TaskKind, row: TaskRow) -> None:
    literal = row.input
    row.input = with_secrets(core, literal)
    try:
        if row.status == "SCHEDULED":
            row.start_time = core.now()
            kind.start(core, execution, row)
        else:
            kind.execute(core, execution, row)
    finally:
        row.input = literal


def run_outside(core: Core, task_id: str) -> None:
    """Hand a mocked task to the runtime."""
    found = _running(core, task_id)
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
    watch(core, row)


def _running(core: Core, task_id: str) -> tuple[Execution, TaskRow] | None:
    """The row and its execution, if there is still something to do."""
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


# -- work --------------------------------------------------------------------------------------------


def do_work(core: Core, work: Work) -> None:
    """Do one piece of the engine's own work. What goes wrong in it does not reach whoever caused it."""
    if work.kind == "decide":
        execution = core.store.executions.get(work.key)
        if execution is None:
            return
        try:
            decide_execution(core, execution)
        except EngineError:
            # The server logs this, and tries again and again; the execution stays RUNNING, as it does there.
            return
    elif work.kind == "run":
        run_task(core, work.key)
    elif work.kind == "dispatch":
        run_outside(core, work.key)
    elif work.kind == "queue":
        core.queued[work.key] = None
    elif work.kind == "timeout":
        _look_at_task(core, work.key)
    elif work.kind == "workflow":
        execution = core.store.executions.get(work.key)
        if execution is not None and execution.status == "RUNNING":
            core.decide_later(execution.workflow_id)
    else:
        msg = f"The engine knows no work of the kind {work.kind!r}."
        raise ValueError(msg)


def _look_at_task(core: Core, task_id: str) -> None:
    row = core.store.tasks.get(task_id)
    if row is None or row.status in TERMINAL or row.next_check > core.now():
        return
    row.next_check = 0
    execution = core.store.executions[row.workflow_id]
    if execution.status == "RUNNING":
        execution.touch(row)
        decide_quietly(core, execution)
    watch(core, row)


def decide_quietly(core: Core, execution: Execution) -> None:
    """Decide, for the engine's own reasons."""
    do_work(core, Work("decide", execution.workflow_id))

"""Decides an execution until nothing changes any more without a worker, a person or the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.core import Work
from conductor_async.engine.decider.decide import Decision, decide
from conductor_async.engine.decider.ending import cancel_open_tasks, end, halt
from conductor_async.engine.decider.joins import check_stale_joins, notify_joins, reopen_joins
from conductor_async.engine.decider.system_tasks import execute_in_decision
from conductor_async.engine.errors import EngineError, PayloadOutOfReach, WorkflowHalted
from conductor_async.engine.expressions.java_values import as_stored, hash_ordered
from conductor_async.engine.rows.domains import assign_domains
from conductor_async.engine.rows.kind import is_system
from conductor_async.engine.rows.scheduling import add_new, schedule
from conductor_async.engine.rows.stamping import stamp
from conductor_async.engine.state.task_row import TERMINAL

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.execution import Execution

__all__ = ["decide_execution"]


def decide_execution(core: Core, execution: Execution) -> None:
    """Decides an execution, again and again, until nothing new follows or it has ended.

    Raises:
        EngineError: The definition cannot be carried out here. The execution stays as it was.
    """
    if execution.is_terminal:
        if execution.status != "COMPLETED":
            cancel_open_tasks(core, execution)
        return
    if execution.external_output is not None:
        raise PayloadOutOfReach(execution.external_output)
    reopen_joins(core, execution)
    try:
        while _decide_once(core, execution):
            pass
    finally:
        execution.unfinished_iterations.clear()
        _store_values(execution)
    check_stale_joins(core, execution)


def _decide_once(core: Core, execution: Execution) -> bool:
    """Decides once and carries it out. Returns whether that changed something, so that another decision is needed."""
    if not core.take_step():
        core.postponed.append(Work("decide", execution.workflow_id))
        return False
    decision = Decision()
    try:
        decide(core, execution, decision)
    except WorkflowHalted as halted:
        halt(core, execution, halted)
        decision.roll_back(except_for=halted.task_id)
        return False
    if decision.complete:
        _end(core, execution, decision)
        return False
    try:
        return _carry_out(core, execution, decision)
    except WorkflowHalted as halted:
        # Not rolled back: the server has stored the rows by the time that it schedules.
        halt(core, execution, halted)
        return False


def _end(core: Core, execution: Execution, decision: Decision) -> None:
    try:
        end(core, execution, decision.terminate_row)
    except EngineError:
        decision.roll_back()
        for row, _ in decision.considered:
            execution.touch(row)
        raise
    kept = decision.terminate_row if execution.status != "COMPLETED" else None
    decision.roll_back(except_for=kept.task_id if kept is not None else None)


def _carry_out(core: Core, execution: Execution, decision: Decision) -> bool:
    """Schedules and runs what was decided. Returns whether there is something new to decide on."""
    assign_domains(core, execution, decision.to_schedule)
    added = add_new(execution, decision.to_schedule)
    changed = schedule(core, execution, added)
    for row in decision.to_schedule:
        if row.status not in TERMINAL and is_system(row) and execute_in_decision(core, execution, row):
            decision.to_update.append(row)
            execution.touch(row)
            changed = True
    for row in decision.to_update:
        stamp(core, row)
        if row.executed or row.status not in TERMINAL:
            notify_joins(core, execution, row)
    if decision.to_update or added:
        core.mark_changed(execution)
    if not changed:
        # The server stores rows only if something changed: a failure that is all there is stays unknown.
        for row in execution.unstored.values():
            row.status, row.reason = "IN_PROGRESS", None
    execution.unstored.clear()
    return changed


def _store_values(execution: Execution) -> None:
    """Makes values what the server reads back from its database, where Java's types and key orders are lost."""
    for row in execution.rechecked.values():
        if not row.stored:
            row.stored, row.output = True, hash_ordered(row.output)
    if execution.has_path_results:
        execution.has_path_results = False
        parts = (part for row in execution.tasks for part in (row.input, row.output))
        for values in (execution.variables, execution.output, *parts):
            as_stored(values)

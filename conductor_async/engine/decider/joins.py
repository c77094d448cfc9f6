"""When JOINs run. The server runs each of them again and again; here a JOIN runs when what it waits for has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.core import Work
from conductor_async.engine.rows.stamping import stamp
from conductor_async.engine.state.task_row import TERMINAL

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.task_row import TaskRow

__all__ = ["check_stale_joins", "notify_joins", "reopen_joins"]


def notify_joins(core: Core, execution: Execution, row: TaskRow, inner: frozenset[str] = frozenset()) -> None:
    """Gives the output of a task to its JOINs, and runs those that can decide now.

    A JOIN in progress passes on what it has so far to the JOINs that wait for it. `inner` are the JOINs that have
    passed it on so far: JOINs that wait for each other must not do so for ever.
    """
    for join in execution.joined_by.get(row.reference_name, ()):
        waits_for = execution.joins.get(join.task_id)
        if waits_for is None or execution.latest[row.reference_name] is not row:
            continue
        if row.output and join.output.get(row.reference_name) != row.output:
            join.output[row.reference_name] = dict(row.output) if row.task_type == "JOIN" else row.output
            if join.task_id not in inner:
                notify_joins(core, execution, join, inner | {join.task_id})
        if row.status not in TERMINAL:
            continue
        waits_for.discard(row.reference_name)
        if not waits_for or not row.is_successful:
            core.work.append(Work("run", join.task_id))


def check_stale_joins(core: Core, execution: Execution) -> None:
    """Runs all JOINs after new ones have been added: what they wait for may have ended before."""
    if execution.joins_stale:
        execution.joins_stale = False
        core.work.extend(Work("run", task_id) for task_id in execution.joins)


def reopen_joins(core: Core, execution: Execution) -> None:
    """Opens failed JOINs again after one of the sub-workflows was revived.

    As on the server, each decision takes note of one revived sub-workflow only.
    """
    if not execution.has_revived_child:
        return
    revived = [
        row
        for row in execution.tasks
        if row.subworkflow_changed and row.task_type == "SUB_WORKFLOW" and not row.retried
    ]
    execution.has_revived_child = len(revived) > 1
    if not revived:
        return
    revived[0].subworkflow_changed = False
    for row in execution.tasks:
        if row.task_type == "JOIN" and row.is_terminal and not row.is_successful:
            row.status = "IN_PROGRESS"
            stamp(core, row)
            execution.touch(row)

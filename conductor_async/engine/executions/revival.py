"""Running executions again that had ended: new attempts of failed tasks, and the parents with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.decider.loop import decide_execution
from conductor_async.engine.errors import Conflict
from conductor_async.engine.rows.inputs import evaluate
from conductor_async.engine.rows.making import next_attempt
from conductor_async.engine.rows.queueing import queue_row
from conductor_async.engine.rows.scheduling import add_new, schedule
from conductor_async.engine.rows.stamping import stamp
from conductor_async.engine.rows.timeout_timers import set_workflow_timer

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.task_row import TaskRow

__all__ = ["retry_tasks", "revive_parents"]

_JOINS = frozenset({"JOIN", "EXCLUSIVE_JOIN"})
_IN_PLACE = frozenset({"DO_WHILE", "FORK_JOIN", "JOIN", "EXCLUSIVE_JOIN"})
_RETRIED = frozenset({"FAILED", "CANCELED", "FAILED_WITH_TERMINAL_ERROR", "TIMED_OUT"})


def revive_parents(core: Core, execution: Execution, operation: str) -> None:
    """Runs the parents of a revived execution again, up to the outermost one."""
    path = ""
    while execution.parent_workflow_id is not None and execution.parent_task_id is not None:
        row = core.store.tasks.get(execution.parent_task_id)
        parent = core.store.executions.get(execution.parent_workflow_id)
        if row is None or parent is None or row.spec is None or row.optional or row.retried:
            return
        row.subworkflow_changed = True
        parent.has_revived_child = True
        row.status = "IN_PROGRESS"
        row.reason = None
        stamp(core, row)
        path = f"{execution.short_name} -> {path}" if path else execution.short_name
        core.store.add_log(row.task_id, f"Sub workflow {path} {operation}.", core.now())
        _revive(core, parent)
        decide_execution(core, parent)
        execution = parent


def _revive(core: Core, parent: Execution) -> None:
    parent.status = "RUNNING"
    parent.clear_failure()
    parent.last_retried_time = core.now()
    set_workflow_timer(core, parent)
    queued: list[TaskRow] = []
    for row in parent.tasks:
        if row.task_type == "SUB_WORKFLOW" and row.sub_workflow_id and row.is_terminal and not row.is_successful:
            _revive_sibling(core, row)
        elif row.status == "CANCELED" and row.task_type in {"JOIN", "DO_WHILE"}:
            row.status = "IN_PROGRESS"
            stamp(core, row)
        elif row.status == "CANCELED":
            _reschedule(core, row)
            queued.append(row)
    parent.reindex()
    core.mark_changed(parent)
    for row in queued:
        queue_row(core, row)


def _revive_sibling(core: Core, row: TaskRow) -> None:
    """Revives another sub-workflow of the parent, which ended when the parent did."""
    child = core.store.sub_workflow(row)
    if child is None:
        return
    if child.status != "RUNNING":
        if not any(task.is_terminal and not task.is_successful for task in child.tasks):
            return
        retry_tasks(core, child)
        core.decide_later(child.workflow_id)
    row.status = "IN_PROGRESS"
    row.reason = None
    row.subworkflow_changed = True
    stamp(core, row)


def _reschedule(core: Core, row: TaskRow) -> None:
    row.retry_count += 1
    row.reason = row.worker_id = None
    row.poll_count = row.start_time = row.end_time = 0
    row.scheduled_time = core.now()
    row.retried = row.executed = False
    row.status = "SCHEDULED"
    stamp(core, row)


def retry_tasks(core: Core, execution: Execution) -> None:
    """Gives each failed or cancelled task another attempt. Joins and loops continue with the same row.

    Raises:
        Conflict: No task can be retried.
    """
    execution.reindex()
    chosen, in_place = _choose(execution)
    if not chosen and execution.status != "TIMED_OUT":
        msg = "There are no retryable tasks! Use restart if you want to attempt entire workflow execution again."
        raise Conflict(msg)
    for row in in_place:
        _reopen(core, execution, row)
    execution.status = "RUNNING"
    execution.last_retried_time = core.now()
    execution.reason = None
    core.mark_changed(execution)
    set_workflow_timer(core, execution)
    rows = [_retry_row(core, execution, row) for row in chosen]
    fresh = add_new(execution, [row for row in rows if row.retried_task_id is not None or row.seq == 0])
    for row in execution.tasks:
        stamp(core, row)
    # The server schedules the rows that continue in place too, which only sets their start times again.
    schedule(core, execution, fresh)
    for row in rows:
        if row.task_type in _IN_PLACE:
            execution.touch(row)
            queue_row(core, row)


def _choose(execution: Execution) -> tuple[list[TaskRow], list[TaskRow]]:
    """Returns the rows to retry in their order, the last of each name; and the joins and loops to reopen."""
    chosen: dict[str, TaskRow] = {}
    in_place: list[TaskRow] = []
    for row in execution.tasks:
        status = row.status
        if (status == "FAILED" and row.task_type in _JOINS and _joined_permissive(execution, row)) or (
            status == "CANCELED" and row.task_type in {"JOIN", "DO_WHILE"}
        ):
            in_place.append(row)
        elif status in _RETRIED:
            chosen[row.reference_name] = row
        else:
            chosen.pop(row.reference_name, None)
    return sorted(chosen.values(), key=lambda row: row.seq), in_place


def _reopen(core: Core, execution: Execution, row: TaskRow) -> None:
    row.status = "IN_PROGRESS"
    execution.touch(row)
    queue_row(core, row)


def _joined_permissive(execution: Execution, row: TaskRow) -> bool:
    names: list[str] = row.input.get("joinOn") or []
    rows = [execution.latest.get(name) for name in names]
    return any(task is not None and task.permissive and not task.optional and task.status == "FAILED" for task in rows)


def _retry_row(core: Core, execution: Execution, row: TaskRow) -> TaskRow:
    """Returns the row to continue with: the same one for loops, forks and joins, a new attempt for the others."""
    if row.task_type in _IN_PLACE:
        row.retried = False
        row.retry_count += 1
        row.status = "IN_PROGRESS"
        execution.attempts.add((row.reference_name, row.retry_count))
        execution.touch(row)
        return row
    attempt = next_attempt(core, row)
    attempt.reason = None
    attempt.start_delay = row.start_delay
    if row.spec is not None:
        values = evaluate(
            core, execution, row.spec.input_parameters, definition=row.definition, task_id=attempt.task_id
        )
        attempt.input = {**attempt.input, **values}
        attempt.input.pop("subWorkflowId", None)
        row.input = {**row.input, **values}  # on the server, both attempts share one map
    row.retried = row.executed = True
    return attempt

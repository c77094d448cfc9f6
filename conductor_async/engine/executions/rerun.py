"""Running an execution again from a task: later tasks are removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.decider.loop import decide_execution
from conductor_async.engine.errors import Conflict
from conductor_async.engine.executions.revival import revive_parents
from conductor_async.engine.rows.kind import system_kind
from conductor_async.engine.rows.making import make_rows
from conductor_async.engine.rows.queueing import queue_row
from conductor_async.engine.rows.scheduling import add_new, schedule
from conductor_async.engine.rows.stamping import stamp
from conductor_async.engine.rows.timeout_timers import set_workflow_timer

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.task_row import TaskRow
    from conductor_async.models import JsonObject

__all__ = ["rerun"]


def rerun(
    core: Core,
    execution: Execution,
    task_id: str | None,
    *,
    task_input: JsonObject | None = None,
    workflow_input: JsonObject | None = None,
    correlation_id: str | None = None,
) -> bool:
    """Runs an execution again from a task, also one of a sub-workflow, or from the start.

    Returns:
        Whether there is such a task.

    Raises:
        Conflict: The execution is still running.
    """
    if not execution.is_terminal:
        name = f"{execution.short_name}.{execution.status}"
        msg = f"Workflow: {name} is not in terminal state, unable to rerun."
        raise Conflict(msg)
    if task_id is None:
        _remove_tasks(core, execution.tasks)
        execution.replace_tasks([])
        _reopen_execution(core, execution, workflow_input, correlation_id)
        decide_execution(core, execution)
        revive_parents(core, execution, "reran")
        return True
    own = next((task for task in execution.tasks if task.task_id == task_id), None)
    row = own or _rerun_in_child(core, execution, task_id, task_input)
    if row is None:
        return False
    _reopen_execution(core, execution, workflow_input, correlation_id)
    if own is None:
        _wait_for_child(core, execution, row)
    elif row.task_type == "SUB_WORKFLOW":
        _restart_child(core, execution, row)
    else:
        _rerun_from(core, execution, row, task_input)
    return True


def _remove_tasks(core: Core, rows: list[TaskRow]) -> None:
    for row in rows:
        core.queues.remove(row.queue, row.task_id)
        core.store.remove_task(row)


def _rerun_in_child(core: Core, execution: Execution, task_id: str, task_input: JsonObject | None) -> TaskRow | None:
    """Reruns the sub-workflow that has the task. Returns its SUB_WORKFLOW row; None if no sub-workflow has it."""
    for task in execution.tasks:
        child = core.store.sub_workflow(task)
        if child is not None and rerun(core, child, task_id, task_input=task_input):
            return task
    return None


def _reopen_execution(
    core: Core, execution: Execution, workflow_input: JsonObject | None, correlation_id: str | None
) -> None:
    execution.status = "RUNNING"
    execution.clear_failure()
    if correlation_id is not None:
        execution.correlation_id = correlation_id
        core.store.index_correlation(execution)
    if workflow_input is not None:
        execution.input = workflow_input
    core.mark_changed(execution)
    set_workflow_timer(core, execution)


def _wait_for_child(core: Core, execution: Execution, row: TaskRow) -> None:
    """Puts a SUB_WORKFLOW task in progress again: its sub-workflow was rerun."""
    row.scheduled_time = row.start_time = core.now()
    row.update_time = row.end_time = row.poll_count = 0
    row.retried = row.executed = False
    row.status = "IN_PROGRESS"
    row.reason = None
    stamp(core, row)
    execution.reindex()
    decide_execution(core, execution)


def _reset(core: Core, row: TaskRow) -> None:
    row.scheduled_time = core.now()
    row.start_time = row.update_time = row.end_time = row.poll_count = row.next_check = 0
    row.output = {}
    row.retried = row.executed = False


def _restart_child(core: Core, execution: Execution, row: TaskRow) -> None:
    _reset(core, row)
    row.sub_workflow_id = row.reason = None
    row.status = "SCHEDULED"
    kind = system_kind(row)
    if kind is not None:
        kind.start(core, execution, row)
    stamp(core, row)
    _continue(core, execution, row)


def _rerun_from(core: Core, execution: Execution, row: TaskRow, task_input: JsonObject | None) -> None:
    _remove_tasks(core, [task for task in execution.tasks if task.seq > row.seq])
    execution.replace_tasks([task for task in execution.tasks if task.seq <= row.seq])
    _reset(core, row)
    if task_input is not None:
        row.input = task_input
    kind = system_kind(row)
    if kind is not None and not kind.is_async:
        kind.start(core, execution, row)
        if row.is_terminal and kind.type not in {"SWITCH", "DECISION"}:
            row.status = "IN_PROGRESS"
    else:
        row.status = "SCHEDULED"
    stamp(core, row)
    execution.reindex()
    if row.status == "SCHEDULED":
        queue_row(core, row)
    _continue(core, execution, row)


def _continue(core: Core, execution: Execution, row: TaskRow) -> None:
    """Reopens the other failed tasks, then decides."""
    if row.task_type == "FORK" and row.spec is not None and row.spec.type == "FORK_JOIN_DYNAMIC":
        core.store.remove_task(row)
        execution.replace_tasks([task for task in execution.tasks if task is not row])
        schedule(core, execution, add_new(execution, make_rows(core, execution, row.spec)))
    else:
        queued = [
            task
            for task in execution.tasks
            if task.is_terminal and not task.is_successful and task.reference_name != row.reference_name
        ]
        for task in queued:
            _reopen(core, task)
        execution.reindex()
        for task in queued:
            if task.status == "SCHEDULED":
                queue_row(core, task)
    decide_execution(core, execution)
    revive_parents(core, execution, "reran")


def _reopen(core: Core, row: TaskRow) -> None:
    if row.task_type == "SUB_WORKFLOW":
        row.sub_workflow_id = None
        row.output = {key: value for key, value in row.output.items() if key != "subWorkflowId"}
    kind = system_kind(row)
    stays = row.task_type in {"JOIN", "DO_WHILE"} or (kind is not None and not kind.is_async)
    row.status = "IN_PROGRESS" if stays else "SCHEDULED"
    row.executed = False
    row.start_time = core.now()
    row.end_time = 0
    row.reason = None
    stamp(core, row)

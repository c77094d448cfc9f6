"""Running an execution again from a task on: what came later is forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.decider.loop import decide_execution
from conductor_async.engine.decider.scheduling import add_new, put_in_queue, rows_for, schedule, stamp
from conductor_async.engine.decider.timeouts import watch_workflow
from conductor_async.engine.errors import Conflict
from conductor_async.engine.executions.revival import push_parents
from conductor_async.engine.task_kinds.base import system_kind

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.execution import Execution, TaskRow
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
    """Run again from a task, also one of a sub-workflow, or from the start. Whether there is such a task.

    Raises:
        Conflict: The execution is still running.
    """
    if not execution.is_terminal:
        name = f"{execution.short_name}.{execution.status}"
        msg = f"Workflow: {name} is not in terminal state, unable to rerun."
        raise Conflict(msg)
    row: TaskRow | None = None
    if task_id is not None:
        row = next((task for task in execution.tasks if task.task_id == task_id), None)
        direct = row is not None
        if row is None:
            row = _in_children(core, execution, task_id, task_input)
        if row is None:
            return False
        _run_again(core, execution, workflow_input, correlation_id)
        if not direct:
            _child_runs(core, execution, row)
        elif row.task_type == "SUB_WORKFLOW":
            _start_child_again(core, execution, row)
        else:
            _from_row(core, execution, row, task_input)
        return True
    for task in execution.tasks:
        core.queues.remove(task.queue, task.task_id)
        core.store.forget_task(task)
    execution.replace_tasks([])
    _run_again(core, execution, workflow_input, correlation_id)
    decide_execution(core, execution)
    push_parents(core, execution, "reran")
    return True


def _in_children(core: Core, execution: Execution, task_id: str, task_input: JsonObject | None) -> TaskRow | None:
    """The SUB_WORKFLOW row in whose execution the task is; that is run again already."""
    for task in execution.tasks:
        child = core.store.executions.get(task.sub_workflow_id or "") if task.task_type == "SUB_WORKFLOW" else None
        if child is not None and rerun(core, child, task_id, task_input=task_input):
            return task
    return None


def _run_again(core: Core, execution: Execution, workflow_input: JsonObject | None, correlation_id: str | None) -> None:
    execution.status = "RUNNING"
    execution.reason = execution.failed_task_id = None
    execution.failed_reference_names = {}
    execution.failed_task_names = {}
    if correlation_id is not None:
        execution.correlation_id = correlation_id
        core.store.index_correlation(execution)
    if workflow_input is not None:
        execution.input = workflow_input
    core.mark_changed(execution)
    watch_workflow(core, execution)


def _child_runs(core: Core, execution: Execution, row: TaskRow) -> None:
    """The task in question belongs to a sub-workflow, which runs again: its parent's task waits for it."""
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


def _start_child_again(core: Core, execution: Execution, row: TaskRow) -> None:
    _reset(core, row)
    row.sub_workflow_id = row.reason = None
    row.status = "SCHEDULED"
    kind = system_kind(row)
    if kind is not None:
        kind.start(core, execution, row)
    stamp(core, row)
    _finish(core, execution, row)


def _from_row(core: Core, execution: Execution, row: TaskRow, task_input: JsonObject | None) -> None:
    kept: list[TaskRow] = []
    for task in execution.tasks:
        if task.seq > row.seq:
            core.queues.remove(task.queue, task.task_id)
            core.store.forget_task(task)
        else:
            kept.append(task)
    execution.replace_tasks(kept)
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
        put_in_queue(core, row)
    _finish(core, execution, row)


def _finish(core: Core, execution: Execution, row: TaskRow) -> None:
    """Bring back what had gone wrong beside the task, then go on."""
    if row.task_type == "FORK" and row.spec is not None and row.spec.type == "FORK_JOIN_DYNAMIC":
        core.store.forget_task(row)
        execution.replace_tasks([task for task in execution.tasks if task is not row])
        schedule(core, execution, add_new(execution, rows_for(core, execution, row.spec)))
    else:
        queued = [
            task
            for task in execution.tasks
            if task.is_terminal and not task.is_successful and task.reference_name != row.reference_name
        ]
        for task in queued:
            _bring_back(core, task)
        execution.reindex()
        for task in queued:
            if task.status == "SCHEDULED":
                put_in_queue(core, task)
    decide_execution(core, execution)
    push_parents(core, execution, "reran")


def _bring_back(core: Core, row: TaskRow) -> None:
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

"""Executions that had ended come back to life: their failed tasks get another attempt, and their parents run again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.decider.loop import decide_execution
from conductor_async.engine.decider.retries import fresh_attempt
from conductor_async.engine.decider.scheduling import add_new, put_in_queue, schedule, stamp
from conductor_async.engine.decider.timeouts import watch_workflow
from conductor_async.engine.errors import Conflict
from conductor_async.engine.expressions.inputs import evaluate

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.execution import Execution, TaskRow

__all__ = ["push_parents", "retry_tasks"]

_JOINS = frozenset({"JOIN", "EXCLUSIVE_JOIN"})
_IN_PLACE = frozenset({"DO_WHILE", "FORK_JOIN", "JOIN", "EXCLUSIVE_JOIN"})
_GONE_WRONG = frozenset({"FAILED_WITH_TERMINAL_ERROR", "TIMED_OUT"})


def push_parents(core: Core, execution: Execution, operation: str) -> None:
    """Bring the parents of a revived execution back to life, up to the first."""
    told = ""
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
        told = f"{execution.short_name} -> {told}" if told else execution.short_name
        line = {"log": f"Sub workflow {told} {operation}.", "taskId": row.task_id, "createdTime": core.now()}
        core.store.logs.setdefault(row.task_id, []).append(line)
        _revive(core, parent)
        decide_execution(core, parent)
        execution = parent


def _revive(core: Core, parent: Execution) -> None:
    parent.status = "RUNNING"
    parent.reason = parent.failed_task_id = None
    parent.failed_reference_names = {}
    parent.failed_task_names = {}
    parent.last_retried_time = core.now()
    watch_workflow(core, parent)
    queued: list[TaskRow] = []
    for row in parent.tasks:
        if row.task_type == "SUB_WORKFLOW" and row.sub_workflow_id and row.is_terminal and not row.is_successful:
            _revive_sibling(core, row)
        elif row.status == "CANCELED" and row.task_type in {"JOIN", "DO_WHILE"}:
            row.status = "IN_PROGRESS"
            stamp(core, row)
        elif row.status == "CANCELED":
            _schedule_again(core, row)
            queued.append(row)
    parent.reindex()
    core.mark_changed(parent)
    for row in queued:
        put_in_queue(core, row)


def _revive_sibling(core: Core, row: TaskRow) -> None:
    """A sub-workflow beside the revived one that was ended with the parent goes on as well."""
    child = core.store.executions.get(row.sub_workflow_id or "")
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


def _schedule_again(core: Core, row: TaskRow) -> None:
    row.retry_count += 1
    row.reason = row.worker_id = None
    row.poll_count = row.start_time = row.end_time = 0
    row.scheduled_time = core.now()
    row.retried = row.executed = False
    row.status = "SCHEDULED"
    stamp(core, row)


def retry_tasks(core: Core, execution: Execution) -> None:
    """Give each task that failed or was cancelled another attempt. Joins and loops go on in place.

    Raises:
        Conflict: There is nothing to retry.
    """
    execution.reindex()
    chosen: dict[str, TaskRow] = {}
    in_place: list[TaskRow] = []
    for row in execution.tasks:
        status = row.status
        if (status == "FAILED" and row.task_type in _JOINS and _joined_permissive(execution, row)) or (
            status == "CANCELED" and row.task_type in {"JOIN", "DO_WHILE"}
        ):
            in_place.append(row)
        elif status in {"FAILED", "CANCELED"} or status in _GONE_WRONG:
            chosen[row.reference_name] = row
        else:
            chosen.pop(row.reference_name, None)
    if not chosen and execution.status != "TIMED_OUT":
        msg = "There are no retryable tasks! Use restart if you want to attempt entire workflow execution again."
        raise Conflict(msg)
    for row in in_place:
        _go_on(core, execution, row)
    execution.status = "RUNNING"
    execution.last_retried_time = core.now()
    execution.reason = None
    core.mark_changed(execution)
    watch_workflow(core, execution)
    rows = [_again(core, execution, row) for row in sorted(chosen.values(), key=lambda row: row.seq)]
    fresh = add_new(execution, [row for row in rows if row.retried_task_id is not None or row.seq == 0])
    for row in execution.tasks:
        stamp(core, row)
    # The server schedules those that go on in place too; all that this does for them is to start their clocks.
    schedule(core, execution, fresh)
    for row in rows:
        if row.task_type in _IN_PLACE:
            execution.touch(row)
            put_in_queue(core, row)


def _go_on(core: Core, execution: Execution, row: TaskRow) -> None:
    row.status = "IN_PROGRESS"
    execution.touch(row)
    put_in_queue(core, row)


def _joined_permissive(execution: Execution, row: TaskRow) -> bool:
    names: list[str] = row.input.get("joinOn") or []
    rows = [execution.latest.get(name) for name in names]
    return any(task is not None and task.permissive and not task.optional and task.status == "FAILED" for task in rows)


def _again(core: Core, execution: Execution, row: TaskRow) -> TaskRow:
    """The row to go on with: the same one for containers and joins, a new attempt for the others."""
    if row.task_type in _IN_PLACE:
        row.retried = False
        row.retry_count += 1
        row.status = "IN_PROGRESS"
        execution.attempts.add((row.reference_name, row.retry_count))
        execution.touch(row)
        return row
    attempt = fresh_attempt(core, row)
    attempt.reason = None
    attempt.start_delay = row.start_delay
    if row.spec is not None:
        values = evaluate(
            core, execution, row.spec.input_parameters, definition=row.definition, task_id=attempt.task_id
        )
        attempt.input = {**attempt.input, **values}
        attempt.input.pop("subWorkflowId", None)
        row.input = {**row.input, **values}  # on the server both attempts have one and the same map
    row.retried = row.executed = True
    return attempt

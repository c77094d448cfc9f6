"""Operations on executions: pause, resume, skip, restart, retry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.decider.loop import decide_execution
from conductor_async.engine.errors import Conflict, NotFound, Refused
from conductor_async.engine.executions.revival import retry_tasks, revive_parents
from conductor_async.engine.rows.kind import is_system
from conductor_async.engine.rows.stamping import stamp
from conductor_async.engine.rows.timeout_timers import set_workflow_timer
from conductor_async.engine.state.task_row import TaskRow

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.execution import Execution
    from conductor_async.models import JsonObject

__all__ = ["pause", "reset_callbacks", "restart", "resume", "retry_execution", "skip"]


def pause(core: Core, execution: Execution) -> None:
    """Pauses an execution. Nothing more is scheduled; scheduled tasks can still be polled and completed."""
    if execution.is_terminal:
        msg = f"Workflow {execution.short_name} has ended, status cannot be updated."
        raise Conflict(msg)
    if execution.status != "PAUSED":
        execution.status = "PAUSED"
        core.mark_changed(execution)


def resume(core: Core, execution: Execution) -> None:
    """Resumes an execution. The workflow's timeout starts again."""
    if execution.status != "PAUSED":
        msg = (
            f"The workflow {execution.workflow_id} is not PAUSED so cannot resume. Current status is {execution.status}"
        )
        raise Refused(msg)
    execution.status = "RUNNING"
    execution.last_retried_time = core.now()
    core.mark_changed(execution)
    set_workflow_timer(core, execution)
    for row in execution.open.values():
        execution.touch(row)  # timeouts that were over during the pause count now
    decide_execution(core, execution)


def skip(
    core: Core, execution: Execution, reference_name: str, task_input: JsonObject, task_output: JsonObject
) -> None:
    """Skips a task that has not been scheduled, by adding a row for it that is SKIPPED."""
    if execution.status != "RUNNING":
        msg = (
            f"The workflow {execution.workflow_id} is not running so the task referenced by {reference_name} "
            "cannot be skipped"
        )
        raise Refused(msg)
    spec = execution.definition.by_reference.get(reference_name)
    if spec is None:
        msg = (
            f"The task referenced by {reference_name} does not exist in the WorkflowDefinition "
            f"{execution.definition.name}"
        )
        raise Refused(msg)
    if reference_name in execution.latest:
        msg = f"The task referenced {reference_name} has already been processed, cannot be skipped"
        raise Refused(msg)
    now = core.now()
    row = TaskRow(
        task_id=core.ids.new(),
        task_type=spec.name,
        status="SKIPPED",
        reference_name=reference_name,
        workflow_id=execution.workflow_id,
        workflow_type="",
        spec=None,
        priority=execution.priority,
        correlation_id=execution.correlation_id,
        scheduled_time=now,
        end_time=now,
        input=task_input,
        output=task_output,
    )
    core.store.tasks[row.task_id] = row
    execution.tasks.insert(sum(task.seq == 0 for task in execution.tasks), row)
    execution.reindex()
    core.mark_changed(execution)
    decide_execution(core, execution)


def reset_callbacks(core: Core, execution: Execution) -> None:
    """Makes tasks ready that wait for their callback time."""
    if execution.is_terminal:
        msg = f"Workflow is in terminal state. Status = {execution.status}"
        raise Conflict(msg)
    for row in execution.open.values():
        if not is_system(row) and row.status == "SCHEDULED" and row.callback_after > 0:
            row.callback_after = 0
            core.enqueue(row, 0)
            stamp(core, row)


def restart(core: Core, execution: Execution, use_latest_definitions: bool) -> None:
    """Runs an execution again from the start, with the same input. As on the server, variables keep their values."""
    name = f"{execution.short_name}.{execution.status}"
    if not execution.is_terminal:
        msg = f"Workflow: {name} is not in terminal state, unable to restart."
        raise Conflict(msg)
    definition = execution.definition
    if use_latest_definitions:
        if core.metadata.find_workflow(definition.name, None) is None:
            msg = f"Unable to find latest definition for {execution.workflow_id}"
            raise NotFound(msg)
        definition = core.metadata.snapshot(definition.name, None)
    if not definition.wire["restartable"] and execution.status == "COMPLETED":
        msg = f"Workflow: {name} is non-restartable"
        raise NotFound(msg)
    for row in execution.tasks:
        core.store.remove_task(row)
    execution.definition = definition
    execution.replace_tasks([])
    execution.reason = execution.failed_task_id = None
    execution.create_time = core.now()
    execution.end_time = execution.last_retried_time = 0
    execution.status = "RUNNING"
    execution.output = {}
    core.mark_changed(execution)
    set_workflow_timer(core, execution)
    decide_execution(core, execution)
    revive_parents(core, execution, "restarted")


def retry_execution(core: Core, execution: Execution, resume_subworkflow_tasks: bool) -> None:
    """Retries the failed tasks of an execution, or of the sub-workflow that failed it."""
    if not execution.is_terminal:
        msg = f"Workflow is still running.  status={execution.status}"
        raise NotFound(msg)
    if not execution.tasks:
        msg = "Workflow has not started yet"
        raise Conflict(msg)
    if resume_subworkflow_tasks:
        failed = _first_failed(execution)
        if failed is None:
            return
        execution = _failed_child(core, failed, execution)
    retry_tasks(core, execution)
    revive_parents(core, execution, "retried")
    decide_execution(core, execution)


def _first_failed(execution: Execution) -> TaskRow | None:
    return next((row for row in execution.tasks if row.is_terminal and not row.is_successful), None)


def _failed_child(core: Core, row: TaskRow, execution: Execution) -> Execution:
    """Returns the innermost execution with a failed task. As on the server, the first failed attempt decides."""
    if row.task_type == "DO_WHILE":
        children = [task for task in execution.tasks if task.task_type == "SUB_WORKFLOW"]
        inner = next((task for task in children if task.is_terminal and not task.is_successful), None)
        return _failed_child(core, inner, execution) if inner is not None else execution
    if row.task_type != "SUB_WORKFLOW":
        return execution
    child = core.store.sub_workflow(row)
    failed = _first_failed(child) if child is not None else None
    return _failed_child(core, failed, child) if child is not None and failed is not None else execution

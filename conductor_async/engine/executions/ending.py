"""How an execution ends: completed, or terminated for a reason; and what that means for those around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async._language.expressions import is_blank
from conductor_async.engine.decider.scheduling import stamp
from conductor_async.engine.errors import Conflict, EngineError, Refused, WorkflowHalted
from conductor_async.engine.executions.starting import create
from conductor_async.engine.expressions.java_values import java_class
from conductor_async.engine.expressions.outputs import update_output
from conductor_async.engine.json_kinds import is_array, is_object
from conductor_async.engine.state.execution import TERMINAL
from conductor_async.engine.task_kinds.base import system_kind
from conductor_async.engine.views.rendering import execution_model

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.execution import Execution, TaskRow

__all__ = ["cancel_open_tasks", "complete", "end", "halt", "terminate", "terminate_by_hand"]


def end(core: Core, execution: Execution, terminate_row: TaskRow | None) -> None:
    """End an execution in which nothing is left to do, or in which a TERMINATE task has said so.

    Raises:
        Refused: The reason to terminate is no text, over which the server stumbles as well.
    """
    if terminate_row is None:
        complete(core, execution)
    else:
        status = terminate_row.input.get("terminationStatus")
        reason = terminate_row.input.get("terminationReason")
        if not isinstance(reason, str | None):
            raise Refused(_no_text(_class_of_reason(terminate_row)))
        if reason is None or is_blank(reason):
            reason = f"Workflow is {status} by TERMINATE task: {terminate_row.task_id}"
        if status in {"FAILED", "TERMINATED"}:
            halt(core, execution, WorkflowHalted(reason, status, terminate_row))
        else:
            execution.reason = reason
            complete(core, execution)
    cancel_open_tasks(core, execution)


def _class_of_reason(row: TaskRow) -> str:
    """The Java class of a reason: lists and objects of the definition itself are made anew by what evaluates them."""
    given = row.spec.input_parameters.get("terminationReason") if row.spec is not None else None
    if is_object(given):
        return "java.util.HashMap"
    if is_array(given):
        return "java.util.LinkedList"
    return java_class(row.input.get("terminationReason"))


def _no_text(name: str) -> str:
    text = "java.lang.String"
    java = "module java.base of loader 'bootstrap'"
    if name.startswith("java."):
        where = f"{name} and {text} are in {java}"
    else:
        where = f"{name} is in unnamed module of loader 'app'; {text} is in {java}"
    return f"class {name} cannot be cast to class {text} ({where})"


def complete(core: Core, execution: Execution) -> None:
    """End an execution that has done all it had to."""
    update_output(core, execution)
    execution.status = "COMPLETED"
    _note_failed_tasks(execution)
    _ended(core, execution)
    _tell_parent(core, execution)


def halt(core: Core, execution: Execution, halted: WorkflowHalted) -> None:
    """End an execution that cannot go on, and start its failure workflow."""
    if not execution.is_terminal:
        execution.status = halted.workflow_status
    if halted.task is not None:
        execution.failed_task_id = execution.failed_task_id or halted.task.task_id
        stamp(core, halted.task)
        execution.touch(halted.task)
    definition = execution.definition.wire
    failure_workflow = definition.get("failureWorkflow")
    if failure_workflow is not None and failure_workflow.startswith("$"):
        failure_workflow = execution.input.get(failure_workflow.split(".")[2])
    terminate(core, execution, halted.message)
    if isinstance(failure_workflow, str) and failure_workflow.strip():
        _start_failure_workflow(core, execution, failure_workflow, definition.get("failureWorkflowVersion"))


def terminate(core: Core, execution: Execution, reason: str | None) -> None:
    """End an execution now: what is open in it is cancelled, and so are its sub-workflows."""
    if not execution.is_terminal:
        execution.status = "TERMINATED"
    update_output(core, execution)
    _note_failed_tasks(execution)
    execution.reason = reason
    cancel_open_tasks(core, execution)
    _ended(core, execution)
    for row in execution.tasks:
        core.queues.remove(row.queue, row.task_id)
    _tell_parent(core, execution)


def terminate_by_hand(core: Core, execution: Execution, reason: str | None) -> None:
    """End an execution because somebody asked for it. No failure workflow is started."""
    if execution.status == "COMPLETED":
        msg = "Cannot terminate a COMPLETED workflow."
        raise Conflict(msg)
    if execution.status != "TERMINATED":
        execution.status = "TERMINATED"
        terminate(core, execution, reason)


def cancel_open_tasks(core: Core, execution: Execution) -> None:
    """Cancel what has not ended."""
    for row in sorted(execution.open.values(), key=lambda row: row.seq):
        if row.status in TERMINAL:
            continue
        row.status = "CANCELED"
        kind = system_kind(row)
        if kind is not None:
            kind.cancel(core, execution, row)
        stamp(core, row)
        execution.touch(row)


def _ended(core: Core, execution: Execution) -> None:
    core.mark_changed(execution)
    execution.end_time = core.now()
    core.store.messages.pop(execution.workflow_id, None)


def _note_failed_tasks(execution: Execution) -> None:
    for row in execution.tasks:
        if row.status in {"FAILED", "FAILED_WITH_TERMINAL_ERROR"}:
            execution.failed_reference_names[row.reference_name] = None
            execution.failed_task_names[row.task_def_name or ""] = None


def _tell_parent(core: Core, execution: Execution) -> None:
    """The task of the parent that started this takes over the outcome."""
    if execution.parent_workflow_id is None or execution.parent_task_id is None:
        return
    parent = core.store.executions.get(execution.parent_workflow_id)
    row = core.store.tasks.get(execution.parent_task_id)
    if parent is None or row is None:
        return
    kind = system_kind(row)
    if parent.is_terminal or kind is None:
        return  # the parent has ended first, and this with it: its task stays as it was cancelled
    kind.execute(core, parent, row)
    stamp(core, row)
    parent.touch(row)
    core.decide_later(parent.workflow_id)


def _start_failure_workflow(core: Core, execution: Execution, name: str, version: int | None) -> None:
    values = {
        **execution.input,
        "workflowId": execution.workflow_id,
        "reason": execution.reason,
        "failureStatus": execution.status,
        "failedWorkflow": execution_model(execution),
    }
    if execution.failed_task_id is not None:
        values["failureTaskId"] = execution.failed_task_id
    try:
        started = create(
            core,
            core.metadata.snapshot(name, version),
            values,
            correlation_id=execution.correlation_id,
            task_to_domain=execution.task_to_domain,
        )
        core.decide_later(started.workflow_id)
        outcome = started.workflow_id
    except EngineError as error:
        outcome = f"Error workflow {name} failed to start.  reason: {error.message}"
    execution.output = {**execution.output, "conductor.failure_workflow": outcome}

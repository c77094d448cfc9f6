"""How an execution ends, and what that means for its open tasks, its sub-workflows and its parent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async._language.expressions import is_blank
from conductor_async.engine.decider.output import update_output
from conductor_async.engine.errors import Conflict, EngineError, Refused, WorkflowHalted
from conductor_async.engine.expressions.java_values import java_class
from conductor_async.engine.json_kinds import is_array, is_object
from conductor_async.engine.rows.executions import new_execution
from conductor_async.engine.rows.kind import system_kind
from conductor_async.engine.rows.rendering import execution_model
from conductor_async.engine.rows.stamping import stamp
from conductor_async.engine.state.task_row import TERMINAL

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.task_row import TaskRow

__all__ = ["cancel_open_tasks", "end", "halt", "terminate_by_hand"]


def end(core: Core, execution: Execution, terminate_row: TaskRow | None) -> None:
    """Ends an execution that is complete, or that a TERMINATE task ends.

    Raises:
        Refused: The reason of the TERMINATE task is no string: the real server fails with the same error.
    """
    if terminate_row is None:
        _complete(core, execution)
    else:
        _end_by_task(core, execution, terminate_row)
    cancel_open_tasks(core, execution)


def _end_by_task(core: Core, execution: Execution, row: TaskRow) -> None:
    status = row.input.get("terminationStatus")
    reason = row.input.get("terminationReason")
    if not isinstance(reason, str | None):
        raise Refused(_cast_error(_java_class_of_reason(row)))
    if reason is None or is_blank(reason):
        reason = f"Workflow is {status} by TERMINATE task: {row.task_id}"
    if status in {"FAILED", "TERMINATED"}:
        halt(core, execution, WorkflowHalted(reason, status, row.task_id))
    else:
        execution.reason = reason
        _complete(core, execution)


def _java_class_of_reason(row: TaskRow) -> str:
    """Returns the Java class of a reason. Evaluation copies lists and objects of the definition, with other classes."""
    given = row.spec.input_parameters.get("terminationReason") if row.spec is not None else None
    if is_object(given):
        return "java.util.HashMap"
    if is_array(given):
        return "java.util.LinkedList"
    return java_class(row.input.get("terminationReason"))


def _cast_error(name: str) -> str:
    text = "java.lang.String"
    java = "module java.base of loader 'bootstrap'"
    if name.startswith("java."):
        where = f"{name} and {text} are in {java}"
    else:
        where = f"{name} is in unnamed module of loader 'app'; {text} is in {java}"
    return f"class {name} cannot be cast to class {text} ({where})"


def _complete(core: Core, execution: Execution) -> None:
    update_output(core, execution)
    execution.status = "COMPLETED"
    _list_failed_tasks(execution)
    _note_end(core, execution)
    _update_parent(core, execution)


def halt(core: Core, execution: Execution, halted: WorkflowHalted) -> None:
    """Ends an execution that cannot continue, and starts its failure workflow."""
    if not execution.is_terminal:
        execution.status = halted.workflow_status
    if halted.task_id is not None:
        execution.failed_task_id = execution.failed_task_id or halted.task_id
        row = core.store.task(halted.task_id)
        stamp(core, row)
        execution.touch(row)
    definition = execution.definition.wire
    failure_workflow = definition.get("failureWorkflow")
    if failure_workflow is not None and failure_workflow.startswith("$"):
        failure_workflow = execution.input.get(failure_workflow.split(".")[2])
    _terminate(core, execution, halted.message)
    if isinstance(failure_workflow, str) and failure_workflow.strip():
        _start_failure_workflow(core, execution, failure_workflow, definition.get("failureWorkflowVersion"))


def _terminate(core: Core, execution: Execution, reason: str | None) -> None:
    """Ends an execution now. Its open tasks are cancelled, and so are their sub-workflows."""
    if not execution.is_terminal:
        execution.status = "TERMINATED"
    update_output(core, execution)
    _list_failed_tasks(execution)
    execution.reason = reason
    cancel_open_tasks(core, execution)
    _note_end(core, execution)
    for row in execution.tasks:
        core.queues.remove(row.queue, row.task_id)
    _update_parent(core, execution)


def terminate_by_hand(core: Core, execution: Execution, reason: str | None) -> None:
    """Ends an execution on request. This starts no failure workflow."""
    if execution.status == "COMPLETED":
        msg = "Cannot terminate a COMPLETED workflow."
        raise Conflict(msg)
    if execution.status != "TERMINATED":
        execution.status = "TERMINATED"
        _terminate(core, execution, reason)


def cancel_open_tasks(core: Core, execution: Execution) -> None:
    """Cancels the tasks that have not ended, in their order."""
    for row in execution.open_in_order:
        if row.status in TERMINAL:
            continue
        row.status = "CANCELED"
        _terminate_child(core, execution, row)
        stamp(core, row)
        execution.touch(row)


def _terminate_child(core: Core, execution: Execution, row: TaskRow) -> None:
    child = core.store.sub_workflow(row)
    if child is None or child.is_terminal:
        return
    reason = (
        f"Parent workflow has been terminated with reason: {execution.reason}"
        if execution.reason
        else f"Parent workflow has been terminated with status {execution.status}"
    )
    child.status = "TERMINATED"
    _terminate(core, child, reason)


def _note_end(core: Core, execution: Execution) -> None:
    core.mark_changed(execution)
    execution.end_time = core.now()
    core.store.messages.pop(execution.workflow_id, None)


def _list_failed_tasks(execution: Execution) -> None:
    for row in execution.tasks:
        if row.status in {"FAILED", "FAILED_WITH_TERMINAL_ERROR"}:
            execution.failed_reference_names[row.reference_name] = None
            execution.failed_task_names[row.task_def_name or ""] = None


def _update_parent(core: Core, execution: Execution) -> None:
    """Gives the outcome to the parent's SUB_WORKFLOW task."""
    if execution.parent_workflow_id is None or execution.parent_task_id is None:
        return
    parent = core.store.executions.get(execution.parent_workflow_id)
    row = core.store.tasks.get(execution.parent_task_id)
    if parent is None or row is None:
        return
    kind = system_kind(row)
    if parent.is_terminal or kind is None:
        return  # the parent ended first and ended this one: its task stays CANCELED
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
        started = new_execution(
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

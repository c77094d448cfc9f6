"""The results that workers and others report for a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async._language.names import base_name
from conductor_async.engine.decider.joins import notify_joins
from conductor_async.engine.decider.loop import decide_execution
from conductor_async.engine.errors import Invalid, Refused
from conductor_async.engine.rows.kind import is_system
from conductor_async.engine.rows.stamping import stamp
from conductor_async.engine.rows.timeout_timers import set_timeout_timer
from conductor_async.engine.state.task_row import TERMINAL

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.task_row import TaskRow
    from conductor_async.models import JsonObject

__all__ = ["continue_after_report", "pending_task", "pending_wait", "report", "update"]

# The server's sweeper decides every running execution again after at most 30 seconds.
_SWEEP_MS = 30_000


def update(core: Core, result: JsonObject) -> TaskRow:
    """Takes a result with its defaults. Returns the task, also when it had ended and the result is ignored.

    Raises:
        Invalid: The result names no execution or no task.
        Refused: The result has no status.
        NotFound: There is no such task or execution.
    """
    _check(result)
    task_id: str = result["taskId"]
    if result["extendLease"]:
        return _extend_lease(core, task_id)
    execution = core.store.execution(result["workflowInstanceId"])
    row = core.store.task(task_id)
    if row.status in TERMINAL or execution.is_terminal:
        core.queues.remove(row.queue, row.task_id)
        return row
    status = _status(result)
    output = _copy_to_row(result, execution, row)
    report(core, execution, row, status, output, result.get("reasonForIncompletion"))
    _store_logs(core, row, result.get("logs"))
    continue_after_report(core, core.store.executions[row.workflow_id], row)
    return row


def _status(result: JsonObject) -> str:
    status: str | None = result.get("status")
    if status is None:
        msg = (
            'Cannot invoke "com.netflix.conductor.common.metadata.tasks.TaskResult$Status.name()" because the return '
            'value of "com.netflix.conductor.common.metadata.tasks.TaskResult.getStatus()" is null'
        )
        raise Refused(msg)
    return status


def _copy_to_row(result: JsonObject, execution: Execution, row: TaskRow) -> JsonObject:
    """Copies what a result says beside status and output. Returns the output, empty if it is stored externally."""
    row.output_message = result.get("outputMessage")
    row.worker_id = result.get("workerId")
    row.callback_after = result["callbackAfterSeconds"]
    row.sub_workflow_id = result.get("subWorkflowId")
    external_path = result.get("externalOutputPayloadStoragePath")
    output: JsonObject = result["outputData"]
    if external_path and external_path.strip():
        row.external_output_path, output = external_path, {}
        execution.external_output = external_path
    return output


def report(core: Core, execution: Execution, row: TaskRow, status: str, output: JsonObject, reason: str | None) -> None:
    """Sets status and output of an open task. The caller decides the execution afterwards."""
    if status == "IN_PROGRESS" and not is_system(row) and not row.mocked:
        status = "SCHEDULED"
    row.status = status
    row.reason = reason
    row.output = output
    if status in TERMINAL:
        row.end_time = core.now()
        core.queues.remove(row.queue, row.task_id)
    elif status == "SCHEDULED":
        core.enqueue(row, row.callback_after * 1000)
    stamp(core, row)
    execution.touch(row)
    core.mark_changed(execution)
    set_timeout_timer(core, row)


def continue_after_report(core: Core, execution: Execution, row: TaskRow) -> None:
    """Decides the execution after a task was reported.

    As on the server, a task that a JOIN waits for is left to the JOIN: the execution is decided when the JOIN has
    joined, or with the next report. If such a task is not the last of its branch, what follows it in the branch waits
    for the sweeper.
    """
    name = row.reference_name
    left_to_join = row.iteration == 0 and row.is_successful and name in execution.definition.joined_in_forks
    if left_to_join or not row.is_terminal:
        notify_joins(core, execution, row)
    if not left_to_join:
        decide_execution(core, execution)
        return
    following = execution.definition.next_after(name)
    if row.is_terminal and following is not None and following.type != "JOIN":
        core.timers.add(core.now() + _SWEEP_MS, "workflow", execution.workflow_id)


def _check(result: JsonObject) -> None:
    wanted = (("workflowInstanceId", "Workflow Id"), ("taskId", "Task ID"))
    errors: list[dict[str, object]] = []
    for key, what in wanted:
        if not result.get(key):
            error: dict[str, object] = {"path": f"updateTask.arg0.{key}", "message": f"{what} cannot be null or empty"}
            errors.append(error | {"invalidValue": ""} if result.get(key) == "" else error)
    if errors:
        raise Invalid.of_errors(errors)


def _extend_lease(core: Core, task_id: str) -> TaskRow:
    row = core.store.task(task_id)
    if row.status not in TERMINAL:
        row.update_time = core.now()
        set_timeout_timer(core, row)
    return row


def _store_logs(core: Core, row: TaskRow, logs: list[JsonObject] | None) -> None:
    for entry in logs or []:
        core.store.add_log(row.task_id, entry["log"], entry.get("createdTime", core.now()))


def pending_task(execution: Execution, reference_name: str) -> TaskRow | None:
    """Returns the open task of that name; else the first of that name in any iteration."""
    rows = execution.open_in_order
    for row in rows:
        if row.reference_name == reference_name:
            return row
    for row in rows:
        if base_name(row.reference_name) == reference_name:
            return row
    return None


def pending_wait(core: Core, execution: Execution) -> TaskRow | None:
    """Returns the first open WAIT task, in the execution or in a sub-workflow of it."""
    rows = execution.open_in_order
    for row in rows:
        if row.task_type == "WAIT":
            return row
    for row in rows:
        child = core.store.sub_workflow(row)
        found = pending_wait(core, child) if child is not None else None
        if found is not None:
            return found
    return None

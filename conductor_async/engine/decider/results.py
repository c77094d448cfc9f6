"""What workers and others report of a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conductor_async._language.names import base_name
from conductor_async.engine.decider.loop import decide_execution, tell_joins
from conductor_async.engine.decider.scheduling import stamp
from conductor_async.engine.decider.timeouts import watch
from conductor_async.engine.errors import Invalid, Refused
from conductor_async.engine.state.execution import TERMINAL
from conductor_async.engine.task_kinds.base import is_system

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.execution import Execution, TaskRow
    from conductor_async.models import JsonObject

__all__ = ["RESULT_STATUSES", "pending_task", "pending_wait", "report", "settle", "update"]

RESULT_STATUSES: Final = ("CANCELED", "COMPLETED", "FAILED_WITH_TERMINAL_ERROR", "FAILED", "IN_PROGRESS")
"""What a report can say of a task."""

_SWEPT_MS = 30_000
"""How long an execution of the server rests at most before somebody looks at it."""

_VALIDATION_FAILED = "Validation failed, check below errors for detail."


def update(core: Core, result: JsonObject) -> TaskRow:
    """Take a report as it comes over the wire. Returns the task, whether or not the report counted.

    Raises:
        Invalid: The report does not say what it is about.
        Refused: It says nothing that a task can be.
        NotFound: There is no such task or execution.
    """
    _check(result)
    task_id = str(result["taskId"])
    if result.get("extendLease"):
        return _extend_lease(core, task_id)
    execution = core.store.execution(str(result["workflowInstanceId"]))
    row = core.store.task(task_id)
    if row.status in TERMINAL or execution.is_terminal:
        core.queues.remove(row.queue, row.task_id)
        return row
    status = result.get("status")
    if status is None:
        msg = (
            'Cannot invoke "com.netflix.conductor.common.metadata.tasks.TaskResult$Status.name()" because the return '
            'value of "com.netflix.conductor.common.metadata.tasks.TaskResult.getStatus()" is null'
        )
        raise Refused(msg)
    row.output_message = result.get("outputMessage")
    row.worker_id = result.get("workerId")
    row.callback_after = int(result.get("callbackAfterSeconds") or 0)
    row.sub_workflow_id = result.get("subWorkflowId")
    outside = result.get("externalOutputPayloadStoragePath")
    output: JsonObject = result.get("outputData") or {}
    if outside and outside.strip():
        row.external_output_path, output = outside, {}
        execution.output_outside = outside
    if result.get("executionMetadata"):
        row.execution_metadata = result["executionMetadata"]
    report(core, execution, row, status, output, result.get("reasonForIncompletion"))
    _keep_logs(core, row, result.get("logs"))
    settle(core, core.store.executions[row.workflow_id], row)
    return row


def report(core: Core, execution: Execution, row: TaskRow, status: str, output: JsonObject, reason: str | None) -> None:
    """Set the status and output of a task that has not ended. Who calls this lets the decider look at it."""
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
    watch(core, row)


def settle(core: Core, execution: Execution, row: TaskRow) -> None:
    """Go on after somebody has reported a task.

    What a JOIN waits for is left to it, as on the server: the decision comes when it has joined, or with the next
    report. Who put something after such a task in its branch waits for a sweep.
    """
    name = row.reference_name
    is_left = row.iteration == 0 and row.is_successful and name in execution.definition.joined_in_forks
    if is_left or not row.is_terminal:
        tell_joins(core, execution, row)
    if not is_left:
        decide_execution(core, execution)
        return
    following = execution.definition.next_after(name)
    if row.is_terminal and following is not None and following.type != "JOIN":
        core.timers.add(core.now() + _SWEPT_MS, "workflow", execution.workflow_id)


def _check(result: JsonObject) -> None:
    status = result.get("status")
    if status is not None and status not in RESULT_STATUSES:
        msg = (
            "JSON parse error: Cannot deserialize value of type "
            f'`com.netflix.conductor.common.metadata.tasks.TaskResult$Status` from String "{status}": '
            f"not one of the values accepted for Enum class: [{', '.join(RESULT_STATUSES)}]"
        )
        raise Refused(msg)
    wanted = (("workflowInstanceId", "Workflow Id"), ("taskId", "Task ID"))
    errors: list[dict[str, object]] = []
    for key, what in wanted:
        if not result.get(key):
            error: dict[str, object] = {"path": f"updateTask.arg0.{key}", "message": f"{what} cannot be null or empty"}
            errors.append(error | {"invalidValue": ""} if result.get(key) == "" else error)
    if errors:
        raise Invalid(_VALIDATION_FAILED, errors)


def _extend_lease(core: Core, task_id: str) -> TaskRow:
    row = core.store.task(task_id)
    if row.status not in TERMINAL:
        row.update_time = core.now()
        watch(core, row)
    return row


def _keep_logs(core: Core, row: TaskRow, logs: list[JsonObject] | None) -> None:
    for entry in logs or []:
        line = {"log": entry.get("log"), "taskId": row.task_id, "createdTime": entry.get("createdTime") or 0}
        core.store.logs.setdefault(row.task_id, []).append(line)


def pending_task(execution: Execution, reference_name: str) -> TaskRow | None:
    """The open task of that name: exactly that, else that of any iteration."""
    rows = sorted(execution.open.values(), key=lambda row: row.seq)
    for row in rows:
        if row.reference_name == reference_name:
            return row
    for row in rows:
        if base_name(row.reference_name) == reference_name:
            return row
    return None


def pending_wait(core: Core, execution: Execution) -> TaskRow | None:
    """The first open WAIT, in this execution or in a sub-workflow of it."""
    rows = sorted(execution.open.values(), key=lambda row: row.seq)
    for row in rows:
        if row.task_type == "WAIT":
            return row
    for row in rows:
        child = core.store.executions.get(row.sub_workflow_id or "") if row.task_type == "SUB_WORKFLOW" else None
        found = pending_wait(core, child) if child is not None else None
        if found is not None:
            return found
    return None

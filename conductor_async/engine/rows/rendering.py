"""Executions and tasks as JSON on the wire. Nulls are left out; inputs and outputs are not copied."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from conductor_async.engine.definitions.defaults import with_workflow_task_defaults
from conductor_async.engine.rows.inputs import with_secrets

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.task_row import TaskRow
    from conductor_async.models import JsonObject

__all__ = [
    "dispatched_task_to_wire",
    "execution_model",
    "execution_to_wire",
    "iso_time",
    "task_to_wire",
    "without_nulls",
]


def iso_time(millis: int) -> str:
    """Returns a time as summaries have it: ISO 8601 with milliseconds."""
    text = datetime.fromtimestamp(millis / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def task_to_wire(row: TaskRow, now: int = 0) -> JsonObject:
    """Returns a task as `GET /tasks/{id}` answers it."""
    wire: dict[str, Any] = {
        "taskType": row.task_type,
        "status": row.status,
        "inputData": row.input,
        "referenceTaskName": row.reference_name,
        "retryCount": row.retry_count,
        "seq": row.seq,
        "correlationId": row.correlation_id,
        "pollCount": row.poll_count,
        "taskDefName": row.task_def_name,
        "scheduledTime": row.scheduled_time,
        "startTime": row.start_time,
        "endTime": row.end_time,
        "updateTime": row.update_time,
        "startDelayInSeconds": row.start_delay,
        "retriedTaskId": row.retried_task_id,
        "retried": row.retried,
        "executed": row.executed,
        "callbackFromWorker": True,
        "responseTimeoutSeconds": row.response_timeout,
        "workflowInstanceId": row.workflow_id,
        "workflowType": row.workflow_type,
        "taskId": row.task_id,
        "reasonForIncompletion": row.reason,
        "callbackAfterSeconds": row.callback_after,
        "workerId": row.worker_id,
        "outputData": row.output,
        "workflowTask": row.spec.wire if row.spec is not None else _no_spec(row),
        "domain": row.domain,
        "outputMessage": row.output_message,
        "rateLimitPerFrequency": row.rate_limit,
        "rateLimitFrequencyInSeconds": row.rate_frequency,
        "externalOutputPayloadStoragePath": row.external_output_path,
        "workflowPriority": row.priority,
        "executionNameSpace": row.execution_namespace,
        "isolationGroupId": row.isolation_group,
        "iteration": row.iteration,
        "subWorkflowId": row.sub_workflow_id,
        "subworkflowChanged": row.subworkflow_changed,
        "firstStartTime": 0,
        "executionMetadata": _NO_METADATA,
        "taskDefinition": row.definition.wire if row.definition is not None else None,
        "queueWaitTime": _queue_wait(row, now),
        "loopOverTask": row.iteration > 0,
    }
    return without_nulls(wire)


def dispatched_task_to_wire(core: Core, row: TaskRow) -> JsonObject:
    """Returns a task as a poll answers it: with secrets in its input, and the runtime metadata that it asks for."""
    wire = task_to_wire(row, core.now())
    wire["inputData"] = with_secrets(core, row.input)
    wanted = row.definition.runtime_metadata if row.definition is not None else []
    values = {key: core.secrets.get(key, core.environment.get(key)) for key in wanted}
    metadata = {key: value for key, value in values.items() if value is not None}
    if metadata:
        wire["runtimeMetadata"] = metadata
    return wire


_NO_METADATA: JsonObject = {"additionalContext": {}, "empty": True, "additionalContextMap": {}}


def _no_spec(row: TaskRow) -> JsonObject:
    return with_workflow_task_defaults({"name": row.task_def_name, "taskReferenceName": row.reference_name})


def _queue_wait(row: TaskRow, now: int) -> int:
    if row.start_time <= 0 or row.scheduled_time <= 0:
        return 0
    if row.update_time > 0 and row.callback_after > 0:
        return max(now - (row.update_time + row.callback_after * 1000), 0)
    return row.start_time - row.scheduled_time


def execution_to_wire(execution: Execution, *, include_tasks: bool = True, now: int = 0) -> JsonObject:
    """Returns an execution as `GET /workflow/{id}` answers it."""
    definition = execution.definition
    wire: dict[str, Any] = {
        "ownerApp": "",
        "createTime": execution.create_time,
        "updateTime": execution.update_time,
        "createdBy": execution.created_by,
        "status": execution.status,
        "endTime": execution.end_time,
        "workflowId": execution.workflow_id,
        "parentWorkflowId": execution.parent_workflow_id,
        "parentWorkflowTaskId": execution.parent_task_id,
        "tasks": [task_to_wire(row, now) for row in execution.tasks] if include_tasks else [],
        "input": execution.input,
        "output": execution.output,
        "correlationId": execution.correlation_id,
        "reasonForIncompletion": execution.reason,
        "event": execution.event,
        "taskToDomain": execution.task_to_domain,
        "failedReferenceTaskNames": list(execution.failed_reference_names),
        "workflowDefinition": definition.wire,
        "priority": execution.priority,
        "variables": execution.variables,
        "lastRetriedTime": execution.last_retried_time,
        "failedTaskNames": list(execution.failed_task_names),
        "history": [],
        "rateLimited": False,
        "startTime": execution.create_time,
        "workflowName": definition.name,
        "workflowVersion": definition.version,
    }
    return without_nulls(wire)


def execution_model(execution: Execution, *, include_tasks: bool = True) -> JsonObject:
    """Returns an execution as failure workflows and bulk searches get it: the server's internal WorkflowModel."""
    wire: dict[str, Any] = {
        "status": execution.status,
        "endTime": execution.end_time,
        "workflowId": execution.workflow_id,
        "parentWorkflowId": execution.parent_workflow_id,
        "parentWorkflowTaskId": execution.parent_task_id,
        "tasks": [task_to_wire(row) for row in execution.tasks] if include_tasks else [],
        "correlationId": execution.correlation_id,
        "reasonForIncompletion": execution.reason,
        "event": execution.event,
        "taskToDomain": execution.task_to_domain,
        "failedReferenceTaskNames": list(execution.failed_reference_names) or None,
        "failedTaskNames": list(execution.failed_task_names) or None,
        "workflowDefinition": execution.definition.wire,
        "priority": execution.priority,
        "variables": execution.variables,
        "lastRetriedTime": execution.last_retried_time,
        "ownerApp": "",
        "createTime": execution.create_time,
        "updatedTime": execution.update_time,
        "failedTaskId": execution.failed_task_id,
        "input": execution.input,
        "output": execution.output,
        "workflowName": execution.definition.name,
        "workflowVersion": execution.definition.version,
    }
    return without_nulls(wire)


def without_nulls(wire: dict[str, Any]) -> JsonObject:
    """Returns an object without the keys whose values are null, as the server leaves them out."""
    return {key: value for key, value in wire.items() if value is not None}

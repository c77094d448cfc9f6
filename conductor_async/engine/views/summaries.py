"""Summaries of executions and tasks, which searches match and return."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conductor_async.engine.expressions.java_values import as_java_string, hash_ordered
from conductor_async.engine.rows.rendering import iso_time, without_nulls

if TYPE_CHECKING:
    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.task_row import TaskRow
    from conductor_async.models import JsonObject

__all__ = ["execution_summary", "is_agent", "task_summary"]


def is_agent(definition: JsonObject) -> bool:
    """Returns whether a definition is that of an agent."""
    metadata: JsonObject = definition["metadata"]
    return metadata.get("agent_sdk") is not None or metadata.get("agentDef") is not None


def execution_summary(execution: Execution) -> JsonObject:
    """Returns a WorkflowSummary. Input and output are strings, as Java prints maps."""
    shown_input = _text(execution.input)
    shown_output = _text(execution.output)
    wire: dict[str, Any] = {
        "workflowType": execution.definition.name,
        "version": execution.definition.version,
        "workflowId": execution.workflow_id,
        "correlationId": execution.correlation_id,
        "startTime": iso_time(execution.create_time),
        "updateTime": iso_time(execution.update_time),
        "endTime": iso_time(execution.end_time) if execution.end_time else None,
        "status": execution.status,
        "input": shown_input,
        "output": shown_output,
        "reasonForIncompletion": execution.reason,
        "executionTime": execution.end_time - execution.create_time if execution.end_time else 0,
        "event": execution.event,
        "failedReferenceTaskNames": ",".join(execution.failed_reference_names),
        "priority": execution.priority,
        "failedTaskNames": list(execution.failed_task_names),
        "createdBy": execution.created_by,
        "taskToDomain": execution.task_to_domain,
        "parentWorkflowId": execution.parent_workflow_id or "",
        "classifier": "agent" if is_agent(execution.definition.wire) else "workflow",
        "inputSize": len(shown_input),
        "outputSize": len(shown_output),
    }
    return without_nulls(wire)


def task_summary(row: TaskRow) -> JsonObject:
    """Returns a TaskSummary."""
    wire: dict[str, Any] = {
        "workflowId": row.workflow_id,
        "workflowType": row.workflow_type,
        "correlationId": row.correlation_id,
        "scheduledTime": iso_time(row.scheduled_time),
        "startTime": iso_time(row.start_time),
        "updateTime": iso_time(row.update_time),
        "endTime": iso_time(row.end_time),
        "status": row.status,
        "reasonForIncompletion": row.reason,
        "executionTime": row.end_time - row.start_time if row.end_time else 0,
        "queueWaitTime": row.start_time - row.scheduled_time if row.start_time else 0,
        "taskDefName": row.task_def_name,
        "taskType": row.task_type,
        "input": _text(row.input),
        "output": _text(row.output),
        "taskId": row.task_id,
        "workflowPriority": row.priority,
        "domain": row.domain,
    }
    return without_nulls(wire)


def _text(payload: JsonObject) -> str:
    return as_java_string(hash_ordered(payload))

"""Fills definitions with the server's defaults: every field that has a default is set, nulls are left out.

It is done once, when a definition comes in. From then on the engine shares the filled definition and never changes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conductor_async.engine.definitions.readers import (
    ANYTHING,
    FALSE,
    LONG_ZERO,
    MAP,
    NUMBER,
    STRING,
    STRINGS,
    TEXTS_BY_NAME,
    TRUE,
    ZERO,
    Field,
    enum_reader,
    filled,
    object_reader,
    read_int,
    read_long,
    read_object,
    read_string,
)
from conductor_async.engine.json_kinds import is_array, is_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conductor_async.models import JsonObject, JsonValue

__all__ = ["with_start_request_defaults", "with_task_defaults", "with_workflow_defaults", "with_workflow_task_defaults"]


def with_workflow_defaults(wire: Mapping[str, JsonValue]) -> JsonObject:
    """Returns a workflow definition with its defaults. Raises `Refused` for a value of the wrong type."""
    return filled(wire, _WORKFLOW, "WorkflowDef")


def with_workflow_task_defaults(wire: Mapping[str, JsonValue]) -> JsonObject:
    """Returns a task of a workflow definition with its defaults. Raises `Refused` for a value of the wrong type."""
    return filled(wire, _TASK, "WorkflowTask")


def with_task_defaults(wire: Mapping[str, JsonValue]) -> JsonObject:
    """Returns a task definition with its defaults. Raises `Refused` for a value of the wrong type."""
    return filled(wire, _TASK_DEF, "TaskDef")


def with_start_request_defaults(wire: Mapping[str, JsonValue]) -> JsonObject:
    """Returns a start request with its defaults. A null input stays null: the server refuses it later."""
    request = filled(wire, _START, "StartWorkflowRequest")
    if "input" in wire and wire["input"] is None:
        request["input"] = None
    return request


def _read_tasks(value: JsonValue) -> list[JsonObject]:
    if not is_array(value):
        raise TypeError
    return [with_workflow_task_defaults(item) for item in value if item is not None]


def _read_branches(value: JsonValue) -> list[list[JsonObject]]:
    return [_read_tasks(branch) for branch in value]


def _read_cases(value: JsonValue) -> dict[str, list[JsonObject]]:
    return {key: _read_tasks(tasks) for key, tasks in read_object(value).items() if tasks is not None}


def _read_sub_workflow(value: JsonValue) -> JsonObject:
    params = filled(value, _SUB_WORKFLOW, "SubWorkflowParams")
    definition = params.get("workflowDefinition")
    if is_object(definition):  # its name and version win over those beside it
        params |= {key: definition[key] for key in ("name", "version") if key in definition}
    return params


def _read_embedded_workflow(value: JsonValue) -> JsonValue:
    return with_workflow_defaults(value) if is_object(value) else value


_TASK_LIST: Final = Field([], _read_tasks)

_AUDIT: Final = {
    "ownerApp": STRING,
    "createTime": LONG_ZERO,
    "updateTime": LONG_ZERO,
    "createdBy": STRING,
    "updatedBy": STRING,
}

_RATE_LIMIT: Final = {
    "rateLimitKey": STRING,
    "concurrentExecLimit": ZERO,
    "policy": Field("QUEUE", enum_reader("QUEUE", "REJECT")),
}

_CACHE: Final = {"key": STRING, "ttlInSecond": ZERO}

_SCHEMA: Final = Field(
    None,
    object_reader(
        {
            **_AUDIT,
            "name": STRING,
            "version": Field(1, read_int),
            "type": Field(None, enum_reader("JSON", "AVRO", "PROTOBUF")),
            "data": Field(None, read_object),
            "externalRef": STRING,
        },
        "SchemaDef",
    ),
)

_TASK_DEF: Final[dict[str, Field]] = {
    **_AUDIT,
    "name": STRING,
    "description": STRING,
    "retryCount": Field(3, read_int),
    "timeoutSeconds": LONG_ZERO,
    "inputKeys": STRINGS,
    "outputKeys": STRINGS,
    "runtimeMetadata": STRINGS,
    "timeoutPolicy": Field("TIME_OUT_WF", enum_reader("RETRY", "TIME_OUT_WF", "ALERT_ONLY")),
    "retryLogic": Field("FIXED", enum_reader("FIXED", "EXPONENTIAL_BACKOFF", "LINEAR_BACKOFF")),
    "retryDelaySeconds": Field(60, read_int),
    "responseTimeoutSeconds": Field(3600, read_long),
    "concurrentExecLimit": NUMBER,
    "inputTemplate": MAP,
    "rateLimitPerFrequency": ZERO,
    "rateLimitFrequencyInSeconds": Field(1, read_int),
    "isolationGroupId": STRING,
    "executionNameSpace": STRING,
    "ownerEmail": STRING,
    "pollTimeoutSeconds": NUMBER,
    "backoffScaleFactor": Field(1, read_int),
    "maxRetryDelaySeconds": ZERO,
    "backoffJitterMs": ZERO,
    "baseType": STRING,
    "totalTimeoutSeconds": LONG_ZERO,
    "taskStatusListenerEnabled": TRUE,
    "inputSchema": _SCHEMA,
    "outputSchema": _SCHEMA,
    "enforceSchema": FALSE,
}

_SUB_WORKFLOW: Final[dict[str, Field]] = {
    "name": STRING,
    "version": NUMBER,
    "taskToDomain": Field(None, TEXTS_BY_NAME.read),
    "workflowDefinition": Field(None, _read_embedded_workflow),
    "idempotencyKey": STRING,
    "idempotencyStrategy": STRING,
    "priority": ANYTHING,
}

_TASK: Final[dict[str, Field]] = {
    "name": STRING,
    "taskReferenceName": STRING,
    "description": STRING,
    "inputParameters": MAP,
    "type": Field("SIMPLE", read_string),
    "dynamicTaskNameParam": STRING,
    "caseValueParam": STRING,
    "caseExpression": STRING,
    "scriptExpression": STRING,
    "decisionCases": Field({}, _read_cases),
    "dynamicForkJoinTasksParam": STRING,
    "dynamicForkTasksParam": STRING,
    "dynamicForkTasksInputParamName": STRING,
    "defaultCase": _TASK_LIST,
    "forkTasks": Field([], _read_branches),
    "startDelay": ZERO,
    "subWorkflowParam": Field(None, _read_sub_workflow),
    "joinOn": STRINGS,
    "sink": STRING,
    "optional": FALSE,
    "taskDefinition": Field(None, with_task_defaults),
    "rateLimited": Field(None, TRUE.read),
    "defaultExclusiveJoinTask": STRINGS,
    "asyncComplete": FALSE,
    "loopCondition": STRING,
    "loopOver": _TASK_LIST,
    "items": STRING,
    "retryCount": NUMBER,
    "evaluatorType": STRING,
    "expression": STRING,
    "onStateChange": MAP,
    "joinStatus": STRING,
    "cacheConfig": Field(None, object_reader(_CACHE, "CacheConfig")),
    "permissive": FALSE,
    "joinMode": Field(None, enum_reader("SYNC", "ASYNC")),
    "metadata": MAP,
}

_WORKFLOW: Final[dict[str, Field]] = {
    **_AUDIT,
    "name": STRING,
    "description": STRING,
    "version": Field(1, read_int),
    "tasks": _TASK_LIST,
    "inputParameters": STRINGS,
    "outputParameters": MAP,
    "failureWorkflow": STRING,
    "failureWorkflowVersion": NUMBER,
    "schemaVersion": Field(2, read_int),
    "restartable": TRUE,
    "workflowStatusListenerEnabled": FALSE,
    "workflowStatusListenerSink": STRING,
    "ownerEmail": STRING,
    "timeoutPolicy": Field("ALERT_ONLY", enum_reader("TIME_OUT_WF", "ALERT_ONLY")),
    "timeoutSeconds": LONG_ZERO,
    "variables": MAP,
    "inputTemplate": MAP,
    "rateLimitConfig": Field(None, object_reader(_RATE_LIMIT, "RateLimitConfig")),
    "inputSchema": _SCHEMA,
    "outputSchema": _SCHEMA,
    "enforceSchema": TRUE,
    "metadata": MAP,
    "cacheConfig": Field(None, object_reader(_CACHE, "CacheConfig")),
    "maskedFields": STRINGS,
}

_START: Final[dict[str, Field]] = {
    "name": STRING,
    "version": NUMBER,
    "correlationId": STRING,
    "input": MAP,
    "taskToDomain": TEXTS_BY_NAME,
    "workflowDef": Field(None, with_workflow_defaults),
    "externalInputPayloadStoragePath": STRING,
    "priority": ZERO,
    "createdBy": STRING,
    "idempotencyKey": STRING,
    "idempotencyStrategy": Field(None, enum_reader("FAIL", "RETURN_EXISTING", "FAIL_ON_RUNNING")),
}

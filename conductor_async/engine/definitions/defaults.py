"""Fills definitions with the server's defaults: every field that has a default is set, nulls are left out.

It is done once, when a definition comes in. From then on the engine shares the filled definition and never changes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conductor_async.engine.errors import Refused
from conductor_async.engine.json_kinds import is_array, is_object

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conductor_async.models import JsonObject, JsonValue

__all__ = ["with_start_request_defaults", "with_task_defaults", "with_workflow_defaults", "with_workflow_task_defaults"]


def with_workflow_defaults(wire: Mapping[str, JsonValue]) -> JsonObject:
    """Returns a workflow definition with its defaults. Raises `Refused` for a value of the wrong type."""
    return _filled(wire, _WORKFLOW, "WorkflowDef")


def with_workflow_task_defaults(wire: Mapping[str, JsonValue]) -> JsonObject:
    """Returns a task of a workflow definition with its defaults. Raises `Refused` for a value of the wrong type."""
    return _filled(wire, _TASK, "WorkflowTask")


def with_task_defaults(wire: Mapping[str, JsonValue]) -> JsonObject:
    """Returns a task definition with its defaults. Raises `Refused` for a value of the wrong type."""
    return _filled(wire, _TASK_DEF, "TaskDef")


def with_start_request_defaults(wire: Mapping[str, JsonValue]) -> JsonObject:
    """Returns a start request with its defaults. A null input stays null: the server refuses it later."""
    request = _filled(wire, _START, "StartWorkflowRequest")
    if "input" in wire and wire["input"] is None:
        request["input"] = None
    return request


class _Field:
    """How one field is read. With `default` None, the field is left out when it is absent."""

    __slots__ = ("default", "read")

    def __init__(self, default: JsonValue, read: Callable[[JsonValue], JsonValue]) -> None:
        self.default = default
        self.read = read


def _filled(wire: Mapping[str, JsonValue], fields: Mapping[str, _Field], java_type: str) -> JsonObject:
    if not is_object(wire):
        msg = f"JSON parse error: Cannot construct instance of `{java_type}` from {type(wire).__name__} value"
        raise Refused(msg)
    filled: JsonObject = {}
    for name, field in fields.items():
        value = wire.get(name)
        if value is not None:
            try:
                filled[name] = field.read(value)
            except (TypeError, ValueError, AttributeError) as error:
                msg = f"JSON parse error: Cannot deserialize value of `{java_type}.{name}` from {value!r}"
                raise Refused(msg) from error
        elif field.default is not None:
            filled[name] = _copied(field.default)
    return filled


def _copied(default: JsonValue) -> JsonValue:
    return default.copy() if is_array(default) or is_object(default) else default


# These coerce values as Jackson, the server's JSON library, does: it accepts `1` for a string, and `"1"` for a number.


def _read_string(value: JsonValue) -> str:
    if isinstance(value, (dict, list)):
        raise TypeError
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _read_int(value: JsonValue) -> int:
    if isinstance(value, (dict, list, bool)):
        raise TypeError
    return int(value)


def _read_bool(value: JsonValue) -> bool:
    if isinstance(value, str):
        if value in {"true", "false"}:
            return value == "true"
        raise ValueError
    return bool(value)


def _read_object(value: JsonValue) -> JsonObject:
    if not is_object(value):
        raise TypeError
    return value


def _read_strings(value: JsonValue) -> list[str | None]:
    if not is_array(value):
        raise TypeError
    return [None if item is None else _read_string(item) for item in value]


def _read_any(value: JsonValue) -> JsonValue:
    return value


def _read_tasks(value: JsonValue) -> list[JsonObject]:
    if not is_array(value):
        raise TypeError
    return [with_workflow_task_defaults(item) for item in value if item is not None]


def _read_branches(value: JsonValue) -> list[list[JsonObject]]:
    return [_read_tasks(branch) for branch in value]


def _read_cases(value: JsonValue) -> dict[str, list[JsonObject]]:
    return {key: _read_tasks(tasks) for key, tasks in _read_object(value).items() if tasks is not None}


def _read_sub_workflow(value: JsonValue) -> JsonObject:
    params = _filled(value, _SUB_WORKFLOW, "SubWorkflowParams")
    definition = params.get("workflowDefinition")
    if is_object(definition):  # its name and version win over those beside it
        params |= {key: definition[key] for key in ("name", "version") if key in definition}
    return params


def _read_embedded_workflow(value: JsonValue) -> JsonValue:
    return with_workflow_defaults(value) if is_object(value) else value


def _enum_reader(*values: str) -> Callable[[JsonValue], JsonValue]:
    def read(value: JsonValue) -> JsonValue:
        if value not in values:
            msg = (
                f'JSON parse error: Cannot deserialize value from String "{value}": '
                f"not one of the values accepted for Enum class: [{', '.join(values)}]"
            )
            raise Refused(msg)
        return value

    return read


_STRING: Final = _Field(None, _read_string)
_NUMBER: Final = _Field(None, _read_int)
_ZERO: Final = _Field(0, _read_int)
_FALSE: Final = _Field(False, _read_bool)
_TRUE: Final = _Field(True, _read_bool)
_MAP: Final = _Field({}, _read_object)
_STRINGS: Final = _Field([], _read_strings)
_TASK_LIST: Final = _Field([], _read_tasks)
_ANYTHING: Final = _Field(None, _read_any)

_AUDIT: Final = {
    "ownerApp": _STRING,
    "createTime": _ZERO,
    "updateTime": _ZERO,
    "createdBy": _STRING,
    "updatedBy": _STRING,
}

_TASK_DEF: Final[dict[str, _Field]] = {
    **_AUDIT,
    "name": _STRING,
    "description": _STRING,
    "retryCount": _Field(3, _read_int),
    "timeoutSeconds": _ZERO,
    "inputKeys": _STRINGS,
    "outputKeys": _STRINGS,
    "runtimeMetadata": _STRINGS,
    "timeoutPolicy": _Field("TIME_OUT_WF", _enum_reader("RETRY", "TIME_OUT_WF", "ALERT_ONLY")),
    "retryLogic": _Field("FIXED", _enum_reader("FIXED", "EXPONENTIAL_BACKOFF", "LINEAR_BACKOFF")),
    "retryDelaySeconds": _Field(60, _read_int),
    "responseTimeoutSeconds": _Field(3600, _read_int),
    "concurrentExecLimit": _NUMBER,
    "inputTemplate": _MAP,
    "rateLimitPerFrequency": _ZERO,
    "rateLimitFrequencyInSeconds": _Field(1, _read_int),
    "isolationGroupId": _STRING,
    "executionNameSpace": _STRING,
    "ownerEmail": _STRING,
    "pollTimeoutSeconds": _NUMBER,
    "backoffScaleFactor": _Field(1, _read_int),
    "maxRetryDelaySeconds": _ZERO,
    "backoffJitterMs": _ZERO,
    "baseType": _STRING,
    "totalTimeoutSeconds": _ZERO,
    "taskStatusListenerEnabled": _TRUE,
    "inputSchema": _ANYTHING,
    "outputSchema": _ANYTHING,
    "enforceSchema": _FALSE,
}

_SUB_WORKFLOW: Final[dict[str, _Field]] = {
    "name": _STRING,
    "version": _NUMBER,
    "taskToDomain": _Field(None, _read_object),
    "workflowDefinition": _Field(None, _read_embedded_workflow),
    "idempotencyKey": _STRING,
    "idempotencyStrategy": _STRING,
    "priority": _ANYTHING,
}

_TASK: Final[dict[str, _Field]] = {
    "name": _STRING,
    "taskReferenceName": _STRING,
    "description": _STRING,
    "inputParameters": _MAP,
    "type": _Field("SIMPLE", _read_string),
    "dynamicTaskNameParam": _STRING,
    "caseValueParam": _STRING,
    "caseExpression": _STRING,
    "scriptExpression": _STRING,
    "decisionCases": _Field({}, _read_cases),
    "dynamicForkJoinTasksParam": _STRING,
    "dynamicForkTasksParam": _STRING,
    "dynamicForkTasksInputParamName": _STRING,
    "defaultCase": _TASK_LIST,
    "forkTasks": _Field([], _read_branches),
    "startDelay": _ZERO,
    "subWorkflowParam": _Field(None, _read_sub_workflow),
    "joinOn": _STRINGS,
    "sink": _STRING,
    "optional": _FALSE,
    "taskDefinition": _Field(None, with_task_defaults),
    "rateLimited": _Field(None, _read_bool),
    "defaultExclusiveJoinTask": _STRINGS,
    "asyncComplete": _FALSE,
    "loopCondition": _STRING,
    "loopOver": _TASK_LIST,
    "items": _STRING,
    "retryCount": _NUMBER,
    "evaluatorType": _STRING,
    "expression": _STRING,
    "onStateChange": _MAP,
    "joinStatus": _STRING,
    "cacheConfig": _ANYTHING,
    "permissive": _FALSE,
    "joinMode": _Field(None, _enum_reader("SYNC", "ASYNC")),
    "metadata": _MAP,
}

_WORKFLOW: Final[dict[str, _Field]] = {
    **_AUDIT,
    "name": _STRING,
    "description": _STRING,
    "version": _Field(1, _read_int),
    "tasks": _TASK_LIST,
    "inputParameters": _STRINGS,
    "outputParameters": _MAP,
    "failureWorkflow": _STRING,
    "failureWorkflowVersion": _NUMBER,
    "schemaVersion": _Field(2, _read_int),
    "restartable": _TRUE,
    "workflowStatusListenerEnabled": _FALSE,
    "workflowStatusListenerSink": _STRING,
    "ownerEmail": _STRING,
    "timeoutPolicy": _Field("ALERT_ONLY", _enum_reader("TIME_OUT_WF", "ALERT_ONLY")),
    "timeoutSeconds": _ZERO,
    "variables": _MAP,
    "inputTemplate": _MAP,
    "rateLimitConfig": _ANYTHING,
    "inputSchema": _ANYTHING,
    "outputSchema": _ANYTHING,
    "enforceSchema": _TRUE,
    "metadata": _MAP,
    "cacheConfig": _ANYTHING,
    "maskedFields": _STRINGS,
}

_START: Final[dict[str, _Field]] = {
    "name": _STRING,
    "version": _NUMBER,
    "correlationId": _STRING,
    "input": _MAP,
    "taskToDomain": _MAP,
    "workflowDef": _Field(None, _read_any),
    "externalInputPayloadStoragePath": _STRING,
    "priority": _ZERO,
    "createdBy": _STRING,
    "idempotencyKey": _STRING,
    "idempotencyStrategy": _STRING,
}

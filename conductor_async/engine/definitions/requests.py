"""Reads the bodies of requests, with the server's defaults: a value of the wrong type is refused, nothing is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conductor_async.engine.definitions.defaults import with_start_request_defaults
from conductor_async.engine.definitions.readers import (
    FALSE,
    LONG,
    LONG_ZERO,
    MAP,
    NUMBER,
    STRING,
    TEXTS_BY_NAME,
    Field,
    enum_reader,
    filled,
    list_reader,
    map_reader,
    object_reader,
    read_object,
)
from conductor_async.engine.errors import Refused
from conductor_async.engine.json_kinds import is_array

if TYPE_CHECKING:
    from conductor_async.models import JsonObject, JsonValue

__all__ = [
    "RESULT_STATUSES",
    "read_event_handler",
    "read_rerun_request",
    "read_schedule",
    "read_task_result",
    "read_test_request",
]

RESULT_STATUSES: Final = ("IN_PROGRESS", "FAILED", "FAILED_WITH_TERMINAL_ERROR", "COMPLETED", "CANCELED")
"""The statuses that a result can have."""


def read_task_result(wire: JsonObject) -> JsonObject:
    """Returns a TaskResult. A log line that is a text is the line, logged now: it has no time.

    Raises:
        Refused: A value has the wrong type, or a log line is missing.
    """
    result = filled(wire, _TASK_RESULT, "TaskResult")
    for line in result.get("logs", ()):
        if line is None or line.get("log") is None:
            msg = "A NOT NULL constraint failed (NOT NULL constraint failed: task_execution_logs.log)"
            raise Refused(msg)
    return result


def read_event_handler(wire: JsonObject) -> JsonObject:
    """Returns an EventHandler. Raises `Refused` for a value of the wrong type."""
    return filled(wire, _EVENT_HANDLER, "EventHandler")


def read_schedule(wire: JsonObject) -> JsonObject:
    """Returns a WorkflowSchedule. Raises `Refused` for a value of the wrong type."""
    schedule = filled(wire, _SCHEDULE, "WorkflowSchedule")
    if None in schedule["cronSchedules"]:
        msg = 'Cannot invoke "CronSchedule.getCronExpression()" because "cronSchedule" is null'
        raise Refused(msg)
    return schedule


def read_rerun_request(wire: JsonObject) -> JsonObject:
    """Returns a RerunWorkflowRequest. Raises `Refused` for a value of the wrong type."""
    return filled(wire, _RERUN, "RerunWorkflowRequest")


def read_test_request(wire: JsonObject) -> JsonObject:
    """Returns a WorkflowTestRequest. Its start request is not filled in: starting it does that.

    Raises:
        Refused: A value has the wrong type, or a mock is missing.
    """
    with_start_request_defaults(wire)
    return {**wire, **filled(wire, _TEST, "WorkflowTestRequest")}


def _read_scheduled_request(value: JsonValue) -> JsonValue:
    request = with_start_request_defaults(read_object(value))
    return {**request, "input": request["input"] or {}}


def _read_log(value: JsonValue) -> JsonValue:
    return {"log": value} if isinstance(value, str) else filled(value, _LOG, "TaskExecLog")


def _read_message(value: JsonValue) -> JsonValue:
    raise TypeError  # the server keeps these for its gRPC clients


def _read_mock(value: JsonValue) -> JsonValue:
    mock = filled(value, _MOCK, "TaskMock") if value is not None else {}
    if "output" not in mock:
        msg = 'Cannot invoke "java.util.Map.size()" because "<parameter1>" is null'
        raise Refused(msg)
    return mock


def _read_mocks(value: JsonValue) -> JsonValue:
    if not is_array(value):
        raise TypeError
    return [_read_mock(each) for each in value]


def _read_test(value: JsonValue) -> JsonValue:
    return read_test_request(read_object(value))


_LOG: Final = {"log": STRING, "taskId": STRING, "createdTime": LONG_ZERO}

_TASK_RESULT: Final = {
    "workflowInstanceId": STRING,
    "taskId": STRING,
    "reasonForIncompletion": STRING,
    "callbackAfterSeconds": LONG_ZERO,
    "workerId": STRING,
    "status": Field(None, enum_reader(*RESULT_STATUSES)),
    "outputData": MAP,
    "outputMessage": Field(None, _read_message),
    "executionMetadata": Field(None, object_reader({"additionalContext": MAP}, "ExecutionMetadata")),
    "logs": Field(None, list_reader(_read_log)),
    "externalOutputPayloadStoragePath": STRING,
    "subWorkflowId": STRING,
    "extendLease": FALSE,
    "supportsCancellation": FALSE,
}

_TASK_DETAILS: Final = {
    "workflowId": STRING,
    "taskRefName": STRING,
    "output": MAP,
    "outputMessage": Field(None, _read_message),
    "taskId": STRING,
    "reasonForIncompletion": STRING,
}

_ACTION: Final = {
    "action": Field(
        None,
        enum_reader(
            "start_workflow",
            "complete_task",
            "fail_task",
            "terminate_workflow",
            "update_workflow_variables",
            "start_agent",
        ),
    ),
    "start_workflow": Field(
        None,
        object_reader(
            {
                "name": STRING,
                "version": NUMBER,
                "correlationId": STRING,
                "input": MAP,
                "inputMessage": Field(None, _read_message),
                "taskToDomain": Field(None, TEXTS_BY_NAME.read),
            },
            "StartWorkflow",
        ),
    ),
    "complete_task": Field(None, object_reader(_TASK_DETAILS, "TaskDetails")),
    "fail_task": Field(None, object_reader(_TASK_DETAILS, "TaskDetails")),
    "expandInlineJSON": FALSE,
    "terminate_workflow": Field(
        None, object_reader({"workflowId": STRING, "terminationReason": STRING}, "TerminateWorkflow")
    ),
    "update_workflow_variables": Field(
        None,
        object_reader(
            {"workflowId": STRING, "variables": Field(None, read_object), "appendArray": Field(None, FALSE.read)},
            "UpdateWorkflowVariables",
        ),
    ),
    "start_agent": Field(None, read_object),
}

_EVENT_HANDLER: Final = {
    "name": STRING,
    "event": STRING,
    "condition": STRING,
    "actions": Field([], list_reader(object_reader(_ACTION, "EventHandler$Action"))),
    "active": FALSE,
    "evaluatorType": STRING,
}

_SCHEDULE: Final = {
    "name": STRING,
    "cronExpression": STRING,
    "cronSchedules": Field(
        [],
        list_reader(
            object_reader({"cronExpression": STRING, "zoneId": Field("UTC", STRING.read)}, "CronSchedule"),
        ),
    ),
    "runCatchupScheduleInstances": FALSE,
    "paused": FALSE,
    "pausedReason": STRING,
    "startWorkflowRequest": Field(None, _read_scheduled_request),
    "zoneId": Field("UTC", STRING.read),
    "scheduleStartTime": LONG,
    "scheduleEndTime": LONG,
    "createTime": LONG,
    "updatedTime": LONG,
    "nextRunTime": LONG,
    "createdBy": STRING,
    "updatedBy": STRING,
    "description": STRING,
}

_RERUN: Final = {
    "reRunFromWorkflowId": STRING,
    "reRunFromTaskId": STRING,
    "taskInput": Field(None, read_object),
    "workflowInput": Field(None, read_object),
    "correlationId": STRING,
}

_MOCK: Final = {
    "status": Field("COMPLETED", enum_reader(*RESULT_STATUSES)),
    "output": Field(None, read_object),
    "executionTime": LONG_ZERO,
    "queueWaitTime": LONG_ZERO,
}

_TEST: Final = {
    "taskRefToMockOutput": Field({}, map_reader(_read_mocks)),
    "subWorkflowTestRequest": Field({}, map_reader(_read_test)),
}

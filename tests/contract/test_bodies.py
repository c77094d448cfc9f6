"""Values of the wrong type in the bodies of requests: refused, and nothing is stored; or read as Java reads them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.wire import Transport, row, simple, task, variables

pytestmark = pytest.mark.anyio

SCALARS = ["x", 1, 1.5, True]
NO_TEXT: list[Any] = [[], [1], {}, {"a": 1}]
NO_OBJECT: list[Any] = ["x", "", 1, True, [], [1]]
NO_LIST: list[Any] = ["x", 1, True, {}, {"a": 1}]
NO_NUMBER: list[Any] = ["x", True, [], {}, 10**20]
NO_BOOLEAN: list[Any] = ["x", "5", 1.5, [], {}]
PYTHON = ("AttributeError", "TypeError", "KeyError", "ValueError", "has no attribute", "not iterable")


def _cases(fields: dict[str, list[Any]]) -> list[Any]:
    pairs = [(field, value) for field, values in fields.items() for value in values]
    return [pytest.param(field, value, id=f"{field}={value!r}") for field, value in pairs]


async def _is_refused(wire: Transport, *path: str, body: Any, method: str = "POST") -> None:
    error = await wire.refused(method, *path, body=body)
    assert error["status"] == 500
    assert not any(word in error["message"] for word in PYTHON), error["message"]


# -- results of tasks --------------------------------------------------------------------------------

RESULT: dict[str, list[Any]] = {
    "status": ["completed", "", 5, True, [], {}],
    "outputData": NO_OBJECT,
    "reasonForIncompletion": NO_TEXT,
    "workerId": NO_TEXT,
    "subWorkflowId": NO_TEXT,
    "callbackAfterSeconds": NO_NUMBER,
    "extendLease": NO_BOOLEAN,
    "logs": [*NO_LIST, [1], [True], [[]], [{"log": {}}], [{"log": "a", "createdTime": "x"}]],
    "executionMetadata": NO_OBJECT,
    "outputMessage": ["x", {"a": 1}],
    "taskId": NO_TEXT,
    "workflowInstanceId": NO_TEXT,
}


@pytest.mark.parametrize("path", [("tasks",), ("tasks", "update-v2")], ids=["v1", "v2"])
async def test_a_result_that_cannot_be_read_changes_nothing(wire: Transport, path: tuple[str, ...]) -> None:
    workflow_id = await wire.start(await wire.workflow(task("HUMAN", "h")))
    before = row(await wire.execution(workflow_id), "h")
    ids = {"workflowInstanceId": workflow_id, "taskId": before["taskId"]}
    for field, values in RESULT.items():
        for value in values:
            body = {**ids, "status": "COMPLETED", "outputData": {"k": 1}, field: value}
            await _is_refused(wire, *path, body=body)
    execution = await wire.execution(workflow_id)
    assert execution["status"] == "RUNNING"
    assert row(execution, "h") == before
    assert await wire.get("tasks", before["taskId"], "log") is None


@pytest.mark.parametrize("line", [None, {}, {"log": None}])
async def test_a_result_with_an_empty_log_line_is_refused(wire: Transport, line: Any) -> None:
    workflow_id = await wire.start(await wire.workflow(task("HUMAN", "h")))
    ids = {"workflowInstanceId": workflow_id, "taskId": row(await wire.execution(workflow_id), "h")["taskId"]}
    await _is_refused(wire, "tasks", body={**ids, "status": "COMPLETED", "logs": [line]})


async def test_log_lines_may_be_texts(wire: Transport) -> None:
    work = await wire.task_type()
    await wire.start(await wire.workflow(simple(work, "a")))
    polled = await wire.work(work, logs=["one", {"log": 2}, {"log": "three", "createdTime": "7"}])
    lines = await wire.get("tasks", polled["taskId"], "log")
    assert [(line["log"], line["createdTime"]) for line in lines[:2]] == [("2", 0), ("three", 7)]
    assert lines[2]["log"] == "one"
    assert lines[2]["createdTime"] > 10**12


@pytest.mark.parametrize(
    ("number", "status"), [(1, "FAILED"), (2, "FAILED_WITH_TERMINAL_ERROR"), (3, "COMPLETED"), (4, "CANCELED")]
)
async def test_a_status_may_be_its_number(wire: Transport, number: int, status: str) -> None:
    workflow_id = await wire.start(await wire.workflow(task("HUMAN", "h")))
    ids = {"workflowInstanceId": workflow_id, "taskId": row(await wire.execution(workflow_id), "h")["taskId"]}
    await wire.post("tasks", body={**ids, "status": number})
    assert row(await wire.execution(workflow_id), "h")["status"] == status


# -- event handlers ----------------------------------------------------------------------------------

HANDLER: dict[str, list[Any]] = {
    "event": NO_TEXT,
    "condition": NO_TEXT,
    "evaluatorType": NO_TEXT,
    "active": NO_BOOLEAN,
    "actions": [*NO_LIST, [1], ["x"], [[]]],
}
ACTION: dict[str, list[Any]] = {
    "action": ["x", "", 6, True, [], {}],
    "start_workflow": [*NO_OBJECT, {"version": "x"}, {"version": True}, {"name": []}, {"input": "x"}],
    "complete_task": [*NO_OBJECT, {"output": []}, {"taskId": {}}],
    "fail_task": [*NO_OBJECT, {"output": "x"}],
    "terminate_workflow": [*NO_OBJECT, {"terminationReason": []}],
    "update_workflow_variables": [*NO_OBJECT, {"variables": []}, {"appendArray": "x"}],
    "expandInlineJSON": NO_BOOLEAN,
}


async def test_a_handler_that_cannot_be_read_is_not_added(wire: Transport) -> None:
    name = wire.new("handler")
    valid: dict[str, Any] = {"name": name, "event": "conductor:x:y", "actions": [{"action": "start_workflow"}]}
    for field, values in HANDLER.items():
        for value in values:
            await _is_refused(wire, "event", body={**valid, field: value})
    for field, values in ACTION.items():
        for value in values:
            await _is_refused(wire, "event", body={**valid, "actions": [{"action": "fail_task", field: value}]})
    assert name not in {handler["name"] for handler in await wire.get("event")}


async def test_a_handler_is_stored_as_java_reads_it(wire: Transport) -> None:
    name = wire.new("handler")
    actions = [
        {"action": 1, "complete_task": {"taskId": 1, "unknown": 2}, "expandInlineJSON": ""},
        {"action": "start_workflow", "start_workflow": {"name": 1.5, "version": "5", "taskToDomain": {"a": 1}}},
    ]
    await wire.post("event", body={"name": name, "event": 5, "condition": True, "active": 1, "actions": actions})
    (stored,) = [handler for handler in await wire.get("event") if handler["name"] == name]
    await wire.delete("event", name)
    started = {"name": "1.5", "version": 5, "input": {}, "taskToDomain": {"a": "1"}}
    assert stored == {
        "name": name,
        "event": "5",
        "condition": "true",
        "active": True,
        "actions": [
            {"action": "complete_task", "complete_task": {"taskId": "1", "output": {}}, "expandInlineJSON": False},
            {"action": "start_workflow", "start_workflow": started, "expandInlineJSON": False},
        ],
    }


# -- schedules ---------------------------------------------------------------------------------------

SCHEDULE: dict[str, list[Any]] = {
    "name": NO_TEXT,
    "cronExpression": NO_TEXT,
    "pausedReason": NO_TEXT,
    "description": NO_TEXT,
    "zoneId": [*NO_TEXT, "x", "", 1],
    "paused": NO_BOOLEAN,
    "runCatchupScheduleInstances": NO_BOOLEAN,
    "scheduleStartTime": NO_NUMBER,
    "scheduleEndTime": NO_NUMBER,
    "createTime": NO_NUMBER,
    "cronSchedules": [*NO_LIST, [1], ["x"], [{"cronExpression": {}}]],
    "startWorkflowRequest": [*NO_OBJECT, {}, None],
}
START: dict[str, list[Any]] = {
    "version": [*NO_NUMBER, 3_000_000_000],
    "priority": NO_NUMBER,
    "correlationId": NO_TEXT,
    "input": NO_OBJECT,
    "taskToDomain": NO_OBJECT,
    "workflowDef": [*NO_OBJECT, {"tasks": "x"}, {"tasks": [1]}, {"version": "x"}],
    "idempotencyStrategy": ["x", "", 5, []],
}


async def test_a_schedule_that_cannot_be_read_is_not_saved(wire: Transport) -> None:
    name = wire.new("schedule")
    valid: dict[str, Any] = {"name": name, "cronExpression": "0 0 0 1 1 *", "startWorkflowRequest": {"name": "w"}}
    for field, values in SCHEDULE.items():
        for value in values:
            await _is_refused(wire, "scheduler", "schedules", body={**valid, field: value})
    for field, values in START.items():
        for value in values:
            request = {"name": "w", field: value}
            await _is_refused(wire, "scheduler", "schedules", body={**valid, "startWorkflowRequest": request})
    assert (await wire.call("GET", "scheduler", "schedules", name)).status_code == 404


async def test_names_of_schedules_must_be_given(wire: Transport) -> None:
    for operation in ("pause", "resume"):
        error = await wire.refused("PUT", "scheduler", "bulk", operation, body=[])
        assert (error["status"], error["validationErrors"][0]["path"]) == (400, f"{operation}Schedules.arg0")
        await _is_refused(wire, "scheduler", "bulk", operation, body=[[]], method="PUT")


# -- starts, reruns, tests ---------------------------------------------------------------------------


@pytest.mark.parametrize(("field", "value"), _cases(START))
async def test_a_start_request_that_cannot_be_read(wire: Transport, field: str, value: Any) -> None:
    request = {"name": "w", field: value}
    await _is_refused(wire, "workflow", body=request)
    await _is_refused(wire, "workflow", "test", body={**request, "taskRefToMockOutput": {}})


async def test_a_rerun_request_that_cannot_be_read_changes_nothing(wire: Transport) -> None:
    execution = await wire.run(variables("v", a=1), input={"x": 1})
    fields = {"reRunFromTaskId": NO_TEXT, "correlationId": NO_TEXT, "taskInput": NO_OBJECT, "workflowInput": NO_OBJECT}
    for field, values in fields.items():
        for value in values:
            await _is_refused(wire, "workflow", execution["workflowId"], "rerun", body={field: value})
    assert await wire.execution(execution["workflowId"]) == execution


MOCKS: list[Any] = [
    *NO_OBJECT,
    *({"a": each} for each in NO_LIST),
    *({"a": [each]} for each in (*NO_OBJECT, None)),
    *({"a": [{"status": each}]} for each in ("x", "", "SKIPPED", 5, [])),
    *({"a": [{"output": each}]} for each in (*NO_OBJECT, None)),
    *({"a": [{"executionTime": each}]} for each in NO_NUMBER),
]


async def test_mocks_that_cannot_be_read(wire: Transport) -> None:
    definition = wire.definition(simple("nobody", "a"))
    request: dict[str, Any] = {"name": definition["name"], "workflowDef": definition}
    for mocks in MOCKS:
        await _is_refused(wire, "workflow", "test", body={**request, "taskRefToMockOutput": mocks})
    for tests in (*NO_OBJECT, *({"s": each} for each in NO_OBJECT)):
        await _is_refused(wire, "workflow", "test", body={**request, "subWorkflowTestRequest": tests})


async def test_ids_in_bulk_must_be_texts(wire: Transport) -> None:
    await _is_refused(wire, "workflow", "bulk", "terminate", body=[None])
    await _is_refused(wire, "workflow", "bulk", "terminate", body=[["x"]])


# -- definitions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ({}, {"concurrentExecLimit": 0, "policy": "QUEUE"}),
        ({"rateLimitKey": "k", "policy": 1}, {"rateLimitKey": "k", "concurrentExecLimit": 0, "policy": "REJECT"}),
        ({"policy": None, "unknown": 1}, {"concurrentExecLimit": 0, "policy": "QUEUE"}),
    ],
)
async def test_a_rate_limit_is_stored_with_its_policy(wire: Transport, given: Any, stored: Any) -> None:
    name = await wire.workflow(variables("v", a=1), rateLimitConfig=given)
    assert (await wire.get("metadata", "workflow", name))["rateLimitConfig"] == stored


@pytest.mark.parametrize(
    ("field", "value"),
    _cases(
        {
            "rateLimitConfig": [*NO_OBJECT, {"policy": "queue"}, {"policy": {}}, {"concurrentExecLimit": "x"}],
            "cacheConfig": [*NO_OBJECT, {"ttlInSecond": "x"}],
            "inputSchema": [*NO_OBJECT, {"type": "BOGUS"}],
        }
    ),
)
async def test_a_definition_that_cannot_be_read(wire: Transport, field: str, value: Any) -> None:
    definition = wire.definition(variables("v", a=1), **{field: value})
    await _is_refused(wire, "metadata", "workflow", body=definition)

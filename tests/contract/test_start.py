"""CF05 to CF10: starting workflows."""

from __future__ import annotations

import pytest

from tests.contract.wire import Transport, row, simple, statuses, task, variables

pytestmark = pytest.mark.anyio

OUT_OF_REACH = "Unable to download payload from external storage path: {}"


async def test_cf05_a_start_schedules_the_first_task(wire: Transport) -> None:
    work = await wire.task_type()
    name = await wire.workflow(simple(work, "a", {"x": "${workflow.input.x}"}))
    request = {"name": name, "input": {"x": 1}, "correlationId": "c", "priority": 5}
    answer = await wire.call("POST", "workflow", body=request)
    assert answer.headers["content-type"] == "text/plain;charset=UTF-8"
    execution = await wire.execution(answer.text)
    assert (execution["status"], execution["priority"], execution["correlationId"]) == ("RUNNING", 5, "c")
    a = row(execution, "a")
    expected = {
        "status": "SCHEDULED",
        "inputData": {"x": 1},
        "seq": 1,
        "pollCount": 0,
        "workflowPriority": 5,
        "taskType": work,
        "taskDefName": work,
        "correlationId": "c",
        "retryCount": 0,
        "startTime": 0,
        "iteration": 0,
        "outputData": {},
    }
    assert {key: a[key] for key in expected} == expected


async def test_cf06_starts_that_are_refused(wire: Transport) -> None:
    unknown, name = wire.new("flow"), await wire.workflow(variables("v"))
    error = await wire.refused("POST", "workflow", body={"name": unknown, "input": {}})
    assert error["status"] == 404
    assert error["message"] == f"No such workflow defined. name={unknown}, version=null"
    error = await wire.refused("POST", "workflow", body={"name": name, "version": 9, "input": {}})
    assert (error["status"], error["message"]) == (404, f"No such workflow defined. name={name}, version=9")
    error = await wire.refused("POST", "workflow", body={"name": name, "priority": 100, "input": {}})
    assert (error["status"], error["validationErrors"][0]["path"]) == (400, "startWorkflow.arg0.priority")
    error = await wire.refused("POST", "workflow", body={"name": name, "input": None})
    assert (error["status"], error["message"]) == (400, "NULL input passed when starting workflow")
    error = await wire.refused("GET", "workflow", "no-such-id")
    assert (error["status"], error["message"]) == (404, "No such workflow found by id: no-such-id")


async def test_cf07_an_inline_definition_runs_and_is_not_registered(wire: Transport) -> None:
    definition = wire.definition(variables("v", x="${workflow.input.x}"))
    workflow_id = await wire.start("another name", {"x": 1}, workflowDef=definition)
    execution = await wire.ended(workflow_id)
    assert (execution["workflowName"], execution["variables"]) == (definition["name"], {"x": 1})
    assert (await wire.refused("GET", "metadata", "workflow", definition["name"]))["status"] == 404


async def test_cf08_an_execution_keeps_the_definitions_it_started_with(wire: Transport) -> None:
    work = await wire.task_type(retryCount=0)
    name = await wire.workflow(simple(work, "a"), simple(work, "b"))
    first, second = [await wire.start(name) for _ in range(2)]
    await wire.put("metadata", "workflow", body=[{"name": name, "version": 1, "tasks": [simple(work, "a")]}])
    await wire.post("metadata", "taskdefs", body=[{"name": work, "retryCount": 3, "retryDelaySeconds": 0}])
    await wire.post("tasks", first, "a", "FAILED", body={})
    failed = await wire.execution(first)
    assert (failed["status"], len(failed["tasks"])) == ("FAILED", 1)
    await wire.post("tasks", second, "a", "COMPLETED", body={})
    assert statuses(await wire.execution(second)) == {"a": "COMPLETED", "b": "SCHEDULED"}


async def test_cf10_a_task_type_that_nobody_registered_has_the_defaults(wire: Transport) -> None:
    work = wire.new("task")
    workflow_id = await wire.start(await wire.workflow(simple(work, "a")))
    await wire.work(work, "FAILED", reasonForIncompletion="no")
    execution = await wire.execution(workflow_id)
    assert [(each["status"], each["retryCount"]) for each in execution["tasks"]] == [("FAILED", 0), ("SCHEDULED", 1)]
    again = execution["tasks"][1]
    assert again["callbackAfterSeconds"] == 60
    kept = execution["tasks"][0]["taskDefinition"]
    assert (kept["retryCount"], kept["retryDelaySeconds"]) == (3, 60)
    assert await wire.poll(work) is None


async def test_an_input_that_is_kept_outside_cannot_be_had(wire: Transport) -> None:
    definition = wire.definition(task("NOOP", "n"))
    request = {"name": definition["name"], "workflowDef": definition, "externalInputPayloadStoragePath": "in/1.json"}
    error = await wire.refused("POST", "workflow", body=request)
    assert (error["status"], error["message"]) == (500, OUT_OF_REACH.format("in/1.json"))
    execution = await wire.ended(await wire.post("workflow", body=request | {"input": {"a": 1}}))
    assert (execution["status"], execution["input"]) == ("COMPLETED", {"a": 1})


async def test_an_output_that_is_kept_outside_cannot_be_had(wire: Transport) -> None:
    work = await wire.task_type()
    workflow_id = await wire.start(await wire.workflow(simple(work, "a"), simple(work, "b")))
    polled = await wire.next(work)
    result = {"workflowInstanceId": workflow_id, "taskId": polled["taskId"], "status": "COMPLETED"}
    result |= {"outputData": {"a": 1}, "externalOutputPayloadStoragePath": "out/1.json"}
    for error in (
        await wire.refused("POST", "tasks", body=result),
        await wire.refused("PUT", "workflow", "decide", workflow_id),
    ):
        assert (error["status"], error["message"]) == (500, OUT_OF_REACH.format("out/1.json"))
    execution = await wire.execution(workflow_id)
    (done,) = execution["tasks"]
    assert (execution["status"], done["status"], done["outputData"]) == ("RUNNING", "COMPLETED", {})
    assert done["externalOutputPayloadStoragePath"] == "out/1.json"

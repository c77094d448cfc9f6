"""CF01 to CF04: definitions of workflows and of tasks."""

from __future__ import annotations

import pytest

from tests.contract.wire import Transport, simple, variables

pytestmark = pytest.mark.anyio


async def test_cf01_the_life_of_a_workflow_definition(wire: Transport) -> None:
    first = wire.definition(simple("t", "a"))
    name = first["name"]
    answer = await wire.call("POST", "metadata", "workflow", body=first)
    assert (answer.status_code, answer.content) == (200, b"")
    assert (await wire.refused("POST", "metadata", "workflow", body=first))["status"] == 409
    assert await wire.post("metadata", "workflow", body=first, overwrite="true") is None
    stored = await wire.put("metadata", "workflow", body=[{**first, "version": 2}])
    assert stored == {"bulkErrorResults": {}, "bulkSuccessfulResults": [name]}
    assert (await wire.get("metadata", "workflow", name))["version"] == 2
    unknown = await wire.refused("GET", "metadata", "workflow", name, version=9)
    assert unknown["status"] == 404
    await wire.delete("metadata", "workflow", name, "2")
    assert (await wire.get("metadata", "workflow", name))["version"] == 1
    await wire.delete("metadata", "workflow", name, "1")
    assert (await wire.refused("GET", "metadata", "workflow", name))["status"] == 404


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        (
            {"tasks": [simple("t", "a"), simple("t", "a")]},
            "registerWorkflowDef.arg0",
            "taskReferenceName: a should be unique across tasks for a given workflowDefinition",
        ),
        (
            {"tasks": [simple("t", "a", {"x": "${nope.output.x}"})]},
            "registerWorkflowDef.arg0",
            "nope for given task: t input value: x of input parameter: ${nope.output.x} is not defined",
        ),
        ({"tasks": []}, "registerWorkflowDef.arg0.tasks", "WorkflowTask list cannot be empty"),
        (
            {"tasks": [simple("t", "a")], "schemaVersion": 1},
            "registerWorkflowDef.arg0.schemaVersion",
            "workflowDef schemaVersion: 2 is only supported",
        ),
    ],
    ids=["duplicate reference", "unknown reference", "no tasks", "schema version 1"],
)
async def test_cf02_a_definition_that_does_not_hold(wire: Transport, fields: dict, path: str, message: str) -> None:
    error = await wire.refused("POST", "metadata", "workflow", body={**wire.definition(), **fields})
    assert error.keys() == {"status", "message", "retryable", "validationErrors"}
    assert (error["status"], error["message"]) == (400, "Validation failed, check below errors for detail.")
    assert [each["path"] for each in error["validationErrors"]] == [path]
    assert message in error["validationErrors"][0]["message"]


async def test_cf03_nothing_is_stored_when_one_of_many_is_invalid(wire: Transport) -> None:
    good, bad = wire.definition(variables("v")), wire.definition()
    assert (await wire.refused("PUT", "metadata", "workflow", body=[bad, good]))["status"] == 400
    for each in (good, bad):
        assert (await wire.refused("GET", "metadata", "workflow", each["name"]))["status"] == 404


async def test_cf04_a_task_definition_has_defaults_and_is_replaced(wire: Transport) -> None:
    name = wire.new("task")
    await wire.post("metadata", "taskdefs", body=[{"name": name}])
    found = await wire.get("metadata", "taskdefs", name)
    defaults = {
        "retryCount": 3,
        "retryLogic": "FIXED",
        "retryDelaySeconds": 60,
        "timeoutPolicy": "TIME_OUT_WF",
        "timeoutSeconds": 0,
        "responseTimeoutSeconds": 3600,
        "rateLimitPerFrequency": 0,
        "rateLimitFrequencyInSeconds": 1,
        "backoffScaleFactor": 1,
    }
    assert {key: found[key] for key in defaults} == defaults
    await wire.post("metadata", "taskdefs", body=[{"name": name, "retryCount": 7}])
    assert (await wire.get("metadata", "taskdefs", name))["retryCount"] == 7
    unknown = wire.new("task")
    assert (await wire.refused("PUT", "metadata", "taskdefs", body={"name": unknown}))["status"] == 404
    assert (await wire.refused("GET", "metadata", "taskdefs", unknown))["status"] == 404

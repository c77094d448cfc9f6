"""CF59 to CF63: workflows started by workflows."""

from __future__ import annotations

import pytest

from tests.contract.wire import Transport, row, task, variables

pytestmark = pytest.mark.anyio


async def test_cf59_a_sub_workflow(wire: Transport) -> None:
    child = await wire.workflow(variables("v"), outputParameters={"r": "${workflow.input.a}"})
    sub = task(
        "SUB_WORKFLOW",
        "sub",
        subWorkflowParam={"name": child, "version": 1},
        inputParameters={"a": "${workflow.input.x}"},
    )
    name = await wire.workflow(sub, variables("after", r="${sub.output.r}"))
    workflow_id = await wire.start(name, {"x": 5}, correlationId="c", priority=3, taskToDomain={"t": "d"})
    execution = await wire.ended(workflow_id)
    parent_task = row(execution, "sub")
    child_id = parent_task["subWorkflowId"]
    assert (execution["status"], parent_task["outputData"]) == ("COMPLETED", {"subWorkflowId": child_id, "r": 5})
    assert row(execution, "after")["inputData"] == {"r": 5}
    started = await wire.execution(child_id)
    assert started["input"] == {"a": 5}
    assert (started["parentWorkflowId"], started["parentWorkflowTaskId"]) == (workflow_id, parent_task["taskId"])
    assert (started["correlationId"], started["taskToDomain"], started["priority"]) == ("c", {"t": "d"}, 0)


async def test_cf60_a_sub_workflow_defined_in_place(wire: Transport) -> None:
    child = wire.definition(variables("v", a="${workflow.input.a}"))
    param = {"name": child["name"], "version": 1, "workflowDefinition": child}
    execution = await wire.run(task("SUB_WORKFLOW", "sub", subWorkflowParam=param, inputParameters={"a": 1}))
    assert execution["status"] == "COMPLETED"
    started = await wire.execution(row(execution, "sub")["subWorkflowId"])
    assert started["input"] == {"a": 1, "_systemMetadata": {"dynamic": True}}
    assert (await wire.refused("GET", "metadata", "workflow", child["name"]))["status"] == 404


async def test_cf60_its_own_name_and_version_go_before_those_beside_it(wire: Transport) -> None:
    child = wire.definition(variables("v"), version=4)
    param = {"name": "another name", "workflowDefinition": child}
    execution = await wire.run(task("SUB_WORKFLOW", "sub", subWorkflowParam=param, inputParameters={"a": 1}))
    assert execution["status"] == "COMPLETED"
    started = await wire.execution(row(execution, "sub")["subWorkflowId"])
    assert (started["workflowName"], started["workflowVersion"]) == (child["name"], 4)


async def test_cf63_a_workflow_started_and_left_alone(wire: Transport) -> None:
    other = await wire.workflow(variables("v"))
    request = {"name": other, "version": 1, "input": {"k": "${workflow.input.x}"}}
    execution = await wire.run(task("START_WORKFLOW", "s", inputParameters={"startWorkflow": request}), input={"x": 1})
    assert execution["status"] == "COMPLETED"
    output = row(execution, "s")["outputData"]
    assert list(output) == ["workflowId"]
    started = await wire.execution(output["workflowId"])
    assert (started["workflowName"], started["input"]) == (other, {"k": 1})
    assert "parentWorkflowId" not in started


async def test_cf63_a_workflow_that_does_not_exist_is_not_started(wire: Transport) -> None:
    request = {"name": wire.new("nowhere"), "version": 1}
    execution = await wire.run(task("START_WORKFLOW", "s", inputParameters={"startWorkflow": request}))
    assert (execution["status"], row(execution, "s")["status"]) == ("FAILED", "FAILED")

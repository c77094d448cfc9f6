"""CF59 to CF63: workflows started by workflows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.wire import Transport, row, simple, statuses, task, variables

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


NO_DEFINITION = "The Task {} defined as a sub-workflow has no workflow definition available "
NO_NAME = 'Cannot invoke "Object.toString()" because the return value of "java.util.Map.get(Object)" is null'


@pytest.mark.parametrize(
    ("param", "message"),
    [
        ({}, "The Task null defined as a sub-workflow has no workflow definition available "),
        (
            {"name": "nobody_knows"},
            "The Task nobody_knows defined as a sub-workflow has no workflow definition available ",
        ),
        ({"version": 1}, NO_NAME),
        ({"name": "${workflow.input.missing}", "version": 1}, NO_NAME),
        ({"workflowDefinition": {"tasks": [task("NOOP", "n")]}}, NO_NAME),
    ],
)
async def test_a_first_sub_workflow_without_a_name_is_not_started(wire: Transport, param: Any, message: str) -> None:
    definition = wire.definition(task("SUB_WORKFLOW", "s", subWorkflowParam=param))
    request = {"name": definition["name"], "workflowDef": definition}
    error = await wire.refused("POST", "workflow", body=request)
    assert (error["status"], error["message"]) == (500, message)


async def test_a_later_sub_workflow_without_a_name_stops_the_workflow(wire: Transport) -> None:
    work = await wire.task_type()
    child = task("SUB_WORKFLOW", "s", subWorkflowParam={"name": "${workflow.input.missing}", "version": 1})
    workflow_id = await wire.start(await wire.workflow(simple(work, "a"), child))
    polled = await wire.next(work)
    result = {"workflowInstanceId": workflow_id, "taskId": polled["taskId"], "status": "COMPLETED"}
    error = await wire.refused("POST", "tasks", body=result)
    assert (error["status"], error["message"]) == (500, NO_NAME)
    execution = await wire.execution(workflow_id)
    assert (execution["status"], statuses(execution)) == ("RUNNING", {"a": "COMPLETED"})
    await wire.delete("workflow", workflow_id)


async def test_a_sub_workflow_made_by_a_dynamic_task_never_starts(wire: Transport) -> None:
    dynamic = task("DYNAMIC", "d", dynamicTaskNameParam="kind", inputParameters={"kind": "SUB_WORKFLOW"})
    workflow_id = await wire.start(await wire.workflow(dynamic))
    await wire.sleep(0.5)
    execution = await wire.execution(workflow_id)
    assert (execution["status"], statuses(execution)) == ("RUNNING", {"d": "SCHEDULED"})
    await wire.delete("workflow", workflow_id)


@pytest.mark.parametrize("what", ["the workflow", "the sub-workflow"])
async def test_a_cancelled_sub_workflow_keeps_its_id(wire: Transport, what: str) -> None:
    child = wire.definition(task("HUMAN", "h"))
    param = {"name": child["name"], "version": 1, "workflowDefinition": child}
    workflow_id = await wire.start(await wire.workflow(task("SUB_WORKFLOW", "s", subWorkflowParam=param)))
    started = await wire.until(workflow_id, lambda execution: row(execution, "s")["status"] == "IN_PROGRESS")
    child_id = row(started, "s")["subWorkflowId"]
    await wire.delete("workflow", workflow_id if what == "the workflow" else child_id)
    execution = await wire.ended(workflow_id)
    cancelled = row(execution, "s")
    assert (execution["status"], cancelled["status"]) == ("TERMINATED", "CANCELED")
    assert (cancelled["subWorkflowId"], cancelled["outputData"]) == (child_id, {"subWorkflowId": child_id})

"""Tasks that run other workflows."""

from __future__ import annotations

import pytest

from conductor_async import ConductorWorkflow, StartWorkflowRequest, WorkflowDef
from conductor_async.tasks import InlineSubWorkflowTask, InlineTask, StartWorkflowTask, SubWorkflowTask

workflow = ConductorWorkflow(name="w")


def wire(task):
    return task.to_workflow_task().to_wire()


def test_all_parameters_of_a_sub_workflow_are_sent():
    task = SubWorkflowTask(
        "s",
        "child",
        2,
        {"*": "d"},
        priority=workflow.input.priority,
        workflow_definition=workflow.input.definition,
        idempotency_key=f"order-{workflow.input.order}",
        idempotency_strategy="RETURN_EXISTING",
    )
    assert wire(task)["subWorkflowParam"] == {
        "name": "child",
        "version": 2,
        "taskToDomain": {"*": "d"},
        "priority": "${workflow.input.priority}",
        "workflowDefinition": "${workflow.input.definition}",
        "idempotencyKey": "order-${workflow.input.order}",
        "idempotencyStrategy": "RETURN_EXISTING",
    }
    assert wire(SubWorkflowTask("s", "child"))["subWorkflowParam"] == {"name": "child"}
    assert str(task.workflow_id) == "${s.output.subWorkflowId}"


def test_a_given_definition_is_copied():
    definition = WorkflowDef(name="child", version=1)
    made = SubWorkflowTask("s", "child", 1, workflow_definition=definition).to_workflow_task()
    assert made.sub_workflow_param.workflow_definition == definition
    assert made.sub_workflow_param.workflow_definition is not definition


def test_start_workflow_sends_the_request():
    request = StartWorkflowRequest(input={"a": workflow.input.a}, correlation_id="c", priority=5, version=1)
    task = StartWorkflowTask("s", "other", request, 2)
    assert wire(task) == {
        "name": "s",
        "taskReferenceName": "s",
        "type": "START_WORKFLOW",
        "inputParameters": {
            "startWorkflow": {
                "name": "other",
                "version": 2,
                "input": {"a": "${workflow.input.a}"},
                "correlationId": "c",
                "priority": 5,
            }
        },
    }
    assert str(task.workflow_id) == "${s.output.workflowId}"
    by_dict = StartWorkflowTask("s", "other", {"input": {}, "correlationId": workflow.input.c})
    assert wire(by_dict)["inputParameters"]["startWorkflow"] == {
        "name": "other",
        "input": {},
        "correlationId": "${workflow.input.c}",
    }
    assert wire(StartWorkflowTask("s", "other"))["inputParameters"] == {"startWorkflow": {"name": "other"}}


# -- on the real server


@pytest.fixture
def child(new_workflow):
    made = new_workflow(InlineTask("double", "$.n * 2", {"n": workflow.input.n}), what="child")
    return made.output_parameters({"doubled": "${double.output.result}"})


@pytest.mark.server
@pytest.mark.anyio
@pytest.mark.parametrize("how", ["by name", "inline", "by expression"])
async def test_a_sub_workflow_runs_and_returns_its_output(perform, conductor, child, how):
    given = {"n": 21}
    if how == "by name":
        await child.register()
        task = SubWorkflowTask("s", child.name)
    elif how == "inline":
        task = InlineSubWorkflowTask("s", child)
    else:
        given["definition"] = child.to_workflow_def().to_wire()
        task = SubWorkflowTask("s", child.name, 1, workflow_definition=workflow.input.definition)
    task.input_parameters["n"] = workflow.input.n
    run = await perform(task, given=given, output={"doubled": task.output.doubled, "id": task.workflow_id})
    assert (run.status, run.output["doubled"]) == ("COMPLETED", 42)
    assert (await conductor.workflow.get_workflow(run.output["id"])).parent_workflow_id == run.workflow_id


@pytest.mark.server
@pytest.mark.anyio
async def test_start_workflow_does_not_wait(perform, conductor, child):
    await child.register()
    task = StartWorkflowTask("s", child.name, {"input": {"n": workflow.input.n}, "correlationId": "c", "priority": 7})
    run = await perform(task, given={"n": 4}, output={"id": task.workflow_id})
    assert run.status == "COMPLETED"
    started = await conductor.workflow.get_workflow(run.output["id"])
    assert (started.workflow_name, started.input, started.correlation_id, started.priority) == (
        child.name,
        {"n": 4},
        "c",
        7,
    )

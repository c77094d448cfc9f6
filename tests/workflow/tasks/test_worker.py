"""Tasks that workers run."""

from __future__ import annotations

import pytest

from conductor_async import ConductorWorkflow
from conductor_async.tasks import DynamicTask, InlineTask, SimpleTask, UserDefinedTask

workflow = ConductorWorkflow(name="w")


def wire(task):
    return task.to_workflow_task().to_wire()


def test_dynamic():
    task = DynamicTask(workflow.input.what, "d")
    assert wire(task) == {
        "name": "dynamic_task",
        "taskReferenceName": "d",
        "type": "DYNAMIC",
        "dynamicTaskNameParam": "taskToExecute",
        "inputParameters": {"taskToExecute": "${workflow.input.what}"},
    }
    task = DynamicTask("HTTP", "d", "which", name="mine")
    assert (wire(task)["dynamicTaskNameParam"], wire(task)["inputParameters"]) == ("which", {"which": "HTTP"})
    assert (wire(task)["name"], task.dynamic_task) == ("mine", "HTTP")
    task.dynamic_task = "INLINE"
    assert wire(task)["inputParameters"] == {"which": "INLINE"}


def test_a_user_defined_task_has_any_type():
    task = UserDefinedTask("u", "MY_TYPE", input_parameters={"a": 1})
    assert task.task_type == "MY_TYPE"
    assert wire(task) == {
        "name": "u",
        "taskReferenceName": "u",
        "type": "MY_TYPE",
        "inputParameters": {"a": 1},
    }
    task.task_type = "YOUR_TYPE"
    assert wire(task)["type"] == "YOUR_TYPE"
    assert wire(UserDefinedTask("u"))["type"] == "USER_DEFINED"


# -- on the real server


@pytest.mark.server
@pytest.mark.anyio
async def test_simple_tasks_and_those_of_other_types_wait_for_workers(conductor, new_name, new_workflow):
    simple, other = SimpleTask(new_name("greet"), "s"), UserDefinedTask("u", new_name("TYPE").upper())
    simple.input_parameters["name"] = other.input_parameters["name"] = workflow.input.name
    handle = await new_workflow(simple, other).start({"name": "Ada"})
    for task_type, ref in ((simple.name, "s"), (other.task_type, "u")):
        [task] = await conductor.task.batch_poll_tasks(task_type, timeout=5)
        assert (task.reference_task_name, task.input_data) == (ref, {"name": "Ada"})
        await conductor.task.update_task(task.to_task_result())
    assert (await conductor.workflow.get_workflow(handle.workflow_id)).status == "COMPLETED"


@pytest.mark.server
@pytest.mark.anyio
async def test_a_user_defined_task_waits_for_a_worker_of_that_type(conductor, new_name, new_workflow):
    task = UserDefinedTask("u", name=new_name("mine"))
    handle = await new_workflow(task).start()
    held = await conductor.workflow.get_workflow(handle.workflow_id)
    assert [(each.task_type, each.status) for each in held.tasks] == [("USER_DEFINED", "SCHEDULED")]
    await conductor.task.update_task_by_ref_name(handle.workflow_id, "u", "COMPLETED", {"done": True})
    held = await conductor.workflow.get_workflow(handle.workflow_id)
    assert (held.status, held.tasks[0].output_data) == ("COMPLETED", {"done": True})


@pytest.mark.server
@pytest.mark.anyio
async def test_a_dynamic_task_runs_the_task_of_its_input(perform):
    task = DynamicTask(workflow.input.what, "d")
    task.input_parameters.update(InlineTask("_", "$.a + 1", {"a": 2}).input_parameters)
    run = await perform(task, given={"what": "INLINE"})
    assert (run.status, run.output, run.tasks[0].task_type) == ("COMPLETED", {"result": 3}, "INLINE")

"""Completing open tasks by their reference name, and names that no task has."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import anyio
import pytest
from pydantic import BaseModel, Field, RootModel

from conductor_async import (
    ConductorClient,
    ConductorWorkflow,
    ConfigurationError,
    HumanTask,
    SimpleTask,
    SubWorkflowTask,
    WaitTask,
    WaitTimeoutError,
    WorkflowError,
    WorkflowFailedError,
)
from conductor_async.errors import NotFoundError
from conductor_async.tasks import DynamicForkTask, LoopTask, NoopTask, SetVariableTask

pytestmark = [pytest.mark.server, pytest.mark.anyio]

NewName = Callable[[str], str]


@pytest.fixture
def workflow(conductor: ConductorClient, new_name: NewName) -> ConductorWorkflow:
    return ConductorWorkflow(conductor.executor, new_name("open"))


@pytest.mark.parametrize("task", [WaitTask("approve"), HumanTask("approve"), SimpleTask("nobody_polls", "approve")])
async def test_a_task_of_any_type_is_completed_as_soon_as_it_is_there(workflow: ConductorWorkflow, task):
    handle = await (workflow >> WaitTask("first", wait_for_seconds=1) >> task).start()
    await handle.complete("approve", {"ok": True}, timeout=30)
    assert await handle.result(timeout=30) == {"ok": True}
    with pytest.raises(WorkflowError, match="ended COMPLETED"):
        await handle.complete("approve")


async def test_a_failed_task_fails_the_workflow_unless_it_is_retried(workflow: ConductorWorkflow):
    workflow >> SimpleTask("nobody_polls", "approve")
    handle = await workflow.start()
    await handle.fail("approve", "not today", {"by": "Ada"})
    with pytest.raises(WorkflowFailedError, match="not today"):
        await handle.result(timeout=30)
    handle = await workflow.start()
    await handle.fail("approve", "once more", retry=True)
    assert await handle.status() == "RUNNING"
    await handle.terminate()


async def test_each_iteration_of_a_loop_is_completed(workflow: ConductorWorkflow):
    handle = await (workflow >> LoopTask("loop", 2, [WaitTask("approve")])).start()
    await handle.complete("approve", {"n": 1})
    await handle.complete("approve__2", {"n": 2})
    run = await handle.wait(timeout=30)
    assert [run.get_task(task_reference_name=f"approve__{n}").output_data for n in (1, 2)] == [{"n": 1}, {"n": 2}]  # type: ignore[union-attr]


async def test_a_task_that_does_not_come_in_time_is_an_error_that_says_where_it_stands(workflow: ConductorWorkflow):
    handle = await (workflow >> WaitTask("first") >> WaitTask("second")).start()
    with pytest.raises(WaitTimeoutError, match=r"'second' .* 0\.1 s\. It is RUNNING\. Task 'first' is IN_PROGRESS"):
        await handle.complete("second", timeout=0.1)
    await handle.complete("first")
    with pytest.raises(WorkflowError, match=r"'first' .* is not open: it has ended COMPLETED"):
        await handle.complete("first")
    await handle.terminate()


async def test_a_signal_that_finds_nothing_says_where_the_execution_stands(workflow: ConductorWorkflow):
    handle = await (workflow >> HumanTask("approve")).start()
    with pytest.raises(NotFoundError, match=r"No WAIT task .* nothing to signal\. It is RUNNING\. Task 'approve'"):
        await handle.signal({"ok": True})
    await handle.terminate()


async def test_misspelled_reference_names_are_rejected_with_those_that_there_are(
    conductor: ConductorClient, workflow: ConductorWorkflow
):
    workflow >> [WaitTask("approve"), LoopTask("loop", 1, [WaitTask("inner")])] >> NoopTask("after")
    handle = await workflow.start()
    id_ = handle.workflow_id
    calls = [
        lambda: handle.wait_for_task("aprove"),
        lambda: handle.complete("aprove"),
        lambda: handle.fail("aprove"),
        lambda: handle.wait(wait_until_task_ref="loop,aprove"),
        lambda: conductor.executor.wait(id_, wait_until_task_ref=["aprove"]),
        lambda: workflow.execute(wait_until_task_ref="aprove"),
        lambda: conductor.task.update_task_by_ref_name(id_, "aprove", "COMPLETED"),
        lambda: conductor.executor.update_task_by_ref_name({}, id_, "aprove", "COMPLETED"),
    ]
    for call in calls:
        with (
            anyio.fail_after(20),
            pytest.raises(ConfigurationError, match=r"'aprove'\. Did you mean 'approve'\?") as caught,
        ):
            await call()
        assert "loop, inner" in str(caught.value)
    assert await conductor.task.update_task_by_ref_name(id_, "after", "COMPLETED") == ""  # not yet
    for reference in ("inner", "inner__1", "approve"):
        assert await conductor.task.update_task_by_ref_name(id_, reference, "COMPLETED") or reference != "approve"
    await handle.wait_for_task("inner__1", timeout=30)
    await handle.wait_for_task("after", timeout=30)


async def test_tasks_that_get_their_names_at_run_time_are_found(workflow: ConductorWorkflow, new_name: NewName):
    fork = DynamicForkTask("fork", tasks=workflow.input.tasks, tasks_inputs=workflow.input.inputs)
    handle = await (workflow >> fork).start(
        {"tasks": [{"name": "w", "taskReferenceName": "made_up", "type": "WAIT"}], "inputs": {"made_up": {}}}
    )
    await handle.complete("made_up", {"x": 1})
    assert (await handle.wait_for_task("made_up", timeout=30)).output_data == {"x": 1}


async def test_the_name_of_a_sub_workflow_task_is_found(
    conductor: ConductorClient, workflow: ConductorWorkflow, new_name: NewName
):
    child = ConductorWorkflow(conductor.executor, new_name("child")) >> NoopTask("inner")
    await child.register()
    workflow >> SubWorkflowTask("sub", child.name, 1, input_parameters={"a": 1})
    run = await workflow.execute(wait_until_task_ref="sub", timeout=30)
    assert run.get_task(task_reference_name="sub") is not None


# -- inputs ------------------------------------------------------------------------------------------


class Line(BaseModel):
    price: float = Field(alias="unitPrice")


@dataclasses.dataclass
class Order:
    customer: str
    lines: list[Line]


async def test_inputs_are_dicts_models_or_dataclasses_under_one_name(
    conductor: ConductorClient, workflow: ConductorWorkflow
):
    workflow >> SetVariableTask("set")
    workflow.output_parameters({"input": "${workflow.input}"})
    await workflow.register()
    order = Order("Ada", [Line(unitPrice=2.5)])
    sent = {"customer": "Ada", "lines": [{"unitPrice": 2.5}]}
    execute, name = conductor.executor.execute, workflow.name
    for given, expected in ((order, sent), (order.lines[0], sent["lines"][0]), (dict(sent), sent), (None, {})):
        runs = [
            await execute(name, input=given, timeout=30),
            await execute(name, workflow_input=given, timeout=30),  # type: ignore[call-overload, unused-ignore]
            await execute(name, None, given, timeout=30),
            await workflow.execute(given, timeout=30),
            await workflow.execute(input=given, timeout=30),
            await workflow.execute(workflowInput=given, timeout=30),  # type: ignore[call-overload, unused-ignore]
        ]
        assert [run.input for run in runs] == [expected] * 6
    assert await workflow.start_workflow_with_input(workflow_input=order)  # type: ignore[call-arg, unused-ignore]
    run = await workflow(workflow_input=1, input=2)  # a user's own names
    assert run.input == {"workflow_input": 1, "input": 2}


async def test_an_input_in_the_place_of_the_version_says_what_to_write(conductor: ConductorClient):
    for given in ({"name": "Ada"}, Line(unitPrice=1)):
        for call in (conductor.executor.execute, conductor.executor.start):
            with pytest.raises(TypeError, match=r"version is a number, .*: write 'h', input=\{…\}"):
                await call("h", given)  # type: ignore[arg-type]
    for wrong in ("text", [1], 5, RootModel[list[int]]([1])):
        with pytest.raises(TypeError, match="input is a dict, a pydantic model or a dataclass"):
            await conductor.executor.start("h", input=wrong)  # type: ignore[arg-type]

"""From definitions back to workflows: the same definition again, and more tasks."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conductor_async import ConductorClient
from conductor_async.errors import WorkflowDefinitionError
from conductor_async.models import WorkflowDef
from conductor_async.workflow import (
    ConductorWorkflow,
    DoWhileTask,
    ForkTask,
    HttpTask,
    InlineTask,
    JoinTask,
    LoopTask,
    NoopTask,
    SetVariableTask,
    SimpleTask,
    SwitchTask,
    TerminateTask,
    WaitTask,
)
from conductor_async.workflow.difference import diff
from tests.fakes.recorded import recorded_definitions


def again(definition: WorkflowDef) -> WorkflowDef:
    return ConductorWorkflow.from_workflow_def(definition).to_workflow_def()


def test_every_definition_that_the_server_has_sent_or_got_comes_back_the_same():
    number = 0
    for case, found in recorded_definitions():
        given = copy.deepcopy(found)
        definition = WorkflowDef.model_validate(found)
        assert again(definition).to_wire() == definition.to_wire() == given, case
        assert found == given
        number += 1
    assert number > 200


def test_what_is_unknown_and_what_is_null_is_kept():
    wire = {
        "name": "w",
        "failureWorkflow": None,
        "tasks": [
            {
                "name": "t",
                "taskReferenceName": "t",
                "type": "TYPE_OF_TOMORROW",
                "newField": {"a": [None]},
                "description": None,
                "optional": False,
                "inputParameters": {},
                "loopOver": [{"name": "i", "taskReferenceName": "i", "type": "NOOP", "other_new": 1}],
            }
        ],
        "outputParameters": {},
        "some_new_setting": [1, {"b": None}],
        "timeoutPolicy": "POLICY_OF_TOMORROW",
        "createTime": 5,
    }
    assert again(WorkflowDef.model_validate(wire)).to_wire() == wire


@pytest.mark.parametrize("wire", [{}, {"name": "w"}, {"name": "w", "tasks": []}, {"name": "w", "version": 3}])
def test_what_was_not_set_is_not_set(wire: dict[str, Any]):
    assert again(WorkflowDef.model_validate(wire)).to_wire() == wire


def fetched() -> WorkflowDef:
    workflow = ConductorWorkflow(name="order", version=4) >> SimpleTask("reserve", "reserve_ref")
    workflow >> [SimpleTask("charge"), SimpleTask("pack")]
    return workflow.output_parameters({"a": 1}).timeout_seconds(60).to_workflow_def()


def test_more_can_be_added_and_changed():
    definition = fetched()
    workflow = ConductorWorkflow.from_workflow_def(definition)
    assert (workflow.name, workflow.version) == ("order", 4)
    reserve = workflow.task("reserve_ref")
    assert reserve.task_type == "SIMPLE"
    reserve.retry_count = 3
    reserve.input_parameters["item"] = workflow.input.item
    workflow >> SimpleTask("ship", input_parameters={"to": reserve.output.address, "paid": "${charge.output.x}"})
    workflow.output_parameter("b", reserve.output.b).timeout_seconds(0)
    workflow.version = 5
    assert str(diff(definition, workflow.to_workflow_def())).splitlines() == [
        "~ version: 4 → 5",
        '+ outputParameters.b: "${reserve_ref.output.b}"',
        "~ timeoutSeconds: 60 → 0",
        "+ tasks['reserve_ref'].inputParameters.item: \"${workflow.input.item}\"",
        "+ tasks['reserve_ref'].retryCount: 3",
        "+ tasks['ship']: SIMPLE task 'ship'",
    ]
    assert again(definition).to_wire() == definition.to_wire() == fetched().to_wire()


def test_a_setting_that_was_taken_back_is_gone():
    definition = WorkflowDef(name="w", workflow_status_listener_sink="s", workflow_status_listener_enabled=True)
    workflow = ConductorWorkflow.from_workflow_def(definition).disable_status_listener()
    assert workflow.to_workflow_def().to_wire() == {"name": "w", "workflowStatusListenerEnabled": False}


def test_a_fork_takes_its_join_from_the_code_that_goes_on():
    fork = WorkflowDef(name="w", tasks=[ForkTask("f", [SimpleTask("a"), SimpleTask("b")]).to_workflow_task()])
    workflow = ConductorWorkflow.from_workflow_def(fork) >> JoinTask("j")
    assert workflow.to_workflow_def().tasks[1].join_on == ["a", "b"]


def test_only_problems_that_are_added_are_refused():
    broken = WorkflowDef(
        name="w", tasks=[SimpleTask("a", input_parameters={"x": "${gone.output.x}"}).to_workflow_task()]
    )
    workflow = ConductorWorkflow.from_workflow_def(broken)
    assert workflow.to_workflow_def().to_wire() == broken.to_wire()
    workflow >> SimpleTask("b", input_parameters={"x": "${gone.output.x}"}) >> SimpleTask("a")
    with pytest.raises(WorkflowDefinitionError) as caught:
        workflow.to_workflow_def()
    assert [problem.partition(": ")[0] for problem in caught.value.problems] == [
        "tasks[1].inputParameters.x",
        "tasks[2]",
    ]


def test_nothing_is_shared():
    definition = fetched()
    workflow = ConductorWorkflow.from_workflow_def(definition)
    workflow.task("reserve_ref").input_parameters["a"] = {"b": 1}
    first = workflow.to_workflow_def()
    first.tasks[0].input_parameters["a"]["b"] = 2
    first.tasks[1].fork_tasks[0][0].name = "other"
    assert definition.to_wire() == fetched().to_wire()
    assert workflow.to_workflow_def().tasks[0].input_parameters == {"a": {"b": 1}}
    assert workflow.to_workflow_def().tasks[1].fork_tasks[0][0].name == "charge"


def test_finding_a_task():
    inner = SimpleTask("inner")
    workflow = ConductorWorkflow(name="w") >> SwitchTask("s", "x").case("a", [LoopTask("l", 2, [[inner]])])
    assert workflow.task("inner") is inner
    with pytest.raises(KeyError, match="workflow 'w' has no task 'outer'"):
        workflow.task("outer")


# -- generated workflows -----------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab c$", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab .", max_size=3), inner, max_size=3),
    max_leaves=6,
)
INPUTS = st.dictionaries(st.text("abc_", min_size=1, max_size=3), JSON, max_size=3)


@st.composite
def generated(draw: st.DrawFn) -> ConductorWorkflow:
    count = iter(range(1000))

    def steps(depth: int, least: int = 1) -> list[Any]:
        return [step(depth) for _ in range(draw(st.integers(least, 3)))]

    def step(depth: int) -> Any:
        ref = f"t{next(count)}"
        kinds = ["simple", "noop", "inline", "wait", "set", "http", "end"]
        match draw(st.sampled_from(kinds + ["fork", "switch", "loop", "child"] * (depth > 0))):
            case "simple":
                options = {
                    "retry_count": draw(st.none() | st.integers(0, 3)),
                    "optional": draw(st.none() | st.booleans()),
                }
                return SimpleTask("work", ref, input_parameters=draw(INPUTS), **options)
            case "inline":
                return InlineTask(ref, "$.a", draw(INPUTS))
            case "wait":
                return WaitTask(ref, wait_for_seconds=draw(st.none() | st.integers(1, 9)))
            case "set":
                return SetVariableTask(ref, draw(INPUTS))
            case "http":
                return HttpTask(ref, {"uri": "http://localhost/", "body": draw(JSON)})
            case "end":
                return TerminateTask(ref, "COMPLETED", workflow_output=draw(INPUTS))
            case "fork":
                return ForkTask(ref, [steps(depth - 1) for _ in range(draw(st.integers(1, 3)))])
            case "switch":
                switch = SwitchTask(ref, "${workflow.input.x}")
                for name in draw(st.lists(st.text("ab'\" [", max_size=3), min_size=1, max_size=3, unique=True)):
                    switch.case(name, steps(depth - 1, 0))
                return switch.default(steps(depth - 1, 0))
            case "loop":
                return DoWhileTask(ref, f"$.{ref}.iteration < 2", steps(depth - 1))
            case "child":
                return described(f"child_{ref}", depth - 1)
            case _:
                return NoopTask(ref)

    def described(name: str, depth: int) -> ConductorWorkflow:
        return ConductorWorkflow(name=name, version=draw(st.none() | st.integers(1, 3))).add(steps(depth))

    workflow = described("generated", 3).output_parameters(draw(INPUTS)).variables(draw(INPUTS))
    return workflow.restartable(False) if draw(st.booleans()) else workflow


@given(generated())
def test_whatever_is_built_comes_back_the_same(workflow: ConductorWorkflow):
    definition = workflow.to_workflow_def()
    assert again(definition).to_wire() == definition.to_wire()
    loaded = WorkflowDef.model_validate(definition.to_wire())
    assert again(loaded).to_wire() == definition.to_wire()
    assert not diff(definition, again(loaded))


@pytest.mark.server
@pytest.mark.asyncio
async def test_what_is_registered_and_fetched_means_the_same(server_url: str, new_name: Any):
    samples: list[ConductorWorkflow] = []

    @given(generated())
    def collect(workflow: ConductorWorkflow) -> None:
        samples.append(workflow)

    collect()
    async with ConductorClient(server_url) as conductor:
        for number, workflow in enumerate(samples[:: len(samples) // 12]):
            workflow.executor, workflow.name = conductor.executor, new_name(f"generated_{number}")
            await workflow.register()
            found = await conductor.metadata.get_workflow_def(workflow.name)
            assert str(diff(workflow.to_workflow_def(), found)) == "no difference"
            assert again(found).to_wire() == found.to_wire()
            await conductor.metadata.unregister_workflow_def(workflow.name, found.version)

"""Builders of existing definitions: the same definition again, and more tasks."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from conductor_async import ConductorWorkflow
from conductor_async.errors import WorkflowDefinitionError
from conductor_async.models import WorkflowDef
from conductor_async.tasks import ForkTask, JoinTask, LoopTask, SimpleTask, SwitchTask
from conductor_async.workflow.definition_diff import diff
from tests.fakes.recorded import recorded_definitions


def again(definition: WorkflowDef) -> WorkflowDef:
    return ConductorWorkflow.from_workflow_def(definition).to_workflow_def()


def test_every_recorded_definition_is_rebuilt_unchanged():
    number = 0
    for case, found in recorded_definitions():
        given = copy.deepcopy(found)
        definition = WorkflowDef.model_validate(found)
        assert again(definition).to_wire() == definition.to_wire() == given, case
        assert found == given
        number += 1
    assert number > 200


def test_unknown_fields_and_nulls_are_kept():
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
def test_absent_fields_stay_absent(wire: dict[str, Any]):
    assert again(WorkflowDef.model_validate(wire)).to_wire() == wire


def fetched() -> WorkflowDef:
    workflow = ConductorWorkflow(name="order", version=4) >> SimpleTask("reserve", "reserve_ref")
    workflow >> [SimpleTask("charge"), SimpleTask("pack")]
    return workflow.output_parameters({"a": 1}).timeout_seconds(60).to_workflow_def()


def test_tasks_and_settings_can_be_added_and_changed():
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


def test_a_cleared_setting_is_not_sent():
    definition = WorkflowDef(name="w", workflow_status_listener_sink="s", workflow_status_listener_enabled=True)
    workflow = ConductorWorkflow.from_workflow_def(definition).disable_status_listener()
    assert workflow.to_workflow_def().to_wire() == {"name": "w", "workflowStatusListenerEnabled": False}


def test_a_fork_at_the_end_is_joined_by_the_join_task_that_is_added():
    fork = WorkflowDef(name="w", tasks=[ForkTask("f", [SimpleTask("a"), SimpleTask("b")]).to_workflow_task()])
    workflow = ConductorWorkflow.from_workflow_def(fork) >> JoinTask("j")
    assert workflow.to_workflow_def().tasks[1].join_on == ["a", "b"]


def test_only_new_problems_are_errors():
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


def test_the_definition_is_copied():
    definition = fetched()
    workflow = ConductorWorkflow.from_workflow_def(definition)
    workflow.task("reserve_ref").input_parameters["a"] = {"b": 1}
    first = workflow.to_workflow_def()
    first.tasks[0].input_parameters["a"]["b"] = 2
    first.tasks[1].fork_tasks[0][0].name = "other"
    assert definition.to_wire() == fetched().to_wire()
    assert workflow.to_workflow_def().tasks[0].input_parameters == {"a": {"b": 1}}
    assert workflow.to_workflow_def().tasks[1].fork_tasks[0][0].name == "charge"


def test_task_finds_a_task_by_reference_name():
    inner = SimpleTask("inner")
    workflow = ConductorWorkflow(name="w") >> SwitchTask("s", "x").case("a", [LoopTask("l", 2, [[inner]])])
    assert workflow.task("inner") is inner
    with pytest.raises(KeyError, match="workflow 'w' has no task 'outer'"):
        workflow.task("outer")

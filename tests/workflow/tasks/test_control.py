"""Switches, decisions and termination."""

from __future__ import annotations

import pytest

from conductor_async import ConductorWorkflow, WorkflowStatus
from conductor_async.errors import WorkflowDefinitionError
from conductor_async.tasks import (
    DecisionTask,
    ExclusiveJoinTask,
    InlineTask,
    NoopTask,
    SimpleTask,
    SwitchTask,
    TerminateTask,
    WaitTask,
)

workflow = ConductorWorkflow(name="w")


def wire(task):
    return task.to_workflow_task().to_wire()


def refs(tasks):
    return [task["taskReferenceName"] for task in tasks]


def test_switch_by_value():
    switch = SwitchTask("route", workflow.input.country).case("US", NoopTask("a")).default(NoopTask("b"))
    assert wire(switch) == {
        "name": "route",
        "taskReferenceName": "route",
        "type": "SWITCH",
        "inputParameters": {"switchCaseValue": "${workflow.input.country}"},
        "evaluatorType": "value-param",
        "expression": "switchCaseValue",
        "decisionCases": {"US": [{"name": "a", "taskReferenceName": "a", "type": "NOOP"}]},
        "defaultCase": [{"name": "b", "taskReferenceName": "b", "type": "NOOP"}],
    }


def test_switch_by_script():
    switch = SwitchTask("size", "$.n > 9 ? 'large' : 'small'", use_javascript=True, input_parameters={"n": 12})
    switch.switch_case("large", [NoopTask("a")]).default_case([NoopTask("b")])  # conductor-python's words
    assert wire(switch) == {
        "name": "size",
        "taskReferenceName": "size",
        "type": "SWITCH",
        "inputParameters": {"n": 12},
        "evaluatorType": "graaljs",
        "expression": "$.n > 9 ? 'large' : 'small'",
        "decisionCases": {"large": [{"name": "a", "taskReferenceName": "a", "type": "NOOP"}]},
        "defaultCase": [{"name": "b", "taskReferenceName": "b", "type": "NOOP"}],
    }
    assert wire(SwitchTask("s", "x", evaluator_type="python"))["evaluatorType"] == "python"


def test_a_case_holds_steps():
    a, b, c, d = (SimpleTask(name) for name in "abcd")
    sequence = wire(SwitchTask("s", "x").case("1", [a, b]).case("2", c >> d))["decisionCases"]
    assert refs(sequence["1"]) == ["a", "b"]
    assert refs(sequence["2"]) == ["c", "d"]
    child = ConductorWorkflow(name="child") >> SimpleTask("e")
    deep = wire(SwitchTask("s", "x").case("1", [a, [b, c], child]).case("2", SwitchTask("t", "y").case("z", d)))
    assert refs(deep["decisionCases"]["1"]) == ["a", "fork_b", "join_b", "child"]
    assert refs(deep["decisionCases"]["2"][0]["decisionCases"]["z"]) == ["d"]


def test_case_names_are_values_as_the_server_prints_them():
    switch = SwitchTask("s", "x").case(True, NoopTask("a")).case(1, NoopTask("b")).case(1.0, NoopTask("c"))
    assert list(switch.decision_cases) == ["true", "1", "1.0"]
    with pytest.raises(WorkflowDefinitionError, match="has a case 'true' already"):
        switch.case("true", [])


def test_references_to_a_switch():
    assert str(SwitchTask("s", "x").selected_case) == "${s.output.selectedCase}"
    assert str(DecisionTask("s", "x").selected_case) == "${s.output.caseOutput[0]}"


def test_decision():
    by_value = wire(DecisionTask("d", workflow.input.x).case("1", NoopTask("a")))
    assert (by_value["caseValueParam"], by_value["inputParameters"]) == (
        "switchCaseValue",
        {"switchCaseValue": "${workflow.input.x}"},
    )
    by_script = wire(DecisionTask("d", "$.x > 1 ? 'a' : 'b'", use_javascript=True, input_parameters={"x": 2}))
    assert (by_script["caseExpression"], by_script["inputParameters"]) == ("$.x > 1 ? 'a' : 'b'", {"x": 2})


def test_terminate():
    task = TerminateTask("end", WorkflowStatus.COMPLETED, "enough", {"total": workflow.input.total})
    assert wire(task) == {
        "name": "end",
        "taskReferenceName": "end",
        "type": "TERMINATE",
        "inputParameters": {
            "terminationStatus": "COMPLETED",
            "terminationReason": "enough",
            "workflowOutput": {"total": "${workflow.input.total}"},
        },
    }
    assert wire(TerminateTask("end", "FAILED"))["inputParameters"] == {"terminationStatus": "FAILED"}
    task.status, task.termination_reason, task.workflow_output = "TERMINATED", "no", None
    assert wire(task)["inputParameters"] == {"terminationStatus": "TERMINATED", "terminationReason": "no"}
    with pytest.raises(WorkflowDefinitionError, match="COMPLETED, FAILED, TERMINATED, not as PAUSED"):
        TerminateTask("end", WorkflowStatus.PAUSED)


# -- on the real server


@pytest.mark.server
@pytest.mark.anyio
@pytest.mark.parametrize(
    ("country", "ran"), [("US", ["a1", "a2"]), ("DE", ["b1", "b2"]), ("FR", ["c"])], ids=["list", "fork", "default"]
)
async def test_a_switch_runs_the_case_of_a_value(perform, country, ran):
    switch = SwitchTask("route", workflow.input.country)
    switch.case("US", [NoopTask("a1"), NoopTask("a2")])
    switch.case("DE", [[NoopTask("b1"), NoopTask("b2")]])
    switch.default(NoopTask("c"))
    run = await perform(switch, given={"country": country}, output={"selected": switch.selected_case})
    assert (run.status, run.output) == ("COMPLETED", {"selected": country})
    noops = [task.reference_task_name for task in run.tasks if task.task_type == "NOOP"]
    assert noops == ran


@pytest.mark.server
@pytest.mark.anyio
@pytest.mark.parametrize("task_class", [SwitchTask, DecisionTask])
async def test_a_switch_runs_the_case_of_a_script(perform, task_class):
    switch = task_class("size", "$.n > 9 ? 'large' : 'small'", use_javascript=True)
    switch.input_parameters["n"] = workflow.input.n
    switch.case("large", NoopTask("l")).case("small", NoopTask("s"))
    run = await perform(switch, given={"n": 12}, output={"selected": switch.selected_case})
    assert (run.status, run.output) == ("COMPLETED", {"selected": "large"})
    assert [task.reference_task_name for task in run.tasks] == ["size", "l"]


@pytest.mark.server
@pytest.mark.anyio
async def test_a_switch_on_a_boolean_and_an_exclusive_join_after_it(perform):
    switch = SwitchTask("s", workflow.input.flag)
    switch.case(True, InlineTask("yes", "'y'")).case(False, InlineTask("no", "'n'"))
    join = ExclusiveJoinTask("either", ["yes", "no"])
    run = await perform(switch, join, given={"flag": False}, output={"said": join.output.result})
    assert (run.status, run.output) == ("COMPLETED", {"said": "n"})


@pytest.mark.server
@pytest.mark.anyio
async def test_a_decision_by_value(perform):
    decision = DecisionTask("d", workflow.input.x).case("1", NoopTask("one")).default(NoopTask("other"))
    run = await perform(decision, given={"x": 1}, output={"selected": decision.selected_case})
    assert (run.status, run.output) == ("COMPLETED", {"selected": "1"})
    assert [task.reference_task_name for task in run.tasks] == ["d", "one"]


@pytest.mark.server
@pytest.mark.anyio
async def test_terminate_ends_the_workflow_with_its_output(perform):
    end = TerminateTask("end", "COMPLETED", "enough", {"total": workflow.input.total})
    run = await perform([end, WaitTask("never")], given={"total": 7}, output={"total": "of the workflow"})
    assert (run.status, run.output) == ("COMPLETED", {"total": 7})
    assert run.get_task(task_reference_name="never").status == "CANCELED"
    run = await perform(TerminateTask("end", "COMPLETED", workflow_output=workflow.input.total), given={"total": 7})
    assert run.output == {"output": 7}


@pytest.mark.server
@pytest.mark.anyio
@pytest.mark.parametrize("status", ["FAILED", "TERMINATED"])
async def test_terminate_ends_the_workflow_with_a_reason(perform, status):
    run = await perform(TerminateTask("end", status, f"no {workflow.input.what} left"), given={"what": "tea"})
    assert run.status == status
    assert "no tea left" in run.reason_for_incompletion

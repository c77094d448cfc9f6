"""SWITCH, DECISION, TERMINATE."""

from __future__ import annotations

import pytest

from conductor_async.engine.errors import Refused
from tests.engine.bench import Bench, set_variable, task


def _switch(cases: dict, default: list | None = None, **fields: object) -> dict:
    return task(
        "s",
        "SWITCH",
        **{
            "evaluatorType": "value-param",
            "expression": "p",
            "inputParameters": {"p": "${workflow.input.p}"},
            **fields,
        },
        decisionCases=cases,
        defaultCase=default or [],
    )


@pytest.mark.parametrize(("value", "key"), [("a", "a"), (1, "1"), (True, "true"), (None, "null"), (1.0, "1.0")])
def test_a_case_is_chosen_by_the_string_of_the_value(bench: Bench, value: object, key: str) -> None:
    cases = {
        case: [set_variable(f"v{number}", took=case)] for number, case in enumerate(["a", "1", "true", "null", "1.0"])
    }
    workflow_id = bench.run(_switch(cases, [set_variable("d", took="default")]), input={"p": value})
    row = bench.tasks(workflow_id)["s"]
    assert row["outputData"] == {"evaluationResult": [key], "selectedCase": key}
    assert row["inputData"] == {"p": value, "case": key, "hasChildren": "true"}
    assert bench.execution(workflow_id)["variables"] == {"took": key}


def test_a_switch_without_a_matching_case_takes_the_default(bench: Bench) -> None:
    workflow_id = bench.run(_switch({"a": []}, [set_variable("d", took="default")]), input={"p": "zz"})
    assert bench.execution(workflow_id)["variables"] == {"took": "default"}


def test_an_empty_case_of_a_switch_does_nothing(bench: Bench) -> None:
    workflow_id = bench.run(
        _switch({"a": []}, [set_variable("d", took="default")]), set_variable("end", e=1), input={"p": "a"}
    )
    assert bench.states(workflow_id) == ["s COMPLETED", "end COMPLETED"]
    assert "hasChildren" not in bench.tasks(workflow_id)["s"]["inputData"]


def test_switches_by_script_can_be_nested(bench: Bench) -> None:
    inner = task(
        "s2", "SWITCH", evaluatorType="javascript", expression="$.q", inputParameters={"q": "x"},
        decisionCases={"x": [set_variable("deep", d=1)]},
    )  # fmt: skip
    outer = _switch(
        {"a": [set_variable("first", f=1), inner, set_variable("last", l="${deep.status}")]},
        evaluatorType="graaljs",
        expression='$.n > 5 ? "a" : "b"',
        inputParameters={"n": "${workflow.input.n}"},
    )
    workflow_id = bench.run(outer, set_variable("after"), input={"n": 7})
    order = ["s", "first", "s2", "deep", "last", "after"]
    assert bench.states(workflow_id) == [f"{ref} COMPLETED" for ref in order]
    assert bench.execution(workflow_id)["variables"]["l"] == "COMPLETED"


def test_a_failing_script_of_a_switch_fails_the_workflow(bench: Bench) -> None:
    workflow_id = bench.run(_switch({"a": [task("x")]}, evaluatorType="javascript", expression="nope.x"))
    assert (bench.status(workflow_id), bench.states(workflow_id)) == ("FAILED", ["s FAILED"])


def test_an_empty_case_of_a_decision_takes_the_default(bench: Bench) -> None:
    decision = task(
        "d", "DECISION", caseValueParam="p", inputParameters={"p": "a"},
        decisionCases={"a": []}, defaultCase=[set_variable("v", took="default")],
    )  # fmt: skip
    workflow_id = bench.run(decision)
    assert bench.tasks(workflow_id)["d"]["outputData"] == {"caseOutput": ["a"]}
    assert bench.execution(workflow_id)["variables"] == {"took": "default"}


def _terminate(status: str, **values: object) -> dict:
    return task("t", "TERMINATE", inputParameters={"terminationStatus": status, **values})


def test_terminate_completes_a_workflow_early(bench: Bench) -> None:
    workflow_id = bench.run(
        set_variable("v"),
        _terminate("COMPLETED", workflowOutput={"a": "${workflow.input.x}"}),
        set_variable("never"),
        input={"x": 5},
        outputParameters={"ignored": 1},
    )
    execution = bench.execution(workflow_id)
    assert (execution["status"], execution["output"]) == ("COMPLETED", {"a": 5})
    assert execution["reasonForIncompletion"] == (
        f"Workflow is COMPLETED by TERMINATE task: {bench.tasks(workflow_id)['t']['taskId']}"
    )
    assert bench.states(workflow_id) == ["v COMPLETED", "t COMPLETED"]


@pytest.mark.parametrize("status", ["FAILED", "TERMINATED"])
def test_terminate_ends_a_workflow_with_its_status(bench: Bench, status: str) -> None:
    execution = bench.execution(bench.run(_terminate(status, terminationReason="why", workflowOutput=5)))
    assert (execution["status"], execution["reasonForIncompletion"]) == (status, "why")
    assert execution["output"] == {"output": 5}


def test_terminate_in_a_branch_cancels_the_other_branches(bench: Bench) -> None:
    workflow_id = bench.run(
        task("f", "FORK_JOIN", forkTasks=[[task("a")], [_terminate("COMPLETED")]]), task("j", "JOIN", joinOn=["a", "t"])
    )
    assert bench.status(workflow_id) == "COMPLETED"
    assert bench.states(workflow_id) == ["f COMPLETED", "a CANCELED", "t COMPLETED", "j CANCELED"]
    assert bench.engine.tasks.poll("a") is None


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ({"k": 1}, "util.LinkedHashMap"),
        ([1], "util.ArrayList"),
        (1, "lang.Integer"),
        (2**40, "lang.Long"),
        (2**70, "math.BigInteger"),
        (1.5, "lang.Double"),
        (True, "lang.Boolean"),
    ],
)
def test_a_termination_reason_must_be_a_string(bench: Bench, reason: object, kind: str) -> None:
    values = {"terminationStatus": "COMPLETED", "terminationReason": "${workflow.input.r}"}
    ending = task("t", "TERMINATE", inputParameters=values)
    with pytest.raises(Refused) as caught:
        bench.run(ending, input={"r": reason})
    assert caught.value.message.startswith(f"class java.{kind} cannot be cast to class java.lang.String (java.{kind} ")

    later = bench.run(task("a"), ending, input={"r": reason})
    with pytest.raises(Refused):
        bench.work("a")
    assert (bench.status(later), bench.states(later)) == ("RUNNING", ["a COMPLETED", "t COMPLETED"])
    bench.engine.workflows.terminate(later)
    assert bench.status(later) == "TERMINATED"

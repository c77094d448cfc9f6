"""CF52, CF53: switches."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.wire import Transport, references, row, statuses, task, variables

pytestmark = pytest.mark.anyio


def switch(ref: str, expression: str, cases: dict[str, Any], evaluator: str = "javascript", **fields: Any) -> Any:
    return task("SWITCH", ref, evaluatorType=evaluator, expression=expression, decisionCases=cases, **fields)


@pytest.mark.parametrize(
    ("value", "key", "ran"),
    [
        ("a", "a", "A"),
        (1, "1", "ONE"),
        (True, "true", "TRUE"),
        (None, "null", "NULL"),
        (1.0, "1.0", "ONE_POINT"),
        ("zz", "zz", "DEFAULT"),
    ],
)
async def test_cf52_the_case_is_the_text_of_the_value(wire: Transport, value: Any, key: str, ran: str) -> None:
    named = {"a": "A", "1": "ONE", "true": "TRUE", "null": "NULL", "1.0": "ONE_POINT"}
    cases = {each: [variables(name)] for each, name in named.items()}
    decide = switch("s", "p", cases, "value-param", inputParameters={"p": value}, defaultCase=[variables("DEFAULT")])
    execution = await wire.run(decide)
    assert (execution["status"], references(execution)) == ("COMPLETED", ["s", ran])
    decided = row(execution, "s")
    assert decided["outputData"] == {"evaluationResult": [key], "selectedCase": key}
    assert (decided["inputData"]["case"], decided["inputData"]["hasChildren"]) == (key, "true")


FOUND = "${workflow.input.l[*]}"
"""A path that may lead to several values. Their list writes itself as JSON until it has been stored."""


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (FOUND, '["a",{"k":1}]'),
        ([FOUND], '[["a",{"k":1}]]'),
        ({"x": FOUND}, '{x=["a",{"k":1}]}'),
        ("${workflow.input.l}", "[a, {k=1}]"),
    ],
)
async def test_cf52_the_values_that_a_path_leads_to_are_json(wire: Transport, value: Any, key: str) -> None:
    decide = switch("s", "p", {"x": []}, "value-param", inputParameters={"p": value})
    old = task("DECISION", "d", caseValueParam="p", inputParameters={"p": value}, decisionCases={"x": [variables("v")]})
    execution = await wire.run(decide, old, input={"l": ["a", {"k": 1}]})
    assert row(execution, "s")["outputData"]["selectedCase"] == key
    assert row(execution, "d")["outputData"]["caseOutput"] == [key]


async def test_cf52_the_values_that_a_path_leads_to_are_a_list_when_they_have_been_stored(wire: Transport) -> None:
    def case(ref: str) -> Any:
        return switch(ref, "p", {"x": []}, "value-param", inputParameters={"p": "${workflow.variables.found}"})

    definition = wire.definition(variables("v", found=FOUND), case("before"), task("HUMAN", "h"), case("after"))
    workflow_id = await wire.start(definition["name"], {"l": ["a", {"k": 1}]}, workflowDef=definition)
    await wire.update(row(await wire.execution(workflow_id), "h"))
    execution = await wire.ended(workflow_id)
    cases = [row(execution, ref)["outputData"]["selectedCase"] for ref in ("before", "after")]
    assert cases == ['["a",{"k":1}]', "[a, {k=1}]"]


async def test_cf53_a_script_decides_and_branches_run_in_order(wire: Transport) -> None:
    inner = switch("inner", '$.n > 6 ? "x" : "y"', {"x": [variables("x1")], "y": [variables("y1")]})
    inner["inputParameters"] = {"n": "${workflow.input.n}"}
    outer = switch(
        "outer",
        '$.n > 5 ? "a" : "b"',
        {"a": [variables("a1"), inner, variables("a3")], "b": [variables("b1")]},
        inputParameters={"n": "${workflow.input.n}"},
    )
    execution = await wire.run(outer, variables("after"), input={"n": 7})
    assert execution["status"] == "COMPLETED"
    assert references(execution) == ["outer", "a1", "inner", "x1", "a3", "after"]


async def test_cf53_a_script_that_throws_fails_the_workflow(wire: Transport) -> None:
    execution = await wire.run(switch("s", 'throw new Error("boom")', {"a": [variables("a1")]}), variables("after"))
    assert (execution["status"], statuses(execution)) == ("FAILED", {"s": "FAILED"})


async def test_cf53_an_empty_case_does_nothing_and_is_not_the_default(wire: Transport) -> None:
    decide = switch("s", "'a'", {"a": [], "b": [variables("b1")]}, defaultCase=[variables("other")])
    execution = await wire.run(decide, variables("after"))
    assert (execution["status"], references(execution)) == ("COMPLETED", ["s", "after"])

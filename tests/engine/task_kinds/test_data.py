"""NOOP, SET_VARIABLE, INLINE, LAMBDA, JSON_JQ_TRANSFORM."""

from __future__ import annotations

import pytest

from tests.engine.bench import Bench, set_variable, task


def test_set_variable(bench: Bench) -> None:
    workflow_id = bench.run(
        set_variable("a", x=1, o={"k": 1}),
        set_variable("b", o={"k2": 1}),
        set_variable("c", seen="${workflow.variables.o.k2}"),
        variables={"init": 0},
    )
    execution = bench.execution(workflow_id)
    assert execution["variables"] == {"init": 0, "x": 1, "o": {"k2": 1}, "seen": 1}
    assert [row["outputData"] for row in execution["tasks"]] == [{}, {}, {}]


def test_variables_have_a_size_limit(bench: Bench) -> None:
    workflow_id = bench.run(set_variable("a", x="y" * 300_000))
    row = bench.tasks(workflow_id)["a"]
    assert row["status"] == "FAILED_WITH_TERMINAL_ERROR"
    assert "greater than the permissible limit: 256 kilobytes" in row["reasonForIncompletion"]
    assert bench.execution(workflow_id)["variables"] == {}


@pytest.mark.parametrize(
    ("expression", "result"),
    [("1+2", 3), ("(function(){return {a:$.x,b:[1,null]}})()", {"a": 1, "b": [1, None]}), ("undefined", None)],
)
def test_inline(bench: Bench, expression: str, result: object) -> None:
    workflow_id = bench.run(task("i", "INLINE", inputParameters={"expression": expression, "x": 1}))
    assert bench.tasks(workflow_id)["i"]["outputData"] == {"result": result}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"expression": "throw new Error('boom')"}, "Error evaluating the script `Error: boom`"),
        ({"expression": " "}, "Empty 'expression' in Inline task's input parameters. A non-empty String value must"),
        ({"expression": "1", "evaluatorType": "nope"}, "Unknown evaluator 'nope' in INLINE task."),
        ({"expression": "1", "evaluatorType": "python"}, "The embedded engine has no evaluator 'python'"),
    ],
)
def test_a_failing_inline_task_is_final(bench: Bench, values: dict, reason: str) -> None:
    row = bench.tasks(bench.run(task("i", "INLINE", inputParameters=values)))["i"]
    assert row["status"] == "FAILED_WITH_TERMINAL_ERROR"
    assert row["reasonForIncompletion"].startswith(reason)
    assert row["outputData"] == {"error": row["reasonForIncompletion"]}


@pytest.mark.parametrize(
    ("query", "output"),
    [
        (".a|map(.+1)", {"result": [2, 3], "resultList": [[2, 3]]}),
        (".a[]", {"result": 1, "resultList": [1, 2]}),
        (".nope", {"result": None, "resultList": [None]}),
        ("empty", {"result": None, "resultList": []}),
        (".queryExpression", {"result": ".queryExpression", "resultList": [".queryExpression"]}),
    ],
)
def test_jq(bench: Bench, query: str, output: dict) -> None:
    workflow_id = bench.run(task("q", "JSON_JQ_TRANSFORM", inputParameters={"a": [1, 2], "queryExpression": query}))
    assert bench.tasks(workflow_id)["q"]["outputData"] == output


def test_a_failing_jq_query_fails_the_task(bench: Bench) -> None:
    row = bench.tasks(bench.run(task("q", "JSON_JQ_TRANSFORM", inputParameters={"s": "x", "queryExpression": ".s+1"})))[
        "q"
    ]
    assert (row["status"], list(row["outputData"])) == ("FAILED", ["error"])


def test_noop_lambda_and_event(bench: Bench) -> None:
    workflow_id = bench.run(
        task("n", "NOOP"),
        task("l", "LAMBDA", inputParameters={"scriptExpression": "return {v:$.x*2};", "x": 2}),
        task("e", "EVENT", sink="conductor:ev", inputParameters={"k": 1}),
    )
    rows = bench.tasks(workflow_id)
    assert rows["n"]["outputData"] == {}
    assert rows["l"]["outputData"] == {"result": {"v": 4}}
    assert rows["e"]["outputData"]["event_produced"] == "conductor:flow:ev"
    assert bench.status(workflow_id) == "COMPLETED"

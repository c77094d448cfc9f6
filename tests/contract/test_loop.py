"""CF54 to CF58: loops."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.wire import Transport, inline, references, row, statuses, task, variables

pytestmark = pytest.mark.anyio


def loop(ref: str, condition: str, *body: Any, **fields: Any) -> dict[str, Any]:
    return task("DO_WHILE", ref, loopCondition=condition, loopOver=list(body), **fields)


async def test_cf54_a_loop_that_counts(wire: Transport) -> None:
    counting = loop("dw", '$.dw["iteration"] < 3', inline("i", "$.n * 10", n="${dw.output.iteration}"))
    execution = await wire.run(counting, variables("after", last="${i.output.result}"))
    assert execution["status"] == "COMPLETED"
    assert references(execution) == ["dw", "i__1", "i__2", "i__3", "after"]
    assert [each["iteration"] for each in execution["tasks"]] == [3, 1, 2, 3, 0]
    assert row(execution, "dw")["outputData"] == {
        "1": {"i": {"result": 10}},
        "2": {"i": {"result": 20}},
        "3": {"i": {"result": 30}},
        "iteration": 3,
    }
    assert row(execution, "after")["inputData"] == {"last": 30}


def over_items() -> dict[str, Any]:
    body = inline("i", "$.item + $.at", item="${dw.output.loopItem}", at="${dw.output.loopIndex}")
    return loop("dw", "", body, items="${workflow.input.l}")


async def test_cf55_a_loop_over_a_list(wire: Transport) -> None:
    execution = await wire.run(over_items(), input={"l": ["a", "b"]})
    assert (execution["status"], references(execution)) == ("COMPLETED", ["dw", "i__1", "i__2"])
    output = row(execution, "dw")["outputData"]
    assert {key: output[key] for key in ("loopIndex", "loopItem", "iteration")} == {
        "loopIndex": 1,
        "loopItem": "b",
        "iteration": 2,
    }
    assert [row(execution, ref)["outputData"] for ref in ("i__1", "i__2")] == [{"result": "a0"}, {"result": "b1"}]


async def test_cf55_a_loop_over_an_empty_list(wire: Transport) -> None:
    execution = await wire.run(over_items(), variables("after"), input={"l": []})
    assert (execution["status"], references(execution)) == ("COMPLETED", ["dw", "after"])
    assert row(execution, "dw")["outputData"] == {"iteration": 0}


async def test_cf58_a_body_that_fails_fails_the_workflow(wire: Transport) -> None:
    execution = await wire.run(loop("dw", '$.dw["iteration"] < 3', inline("i", 'throw new Error("boom")')))
    assert execution["status"] == "FAILED"
    assert statuses(execution) == {"dw": "CANCELED", "i__1": "FAILED_WITH_TERMINAL_ERROR"}


async def test_cf58_a_condition_that_throws_fails_the_workflow(wire: Transport) -> None:
    execution = await wire.run(loop("dw", 'throw new Error("boom")', inline("i", "1")))
    assert (execution["status"], row(execution, "dw")["status"]) == ("FAILED", "FAILED_WITH_TERMINAL_ERROR")
    assert row(execution, "dw")["reasonForIncompletion"].startswith("Unable to evaluate condition ")

"""DO_WHILE loops."""

from __future__ import annotations

import time

import pytest

from tests.engine.bench import Bench, set_variable, task

_ENDS = {"terminationStatus": "COMPLETED", "workflowOutput": {"k": 1}}
_ERROR = {"error": "Error evaluating the script `no` at line 1"}


def _inline(ref: str, expression: str, **values: object) -> dict:
    return task(ref, "INLINE", inputParameters={"expression": expression, **values})


def _counting(*body: dict, times: int = 3, **fields: object) -> dict:
    return task("dw", "DO_WHILE", loopCondition=f'$.dw["iteration"]<{times}', loopOver=list(body), **fields)


def test_a_loop_runs_while_its_condition_holds(bench: Bench) -> None:
    workflow_id = bench.run(
        _counting(_inline("i", "$.n*10", n="${dw.output.iteration}")), set_variable("after", last="${i.output.result}")
    )
    rows = bench.tasks(workflow_id)
    assert [rows[f"i__{n}"]["iteration"] for n in (1, 2, 3)] == [1, 2, 3]
    assert rows["dw"]["outputData"] == {
        "1": {"i": {"result": 10}},
        "2": {"i": {"result": 20}},
        "3": {"i": {"result": 30}},
        "iteration": 3,
    }
    assert bench.execution(workflow_id)["variables"] == {"last": 30}


def test_a_loop_over_items(bench: Bench) -> None:
    body = set_variable("s", item="${dw.output.loopItem}", index="${dw.output.loopIndex}")
    loop = task("dw", "DO_WHILE", items="${workflow.input.l}", loopCondition="", loopOver=[body])
    workflow_id = bench.run(loop, input={"l": ["a", "b"]})
    rows = bench.tasks(workflow_id)
    assert rows["s__1"]["inputData"] == {"item": "a", "index": 0}
    output = rows["dw"]["outputData"]
    assert (output["loopIndex"], output["loopItem"], output["iteration"]) == (1, "b", 2)

    empty = bench.run(loop, input={"l": []})
    assert bench.states(empty) == ["dw COMPLETED"]
    assert bench.tasks(empty)["dw"]["outputData"] == {"iteration": 0}


def test_items_may_be_an_input_parameter(bench: Bench) -> None:
    loop = task("dw", "DO_WHILE", loopCondition="", loopOver=[set_variable("s")], inputParameters={"_items": [1, 2, 3]})
    assert bench.tasks(bench.run(loop))["dw"]["outputData"]["iteration"] == 3


def test_a_failing_body_fails_the_loop(bench: Bench) -> None:
    workflow_id = bench.run(_counting(_inline("i", "throw 'no'")))
    assert bench.status(workflow_id) == "FAILED"
    assert bench.states(workflow_id) == ["dw CANCELED", "i__1 FAILED_WITH_TERMINAL_ERROR"]


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ([_inline("i", "throw 'no'")], {"1": {"i": _ERROR}, "iteration": 1}),
        ([set_variable("s", x=1), _inline("i", "throw 'no'")], {"1": {"s": {}, "i": _ERROR}, "iteration": 1}),
        ([task("t", "TERMINATE", inputParameters=_ENDS)], {"1": {"t": {}}, "iteration": 1}),
    ],
)
def test_the_output_of_a_loop_that_ended_within_an_iteration(bench: Bench, body: list[dict], shown: dict) -> None:
    workflow_id = bench.run(_counting(*body), outputParameters={"loop": "${dw.output}"})
    assert bench.tasks(workflow_id)["dw"]["outputData"] == shown
    if "t" not in shown["1"]:
        assert bench.execution(workflow_id)["output"] == {"loop": shown}


def test_the_output_of_a_loop_that_a_worker_failed(bench: Bench) -> None:
    workflow_id = bench.run(_counting(task("a"), task("b")))
    bench.work("a")
    bench.work("b", "FAILED_WITH_TERMINAL_ERROR", {"k": 1})
    assert bench.status(workflow_id) == "FAILED"
    assert bench.tasks(workflow_id)["dw"]["outputData"] == {"iteration": 1}


def test_the_output_of_a_nested_loop(bench: Bench) -> None:
    inner = task("dw2", "DO_WHILE", loopCondition="false", loopOver=[_inline("i", "throw 'no'")])
    rows = bench.tasks(bench.run(_counting(inner)))
    assert rows["dw2__1"]["outputData"]["1"] == {"i": _ERROR}
    assert rows["dw"]["outputData"]["1"]["dw2"] == rows["dw2__1"]["outputData"]


def test_a_failing_condition_fails_the_loop(bench: Bench) -> None:
    loop = task("dw", "DO_WHILE", loopCondition="nope.x > 1", loopOver=[set_variable("s")])
    row = bench.tasks(bench.run(loop))["dw"]
    assert row["status"] == "FAILED_WITH_TERMINAL_ERROR"
    assert row["reasonForIncompletion"].startswith("Unable to evaluate condition nope.x > 1, exception ")


@pytest.mark.parametrize(("condition", "iterations"), [("$.dw.iteration - 3 < 0 ? 1 : 0", 3), ("'true'", 1), ("0", 1)])
def test_conditions_that_count_as_true(bench: Bench, condition: str, iterations: int) -> None:
    loop = task("dw", "DO_WHILE", loopCondition=condition, loopOver=[set_variable("s")])
    assert bench.tasks(bench.run(loop))["dw"]["outputData"]["iteration"] == iterations


def test_workers_in_a_loop(bench: Bench) -> None:
    bench.define("b", retryCount=1, retryDelaySeconds=0)
    workflow_id = bench.run(_counting(task("a"), task("b"), times=2), task("after"))
    bench.work("a", output={"n": 1})
    bench.work("b", "FAILED")
    bench.work("b", output={"n": 2})
    assert bench.states(workflow_id)[-1] == "a__2 SCHEDULED"
    assert bench.engine.tasks.update_by_ref_name(workflow_id, "a", "COMPLETED", {}) is not None
    bench.work("b")
    assert bench.states(workflow_id)[-1] == "after SCHEDULED"
    assert bench.tasks(workflow_id)["dw"]["outputData"]["1"] == {"a": {"n": 1}, "b": {"n": 2}}


def test_a_switch_and_a_fork_in_a_loop(bench: Bench) -> None:
    switch = task(
        "sw",
        "SWITCH",
        evaluatorType="value-param",
        expression="n",
        inputParameters={"n": "${dw.output.iteration}"},
        decisionCases={"1": [set_variable("one", x=1)]},
        defaultCase=[set_variable("other", x=2), set_variable("more", y=3)],
    )
    fork = task("f", "FORK_JOIN", forkTasks=[[_inline("p", "1")], [_inline("q", "2")]])
    join = task("j", "JOIN", joinOn=["p", "q"])
    workflow_id = bench.run(_counting(switch, fork, join, times=2))
    rows = bench.tasks(workflow_id)
    assert bench.status(workflow_id) == "COMPLETED"
    assert {"one__1", "other__2", "more__2", "j__1", "j__2"} <= set(rows)
    assert rows["j__2"]["outputData"] == {"p__2": {"result": 1}, "q__2": {"result": 2}}


def test_keep_last_n_removes_old_iterations(bench: Bench) -> None:
    workflow_id = bench.run(_counting(set_variable("s"), times=5, inputParameters={"keepLastN": 2}))
    assert bench.status(workflow_id) == "COMPLETED"
    rows = bench.tasks(workflow_id)
    assert sorted(rows["dw"]["outputData"]) == ["4", "5", "iteration"]
    assert sorted(rows) == ["dw", "s__4", "s__5"]


def test_a_terminated_loop_can_be_retried(bench: Bench) -> None:
    workflow_id = bench.run(_counting(task("a"), times=2))
    bench.work("a")
    bench.engine.workflows.terminate(workflow_id)
    assert bench.states(workflow_id) == ["dw CANCELED", "a__1 COMPLETED", "a__2 CANCELED"]
    bench.engine.workflows.retry(workflow_id)
    bench.work("a")
    assert bench.status(workflow_id) == "COMPLETED"


def test_a_thousand_iterations(bench: Bench) -> None:
    before = time.process_time()
    workflow_id = bench.run(_counting(set_variable("s", n="${dw.output.iteration}"), times=1000))
    assert bench.execution(workflow_id)["variables"] == {"n": 1000}
    assert time.process_time() - before < 20  # it takes half a second; quadratic it would be minutes


@pytest.mark.parametrize("inside", ["decided at once", "run by the engine"])
def test_an_endless_loop_does_not_block_a_command(bench: Bench, inside: str) -> None:
    body = [set_variable("s")]
    if inside == "run by the engine":
        body = [task("f", "FORK_JOIN", forkTasks=[body]), task("j", "JOIN", joinOn=["s"])]
    workflow_id = bench.run(task("dw", "DO_WHILE", loopCondition="true", loopOver=body))
    reached = bench.tasks(workflow_id)["dw"]["outputData"]["iteration"]
    assert (bench.status(workflow_id), bench.engine.next_due()) == ("RUNNING", bench.clock.now())
    bench.engine.run_due()
    assert bench.tasks(workflow_id)["dw"]["outputData"]["iteration"] > reached
    bench.engine.workflows.terminate(workflow_id)
    bench.engine.run_due()
    assert (bench.status(workflow_id), bench.engine.next_due()) == ("TERMINATED", None)

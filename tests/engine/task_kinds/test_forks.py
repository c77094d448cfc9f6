"""Forks and joins, static and dynamic."""

from __future__ import annotations

import time

import pytest

from tests.engine.bench import Bench, set_variable, task


def _inline(ref: str, expression: str, **values: object) -> dict:
    return task(ref, "INLINE", inputParameters={"expression": expression, **values})


def test_fork_and_join(bench: Bench) -> None:
    workflow_id = bench.run(
        task("f", "FORK_JOIN", forkTasks=[[task("a")], [task("b"), task("b2")]]),
        task("j", "JOIN", joinOn=["a", "b2"]),
        task("after"),
    )
    assert bench.states(workflow_id) == ["f COMPLETED", "a SCHEDULED", "b SCHEDULED", "j IN_PROGRESS"]
    assert bench.tasks(workflow_id)["f"]["taskType"] == "FORK"
    bench.work("a", output={"x": 1})
    assert bench.tasks(workflow_id)["j"]["outputData"] == {"a": {"x": 1}}
    bench.work("b")
    bench.work("b2")
    assert bench.tasks(workflow_id)["j"]["outputData"] == {"a": {"x": 1}}
    assert bench.states(workflow_id)[-2:] == ["b2 COMPLETED", "after SCHEDULED"]
    bench.work("after")
    assert bench.status(workflow_id) == "COMPLETED"


def test_a_failing_branch_cancels_the_others(bench: Bench) -> None:
    bench.define("a", retryCount=0)
    workflow_id = bench.run(
        task("f", "FORK_JOIN", forkTasks=[[task("a")], [task("b")]]), task("j", "JOIN", joinOn=["a", "b"])
    )
    bench.work("a", "FAILED")
    assert bench.status(workflow_id) == "FAILED"
    assert bench.states(workflow_id) == ["f COMPLETED", "a FAILED", "b CANCELED", "j CANCELED"]
    assert bench.engine.tasks.poll("b") is None
    join = bench.tasks(workflow_id)["j"]["taskId"]
    bench.engine.workflows.retry(workflow_id)
    rows = bench.tasks(workflow_id)
    assert [(rows[ref]["status"], rows[ref]["retryCount"]) for ref in ("a", "b")] == [("SCHEDULED", 1)] * 2
    assert (rows["j"]["status"], rows["j"]["taskId"]) == ("IN_PROGRESS", join)
    bench.work("a")
    bench.work("b")
    assert bench.status(workflow_id) == "COMPLETED"


def test_nested_forks(bench: Bench) -> None:
    inner = [task("f2", "FORK_JOIN", forkTasks=[[_inline("p", "1")], [_inline("q", "2")]])]
    workflow_id = bench.run(
        task("f", "FORK_JOIN", forkTasks=[[_inline("x", "1")], [*inner, task("j2", "JOIN", joinOn=["p", "q"])]]),
        task("j", "JOIN", joinOn=["x", "j2"]),
    )
    assert bench.status(workflow_id) == "COMPLETED"
    assert bench.tasks(workflow_id)["j"]["outputData"] == {
        "x": {"result": 1},
        "j2": {"p": {"result": 1}, "q": {"result": 2}},
    }


def test_a_fork_without_join_fails_the_workflow(bench: Bench) -> None:
    workflow_id = bench.run(task("f", "FORK_JOIN", forkTasks=[[task("a")]]), task("b"))
    execution = bench.execution(workflow_id)
    assert (execution["status"], execution["tasks"]) == ("FAILED", [])
    assert execution["reasonForIncompletion"].startswith("Fork task definition is not followed by a join task")


def test_an_optional_branch_may_fail(bench: Bench) -> None:
    bench.define("a", retryCount=0)
    workflow_id = bench.run(
        task("f", "FORK_JOIN", forkTasks=[[task("a", optional=True)], [task("b")]]),
        task("j", "JOIN", joinOn=["a", "b"]),
    )
    bench.work("a", "FAILED")
    bench.work("b")
    join = bench.tasks(workflow_id)["j"]
    assert join["status"] == "COMPLETED_WITH_ERRORS"
    assert join["reasonForIncompletion"].endswith("completed with errors")
    assert bench.status(workflow_id) == "COMPLETED"


def test_a_join_waits_only_for_the_tasks_it_names_but_the_workflow_for_all(bench: Bench) -> None:
    workflow_id = bench.run(
        task("f", "FORK_JOIN", forkTasks=[[task("a")], [task("b")]]),
        task("j", "JOIN", joinOn=["a"]),
        set_variable("s", x=1),
    )
    bench.work("a")
    assert bench.tasks(workflow_id)["s"]["status"] == "COMPLETED"
    assert bench.status(workflow_id) == "RUNNING"
    bench.work("b")
    assert bench.status(workflow_id) == "COMPLETED"


_TWO_LISTS = {"dynamicForkTasksParam": "dt", "dynamicForkTasksInputParamName": "di"}
_OLDER = {"taskName": "i", "referenceName": "r1", "type": "INLINE", "input": {"expression": "9"}}

DYNAMIC = {
    "tasks and inputs": (
        _TWO_LISTS,
        {
            "dt": [_inline("d1", "$.n+1"), task("d2", "INLINE")],
            "di": {"d1": {"n": 1}, "d2": {"expression": "$.n*10", "n": 4}},
        },
        {"d1": {"result": 2}, "d2": {"result": 40}},
    ),
    "one task, many inputs": (
        {},
        {
            "forkTaskName": "x",
            "forkTaskType": "INLINE",
            "forkTaskInputs": [{"expression": "$.__index"}, {"expression": "$.__index+$.a", "a": 5}],
        },
        {"_x_0": {"result": 0}, "_x_1": {"result": 6}},
    ),
    "type only": (
        {},
        {"forkTaskType": "INLINE", "forkTaskInputs": [{"expression": "1"}]},
        {"_INLINE_0": {"result": 1}},
    ),
    "the older form": (
        {"dynamicForkJoinTasksParam": "dj"},
        {"dj": {"dynamicTasks": [_OLDER]}},
        {"r1": {"result": 9}},
    ),
    "no tasks": (_TWO_LISTS, {"dt": [], "di": {}}, {}),
    "no inputs": ({}, {"forkTaskType": "INLINE", "forkTaskInputs": []}, {}),
}


@pytest.mark.parametrize(("fields", "values", "joined"), DYNAMIC.values(), ids=DYNAMIC)
def test_dynamic_forks(bench: Bench, fields: dict, values: dict, joined: dict) -> None:
    workflow_id = bench.run(
        task("df", "FORK_JOIN_DYNAMIC", inputParameters=values, **fields), task("j", "JOIN"), set_variable("s")
    )
    rows = bench.tasks(workflow_id)
    assert rows["df"]["taskType"] == "FORK"
    assert rows["df"]["inputData"]["forkedTasks"] == list(joined)
    assert rows["j"]["inputData"] == {"joinOn": list(joined)}
    assert rows["j"]["outputData"] == joined
    assert bench.status(workflow_id) == "COMPLETED"


def test_a_dynamic_fork_of_sub_workflows(bench: Bench) -> None:
    bench.register("child", set_variable("c", g="${workflow.input}"), outputParameters={"g": "${workflow.variables.g}"})
    values = {"forkTaskWorkflow": "child", "forkTaskWorkflowVersion": "1", "forkTaskInputs": [{"a": 1}, 2]}
    workflow_id = bench.run(task("df", "FORK_JOIN_DYNAMIC", inputParameters=values), task("j", "JOIN"))
    joined = bench.tasks(workflow_id)["j"]["outputData"]
    assert [one["g"] for one in joined.values()] == [{"a": 1, "__index": 0}, {"input": 2, "__index": 1}]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"dt": "notalist", "di": {}}, "Cannot deserialize a list of Workflow Tasks from 'notalist'"),
        ({"dt": [], "di": None}, "Input to the dynamically forked tasks is not a map"),
        ({"dt": [{"name": "x"}], "di": {}}, "Cannot deserialize a list of Workflow Tasks"),
    ],
)
def test_invalid_dynamic_forks_fail_the_workflow(bench: Bench, values: dict, reason: str) -> None:
    workflow_id = bench.run(task("df", "FORK_JOIN_DYNAMIC", inputParameters=values, **_TWO_LISTS), task("j", "JOIN"))
    execution = bench.execution(workflow_id)
    assert (execution["status"], execution["tasks"]) == ("FAILED", [])
    assert reason in execution["reasonForIncompletion"]


def test_an_exclusive_join_takes_the_task_that_was_executed(bench: Bench) -> None:
    switch = task(
        "s",
        "SWITCH",
        evaluatorType="value-param",
        expression="p",
        inputParameters={"p": "${workflow.input.p}"},
        decisionCases={"a": [_inline("ia", "'A'")], "b": [_inline("ib", "'B'")]},
    )
    join = task("j", "EXCLUSIVE_JOIN", joinOn=["ia", "ib"])
    workflow_id = bench.run(switch, join, input={"p": "b"})
    assert bench.tasks(workflow_id)["j"]["outputData"] == {"result": "B"}
    assert bench.status(workflow_id) == "COMPLETED"


def test_a_thousand_branches(bench: Bench) -> None:
    refs = [f"x{number}" for number in range(1000)]
    branches = [[{"name": "x", "taskReferenceName": ref}] for ref in refs]
    before = time.process_time()
    workflow_id = bench.run(task("f", "FORK_JOIN", forkTasks=branches), task("j", "JOIN", joinOn=refs))
    for polled in bench.engine.tasks.batch_poll("x", count=1000):
        bench.report(polled, output={"n": 1})
    assert bench.status(workflow_id) == "COMPLETED"
    assert len(bench.tasks(workflow_id)["j"]["outputData"]) == 1000
    assert time.process_time() - before < 20  # it takes half a second; quadratic it would be minutes

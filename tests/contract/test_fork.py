"""CF46 to CF50: forks and joins, static and dynamic."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.wire import Wire, inline, references, row, simple, statuses, task

pytestmark = pytest.mark.anyio


def fork(ref: str, *branches: list[Any]) -> dict[str, Any]:
    return task("FORK_JOIN", ref, forkTasks=list(branches))


def join(ref: str, *on: str) -> dict[str, Any]:
    return task("JOIN", ref, joinOn=list(on))


async def test_cf46_branches_run_side_by_side(wire: Wire) -> None:
    one, two, three, last = [await wire.task_type() for _ in range(4)]
    branches = fork("f", [simple(one, "a")], [simple(two, "b"), simple(three, "b2")])
    workflow_id = await wire.start(await wire.workflow(branches, join("j", "a", "b2"), simple(last, "after")))
    begun = await wire.execution(workflow_id)
    assert [(each["referenceTaskName"], each["status"]) for each in begun["tasks"]] == [
        ("f", "COMPLETED"),
        ("a", "SCHEDULED"),
        ("b", "SCHEDULED"),
        ("j", "IN_PROGRESS"),
    ]
    assert [row(begun, "f")[key] for key in ("taskType", "taskDefName")] == ["FORK", "FORK"]
    await wire.work(one, output={"n": 1})
    await wire.work(two)
    await wire.work(three, output={"n": 2})
    await wire.work(last)
    execution = await wire.ended(workflow_id)
    assert execution["status"] == "COMPLETED"
    assert row(execution, "j")["outputData"] == {"a": {"n": 1}, "b2": {"n": 2}}
    assert references(execution).count("after") == 1


async def test_cf46_a_join_keeps_no_empty_output(wire: Wire) -> None:
    one, two = await wire.task_type(), await wire.task_type()
    workflow_id = await wire.start(
        await wire.workflow(fork("f", [simple(one, "a")], [simple(two, "b")]), join("j", "a", "b"))
    )
    await wire.work(one)
    await wire.work(two, output={"n": 2})
    assert row(await wire.ended(workflow_id), "j")["outputData"] == {"b": {"n": 2}}


async def test_cf47_a_branch_that_fails_takes_the_others_with_it(wire: Wire) -> None:
    one, two = await wire.task_type(), await wire.task_type()
    name = await wire.workflow(fork("f", [simple(one, "a")], [simple(two, "b")]), join("j", "a", "b"))
    workflow_id = await wire.start(name)
    await wire.work(one, "FAILED")
    failed = await wire.execution(workflow_id)
    assert (failed["status"], row(failed, "b")["status"]) == ("FAILED", "CANCELED")
    assert row(failed, "j")["status"] in {"CANCELED", "FAILED"}  # a race on the server
    assert await wire.poll(two) is None
    await wire.post("workflow", workflow_id, "retry")
    retried = await wire.execution(workflow_id)
    for ref in ("a", "b"):
        assert (row(retried, ref)["status"], row(retried, ref)["retryCount"]) == ("SCHEDULED", 1)
    assert (row(retried, "j")["status"], references(retried).count("j")) == ("IN_PROGRESS", 1)


async def test_cf49_a_fork_in_a_branch_of_a_fork(wire: Wire) -> None:
    inner = [fork("f2", [inline("p", "2")], [inline("q", "3")]), join("j2", "p", "q")]
    execution = await wire.run(fork("f", [inline("x", "1")], inner), join("j", "x", "j2"))
    assert execution["status"] == "COMPLETED"
    expected = {"x": {"result": 1}, "j2": {"p": {"result": 2}, "q": {"result": 3}}}
    assert row(execution, "j")["outputData"] == expected


def dynamic_fork() -> dict[str, Any]:
    return task(
        "FORK_JOIN_DYNAMIC",
        "f",
        dynamicForkTasksParam="dt",
        dynamicForkTasksInputParamName="di",
        inputParameters={"dt": "${workflow.input.dt}", "di": "${workflow.input.di}"},
    )


async def test_cf50_a_fork_over_the_tasks_that_the_input_names(wire: Wire) -> None:
    tasks = [inline("d1", "$.n + 1"), task("INLINE", "d2", inputParameters={"evaluatorType": "javascript"})]
    inputs = {"d1": {"n": 1}, "d2": {"expression": "$.n * 10", "n": 4}}
    definition = wire.definition(dynamic_fork(), join("j"))
    execution = await wire.run_definition(definition, {"dt": tasks, "di": inputs})
    assert execution["status"] == "COMPLETED"
    assert row(execution, "f")["taskType"] == "FORK"
    assert row(execution, "j")["inputData"]["joinOn"] == ["d1", "d2"]
    assert row(execution, "j")["outputData"] == {"d1": {"result": 2}, "d2": {"result": 40}}
    assert {key: row(execution, "d2")["inputData"][key] for key in ("evaluatorType", "expression", "n")} == {
        "evaluatorType": "javascript",
        "expression": "$.n * 10",
        "n": 4,
    }


async def test_cf50_a_fork_over_no_tasks_joins_at_once(wire: Wire) -> None:
    execution = await wire.run_definition(wire.definition(dynamic_fork(), join("j")), {"dt": [], "di": {}})
    assert (statuses(execution), row(execution, "j")["outputData"]) == ({"f": "COMPLETED", "j": "COMPLETED"}, {})

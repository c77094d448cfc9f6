"""Schedules: what they start, how their runs are found, and what an operator does to all of them at once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.wire import Transport, variables

pytestmark = pytest.mark.anyio


async def test_all_schedules_are_paused_and_resumed(wire: Transport) -> None:
    try:
        assert await wire.get("scheduler", "admin", "pause") == {"status": "done"}
    finally:
        assert await wire.get("scheduler", "admin", "resume") == {"status": "done"}


async def test_nothing_is_left_to_requeue(wire: Transport) -> None:
    answer = await wire.get("scheduler", "admin", "requeue")
    assert answer.keys() == {"sampleIds", "recordIds.size"}  # a server that others use as well may have some
    assert len(answer["sampleIds"]) <= answer["recordIds.size"]


@pytest.mark.parametrize("what", ["pause", "resume", "requeue"])
async def test_that_is_asked_for_by_get_alone(wire: Transport, what: str) -> None:
    error = await wire.refused("PUT", "scheduler", "admin", what)
    assert (error["status"], error["message"]) == (405, "Request method 'PUT' is not supported")


# -- runs --------------------------------------------------------------------------------------------


async def _runs(wire: Transport, query: str, **params: Any) -> list[Any]:
    found = await wire.get("scheduler", "search", "executions", query=query, size=1000, **params)
    return list(found["results"])


async def _fired(wire: Transport, request: Any) -> str:
    """The name of a schedule that has fired twice with this request, and does not fire any more."""
    name = wire.new("schedule")
    body = {"name": name, "cronExpression": "* * * * * *", "startWorkflowRequest": request}
    await wire.post("scheduler", "schedules", body=body)
    limit = wire.now() + 30  # a server that has just started begins after 15 seconds
    while len(await _runs(wire, name)) < 2:
        assert wire.now() < limit
        await wire.sleep(0.5)
    await wire.put("scheduler", "schedules", name, "pause")
    return name


async def test_a_schedule_may_bring_its_definition(wire: Transport) -> None:
    definition = wire.definition(variables("v", a="${workflow.input.x}"))
    name = await _fired(wire, {"name": definition["name"], "workflowDef": definition, "input": {"x": 1}})
    saved = await wire.get("scheduler", "schedules", name)
    assert saved["startWorkflowRequest"]["workflowDef"]["timeoutPolicy"] == "ALERT_ONLY"  # with its defaults
    run = (await _runs(wire, name))[0]
    assert run["state"] == "EXECUTED"
    execution = await wire.ended(run["workflowId"])
    assert (execution["status"], execution["variables"]) == ("COMPLETED", {"a": 1})
    await wire.delete("scheduler", "schedules", name)


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ({"name": "w", "workflowDef": {"name": "w"}}, "workflowDef.tasks: WorkflowTask list cannot be empty"),
        ({"name": "nobody's"}, "No such workflow defined. name=nobody's, version=null"),
    ],
)
async def test_a_schedule_that_cannot_start_says_why(wire: Transport, request_: Any, reason: str) -> None:
    name = await _fired(wire, request_)
    run = (await _runs(wire, name))[0]
    assert (run["state"], "workflowId" in run) == ("FAILED", False)
    assert reason in run["reason"]
    assert run["stackTrace"]
    await wire.delete("scheduler", "schedules", name)


async def test_runs_are_found_by_a_query(wire: Transport) -> None:
    workflow = await wire.workflow(variables("v", a=1))
    name = await _fired(wire, {"name": workflow, "input": None})
    runs = await _runs(wire, name)
    newest, oldest = runs[0], runs[-1]
    time = newest["scheduledTime"]
    all_of_them, none, mine = len(runs), 0, f"scheduleName IN ({name})"
    expected = {
        mine: all_of_them,
        f"scheduleName IN ({name}, another)": all_of_them,
        f"{mine} AND state IN (EXECUTED,FAILED)": all_of_them,
        f"{mine} AND state IN (FAILED)": none,
        f"{mine} AND workflowName={workflow}": all_of_them,
        f"{mine} AND workflowName=another": none,
        f"{mine} AND executionId={oldest['executionId']}": 1,
        f"{mine} AND scheduledTime>{time}": none,
        f"{mine} AND scheduledTime<{time}": all_of_them - 1,
        f"{mine} AND scheduledTime>{time - 1}": 1,
        f"{mine} AND unknown=1": all_of_them,  # taken for the name of a schedule
        f"scheduleName={name}": none,
        f"scheduleName IN ('{name}')": none,
        f"{mine} OR {mine}": none,
        f"workflowName={workflow}": all_of_them,
    }
    assert {query: len(await _runs(wire, query)) for query in expected} == expected
    assert await _runs(wire, mine, freeText="ignored") == runs
    assert await _runs(wire, mine, sort="scheduledTime:ASC") == runs[::-1]
    error = await wire.refused("GET", "scheduler", "search", "executions", query="scheduledTime>x")
    assert (error["status"], error["message"]) == (500, 'For input string: "x"')
    await wire.delete("scheduler", "schedules", name)

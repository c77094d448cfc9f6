"""CF68 to CF71: tasks that wait for time, people and names."""

from __future__ import annotations

import pytest

from tests.contract.wire import Transport, row, simple, statuses, task, variables

pytestmark = pytest.mark.anyio


async def test_cf68_waiting_for_a_time(wire: Transport) -> None:
    begun = wire.now()
    execution = await wire.run(task("WAIT", "w", inputParameters={"duration": "1 seconds"}))
    assert execution["status"] == "COMPLETED"
    assert 0.5 <= wire.now() - begun < 5


async def test_cf68_waiting_for_a_word(wire: Transport) -> None:
    workflow_id = await wire.start(await wire.workflow(task("WAIT", "w")))
    waiting = row(await wire.execution(workflow_id), "w")
    assert waiting["status"] == "IN_PROGRESS"
    await wire.until(workflow_id, lambda execution: row(execution, "w")["callbackAfterSeconds"] == 2147483647)
    await wire.post("tasks", workflow_id, "w", "COMPLETED", body={"a": 1})
    execution = await wire.execution(workflow_id)
    assert (execution["status"], execution["output"]) == ("COMPLETED", {"a": 1})


async def test_cf68_a_word_ends_a_wait_for_a_time(wire: Transport) -> None:
    workflow_id = await wire.start(await wire.workflow(task("WAIT", "w", inputParameters={"duration": "1 hours"})))
    await wire.post("tasks", workflow_id, "w", "COMPLETED", body={"a": 1})
    assert (await wire.execution(workflow_id))["output"] == {"a": 1}


@pytest.mark.parametrize(
    "given",
    [
        {"duration": "1 seconds", "until": "2030-01-01"},
        {"duration": "bogus"},
        {"duration": "PT2S"},
        {"until": "2030-01-01T00:00:00Z"},
    ],
    ids=str,
)
async def test_cf69_waits_that_are_refused(wire: Transport, given: dict) -> None:
    definition = wire.definition(task("WAIT", "w", inputParameters=given))
    error = await wire.refused("POST", "metadata", "workflow", "validate", body=definition)
    assert error["status"] == 400
    assert error["validationErrors"]


@pytest.mark.parametrize(
    "given",
    [
        {"duration": "1 day 2 hours 3 minutes 4 seconds"},
        {"duration": "1d 2h 3m 4s"},
        {"until": "2030-01-01 00:00"},
        {"until": "2030-01-01 00:00 GMT"},
        {"until": "2030-01-01"},
    ],
    ids=str,
)
async def test_cf69_waits_that_are_accepted(wire: Transport, given: dict) -> None:
    definition = wire.definition(task("WAIT", "w", inputParameters=given))
    assert await wire.post("metadata", "workflow", "validate", body=definition) is None


async def test_cf70_waiting_for_a_person(wire: Transport) -> None:
    human = task("HUMAN", "h", inputParameters={"form": "f1"})
    workflow_id = await wire.start(await wire.workflow(human, variables("v", o="${h.output}")))
    asked = row(await wire.execution(workflow_id), "h")
    assert (asked["status"], asked["inputData"]["form"]) == ("IN_PROGRESS", "f1")
    await wire.update(asked, "IN_PROGRESS", {"p": 1})
    assert statuses(await wire.execution(workflow_id)) == {"h": "IN_PROGRESS"}
    await wire.update(asked, output={"ok": True})
    execution = await wire.execution(workflow_id)
    assert (execution["status"], execution["variables"]) == ("COMPLETED", {"o": {"ok": True}})


async def test_cf71_a_task_named_by_the_input(wire: Transport) -> None:
    work = await wire.task_type()
    dynamic = task("DYNAMIC", "d", dynamicTaskNameParam="tn", inputParameters={"tn": "${workflow.input.t}"})
    name = await wire.workflow(dynamic)
    await wire.start(name, {"t": work})
    polled = await wire.next(work)
    assert (polled["taskType"], polled["taskDefName"], polled["referenceTaskName"]) == (work, work, "d")
    failed = await wire.ended(await wire.start(name))
    assert failed["status"] == "FAILED"
    begin = "Cannot map a dynamic task based on the parameter and input. Parameter= tn, input= "
    assert failed["reasonForIncompletion"].startswith(begin)


async def test_cf71_a_named_task_that_nobody_registered(wire: Transport) -> None:
    work = wire.new("unregistered")
    dynamic = task("DYNAMIC", "d", dynamicTaskNameParam="tn", inputParameters={"tn": work})
    await wire.start(await wire.workflow(dynamic, simple(work, "after")))
    assert (await wire.next(work))["taskDefName"] == work

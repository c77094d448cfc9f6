"""CF24 to CF29: retries."""

from __future__ import annotations

import pytest

from tests.contract.wire import Transport, row, simple, statuses, task, variables

pytestmark = pytest.mark.anyio


async def test_cf24_a_fixed_number_of_attempts(wire: Transport) -> None:
    work = await wire.task_type(retryCount=2, retryLogic="FIXED")
    workflow_id = await wire.start(await wire.workflow(simple(work, "a", {"x": 1})))
    for attempt in range(3):
        await wire.work(work, "FAILED", {"o": attempt}, reasonForIncompletion=f"e{attempt}")
    execution = await wire.execution(workflow_id)
    attempts = execution["tasks"]
    assert [each["retryCount"] for each in attempts] == [0, 1, 2]
    assert [each["status"] for each in attempts] == ["FAILED"] * 3
    assert [each["retried"] for each in attempts] == [True, True, False]
    assert [each.get("retriedTaskId") for each in attempts] == [None, *(each["taskId"] for each in attempts[:2])]
    assert [each["inputData"] for each in attempts] == [{"x": 1}] * 3
    assert execution["status"] == "FAILED"
    last = attempts[-1]["taskId"]
    assert execution["reasonForIncompletion"] == f"Task {last} failed with status: FAILED and reason: 'e2'"
    assert (execution["failedReferenceTaskNames"], execution["failedTaskNames"]) == (["a"], [work])


async def test_cf24_a_new_attempt_begins_with_the_reason_of_the_last_and_no_output(wire: Transport) -> None:
    work = await wire.task_type(retryCount=1)
    await wire.start(await wire.workflow(simple(work, "a")))
    first = await wire.work(work, "FAILED", {"o": 1}, reasonForIncompletion="e0")
    second = await wire.next(work)
    assert (second["retriedTaskId"], second["outputData"]) == (first["taskId"], {})
    assert second["reasonForIncompletion"] == "e0"


@pytest.mark.parametrize(
    ("fields", "delays"),
    [
        ({"retryLogic": "EXPONENTIAL_BACKOFF", "retryDelaySeconds": 1, "retryCount": 2}, [1, 2]),
        (
            {"retryLogic": "LINEAR_BACKOFF", "retryDelaySeconds": 1, "backoffScaleFactor": 2, "retryCount": 1},
            [2],
        ),
    ],
    ids=["CF25 exponential", "CF26 linear"],
)
async def test_cf25_cf26_the_delay_grows(wire: Transport, fields: dict, delays: list[int]) -> None:
    work = await wire.task_type(**fields)
    await wire.start(await wire.workflow(simple(work, "a")))
    await wire.work(work, "FAILED")
    for delay in delays:
        begun = wire.now()
        again = await wire.next(work)
        assert delay - 1 < wire.now() - begun <= delay + 3  # the server's queue counts whole seconds
        assert again["startDelayInSeconds"] == delay
        await wire.update(again, "FAILED")


async def test_cf27_a_terminal_error_is_not_tried_again(wire: Transport) -> None:
    work = await wire.task_type(retryCount=3)
    workflow_id = await wire.start(await wire.workflow(simple(work, "a")))
    await wire.work(work, "FAILED_WITH_TERMINAL_ERROR")
    execution = await wire.execution(workflow_id)
    assert (execution["status"], statuses(execution)) == ("FAILED", {"a": "FAILED_WITH_TERMINAL_ERROR"})
    assert len(execution["tasks"]) == 1


async def test_cf28_the_workflows_word_on_retries_counts(wire: Transport) -> None:
    work = await wire.task_type(retryCount=3)
    workflow_id = await wire.start(await wire.workflow(simple(work, "a", retryCount=1)))
    for _ in range(2):
        await wire.work(work, "FAILED")
    execution = await wire.execution(workflow_id)
    assert (execution["status"], len(execution["tasks"])) == ("FAILED", 2)


async def test_cf29_an_optional_task_that_fails_does_not_fail_the_workflow(wire: Transport) -> None:
    work = await wire.task_type(retryCount=1)
    name = await wire.workflow(simple(work, "a", optional=True), variables("v", st="${a.status}"))
    workflow_id = await wire.start(name)
    for _ in range(2):
        await wire.work(work, "FAILED")
    execution = await wire.execution(workflow_id)
    assert [each["status"] for each in execution["tasks"]] == ["FAILED", "COMPLETED_WITH_ERRORS", "COMPLETED"]
    assert execution["status"] == "COMPLETED"
    assert row(execution, "v")["inputData"] == {"st": "COMPLETED_WITH_ERRORS"}
    assert execution["failedReferenceTaskNames"] == ["a"]


@pytest.mark.parametrize(("kind", "begins"), [("HUMAN", "IN_PROGRESS"), ("WAIT", "SCHEDULED")])
async def test_a_task_for_a_person_is_tried_again(wire: Transport, kind: str, begins: str) -> None:
    name = await wire.task_type(retryCount=1, retryDelaySeconds=1)
    definition = wire.definition(task(kind, "h") | {"name": name})
    workflow_id = await wire.start(definition["name"], workflowDef=definition)
    await wire.post("tasks", workflow_id, "h", "FAILED", body={})
    tried = await wire.execution(workflow_id)
    assert [(each["status"], each["retryCount"]) for each in tried["tasks"]] == [("FAILED", 0), (begins, 1)]
    await wire.until(workflow_id, lambda execution: row(execution, "h")["status"] == "IN_PROGRESS")
    await wire.post("tasks", workflow_id, "h", "COMPLETED", body={})
    assert (await wire.ended(workflow_id))["status"] == "COMPLETED"

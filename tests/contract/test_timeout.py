"""CF31 to CF36: timeouts. One in each workflow: see the differences of the embedded engine."""

from __future__ import annotations

import re

import pytest

from tests.contract.wire import Transport, row, simple, statuses

pytestmark = pytest.mark.anyio


async def test_cf31_a_worker_that_went_silent_is_replaced(wire: Transport) -> None:
    work = await wire.task_type(responseTimeoutSeconds=1, timeoutSeconds=60, timeoutPolicy="RETRY", retryCount=1)
    workflow_id = await wire.start(await wire.workflow(simple(work, "a")))
    silent = await wire.next(work)
    again = await wire.next(work)
    assert (again["retryCount"], again["retriedTaskId"]) == (1, silent["taskId"])
    lost = (await wire.execution(workflow_id))["tasks"][0]
    assert (lost["status"], lost["reasonForIncompletion"]) == (
        "TIMED_OUT",
        f"responseTimeout: 1 exceeded for the taskId: {silent['taskId']} with Task Definition: {work}",
    )
    await wire.update(again)
    assert (await wire.execution(workflow_id))["status"] == "COMPLETED"


async def test_cf32_a_silent_worker_without_retries_times_the_workflow_out(wire: Transport) -> None:
    work = await wire.task_type(responseTimeoutSeconds=1)
    workflow_id = await wire.start(await wire.workflow(simple(work, "a")))
    silent = await wire.next(work)
    execution = await wire.ended(workflow_id)
    begin = f"Task {silent['taskId']} failed with status: TIMED_OUT and reason: 'responseTimeout: 1 exceeded "
    assert execution["status"] == "TIMED_OUT"
    assert execution["reasonForIncompletion"].startswith(begin)


async def test_cf33_a_task_that_nobody_polls(wire: Transport) -> None:
    work = await wire.task_type(pollTimeoutSeconds=1, timeoutPolicy="TIME_OUT_WF")
    workflow_id = await wire.start(await wire.workflow(simple(work, "a")))
    execution = await wire.ended(workflow_id)
    assert (execution["status"], statuses(execution)) == ("TIMED_OUT", {"a": "TIMED_OUT"})
    reason = (
        r"Task poll timed out after \d+ seconds\. Poll timeout configured as 1 seconds\."
        r" Timeout policy configured to TIME_OUT_WF"
    )
    assert re.fullmatch(reason, row(execution, "a")["reasonForIncompletion"])
    assert execution["reasonForIncompletion"] == row(execution, "a")["reasonForIncompletion"]


async def test_cf34_a_workflow_that_takes_too_long(wire: Transport) -> None:
    work = await wire.task_type()
    name = await wire.workflow(simple(work, "a"), timeoutSeconds=2, timeoutPolicy="TIME_OUT_WF")
    begun = wire.now()
    workflow_id = await wire.start(name)
    execution = await wire.ended(workflow_id)
    assert wire.now() - begun >= 2
    assert (execution["status"], statuses(execution)) == ("TIMED_OUT", {"a": "CANCELED"})
    reason = (
        r"Workflow timed out after \d+ seconds\. Timeout configured as 2 seconds\."
        r" Timeout policy configured to TIME_OUT_WF"
    )
    assert re.fullmatch(reason, execution["reasonForIncompletion"])


async def test_cf36_a_lease_that_is_extended_does_not_time_out(wire: Transport) -> None:
    work = await wire.task_type(responseTimeoutSeconds=2)
    workflow_id = await wire.start(await wire.workflow(simple(work, "a")))
    polled = await wire.next(work)
    last = polled["updateTime"]
    for _ in range(5):
        await wire.sleep(1)
        assert await wire.update(polled, None, extendLease=True) == polled["taskId"]
        held = await wire.get("tasks", polled["taskId"])
        assert (held["status"], held["updateTime"] > last) == ("IN_PROGRESS", True)
        last = held["updateTime"]
    await wire.update(polled)
    assert (await wire.execution(workflow_id))["status"] == "COMPLETED"

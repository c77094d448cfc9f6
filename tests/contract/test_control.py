"""CF37 to CF45: controlling executions, one and many; finding them."""

from __future__ import annotations

import re

import pytest

from tests.contract.wire import Transport, row, simple, statuses, task

pytestmark = pytest.mark.anyio


async def test_cf37_pause_and_resume(wire: Transport) -> None:
    work = await wire.task_type()
    workflow_id = await wire.start(await wire.workflow(simple(work, "a"), simple(work, "b")))
    for _ in range(2):
        assert await wire.put("workflow", workflow_id, "pause") is None
    await wire.work(work)
    paused = await wire.execution(workflow_id)
    assert (paused["status"], statuses(paused)) == ("PAUSED", {"a": "COMPLETED"})
    assert await wire.put("workflow", workflow_id, "resume") is None
    resumed = await wire.execution(workflow_id)
    assert (resumed["status"], statuses(resumed)) == ("RUNNING", {"a": "COMPLETED", "b": "SCHEDULED"})
    assert (await wire.refused("PUT", "workflow", workflow_id, "resume"))["status"] == 500


async def test_cf38_terminate(wire: Transport) -> None:
    work = await wire.task_type()
    name = await wire.workflow(simple(work, "a"), simple(work, "b"))
    workflow_id = await wire.start(name)
    await wire.work(work)
    for reason in ("r", "another"):
        assert await wire.delete("workflow", workflow_id, reason=reason) is None
    execution = await wire.execution(workflow_id)
    assert (execution["status"], execution["reasonForIncompletion"]) == ("TERMINATED", "r")
    assert statuses(execution) == {"a": "COMPLETED", "b": "CANCELED"}
    assert await wire.poll(work) is None
    completed = await wire.start(name)
    for _ in range(2):
        await wire.work(work)
    assert (await wire.execution(completed))["status"] == "COMPLETED"
    assert (await wire.refused("DELETE", "workflow", completed))["status"] == 409


async def test_cf39_restart(wire: Transport) -> None:
    work = await wire.task_type()
    workflow_id = await wire.start(await wire.workflow(simple(work, "a")))
    assert (await wire.refused("POST", "workflow", workflow_id, "restart"))["status"] == 409
    first = await wire.work(work, "FAILED", reasonForIncompletion="no")
    assert "reasonForIncompletion" in await wire.execution(workflow_id)
    answer = await wire.call("POST", "workflow", workflow_id, "restart")
    assert (answer.status_code, answer.content) == (204, b"")
    execution = await wire.execution(workflow_id)
    assert [(each["status"], each["retryCount"]) for each in execution["tasks"]] == [("SCHEDULED", 0)]
    assert execution["tasks"][0]["taskId"] != first["taskId"]
    assert "reasonForIncompletion" not in execution
    await wire.work(work)
    assert (await wire.execution(workflow_id))["status"] == "COMPLETED"


async def test_cf40_retry_a_workflow_that_failed(wire: Transport) -> None:
    one, two = await wire.task_type(), await wire.task_type()
    workflow_id = await wire.start(await wire.workflow(simple(one, "a"), simple(two, "b")))
    assert (await wire.refused("POST", "workflow", workflow_id, "retry"))["status"] == 404  # sic: it runs
    a = await wire.work(one)
    b = await wire.work(two, "FAILED")
    assert (await wire.call("POST", "workflow", workflow_id, "retry")).status_code == 204
    execution = await wire.execution(workflow_id)
    assert [(each["referenceTaskName"], each["retryCount"]) for each in execution["tasks"]] == [
        ("a", 0),
        ("b", 0),
        ("b", 1),
    ]
    assert row(execution, "a")["taskId"] == a["taskId"]
    assert row(execution, "b")["retriedTaskId"] == b["taskId"]
    assert execution["lastRetriedTime"] > 0
    await wire.work(two)
    assert (await wire.execution(workflow_id))["status"] == "COMPLETED"
    error = await wire.refused("POST", "workflow", workflow_id, "retry")
    assert error["status"] == 409
    assert error["message"].startswith("There are no retryable tasks!")


async def test_cf43_remove(wire: Transport) -> None:
    workflow_id = await wire.start(await wire.workflow(task("WAIT", "w")))
    error = await wire.refused("DELETE", "workflow", workflow_id, "remove")
    assert error["status"] == 400
    assert error["message"] == f"Cannot archive workflow: {workflow_id} with status: RUNNING"
    assert await wire.delete("workflow", workflow_id, "remove", archiveWorkflow="false") is None
    assert (await wire.refused("GET", "workflow", workflow_id))["status"] == 404


async def test_cf44_many_at_once(wire: Transport) -> None:
    name = await wire.workflow(task("WAIT", "w"))
    ids = [await wire.start(name) for _ in range(2)]
    for method, what, status in (
        ("PUT", "pause", "PAUSED"),
        ("PUT", "resume", "RUNNING"),
        ("POST", "terminate", "TERMINATED"),
    ):
        answer = await wire.call(method, "workflow", "bulk", what, body=[*ids, "unknown"])
        assert answer.status_code == 200
        found = answer.json()
        assert sorted(found["bulkSuccessfulResults"]) == sorted(ids)
        assert list(found["bulkErrorResults"]) == ["unknown"]
        assert [(await wire.execution(each))["status"] for each in ids] == [status] * 2
    assert (await wire.refused("PUT", "workflow", "bulk", "pause", body=[]))["status"] == 400


async def test_cf45_by_correlation_id_and_by_search(wire: Transport) -> None:
    name = await wire.workflow(task("WAIT", "w"))
    ids = [await wire.start(name, {"a": 1}, correlationId="c") for _ in range(3)]
    await wire.delete("workflow", ids[0])
    running = await wire.get("workflow", name, "correlated", "c")
    assert sorted(each["workflowId"] for each in running) == sorted(ids[1:])
    assert [each["tasks"] for each in running] == [[], []]
    every = await wire.get("workflow", name, "correlated", "c", includeClosed="true")
    assert sorted(each["workflowId"] for each in every) == sorted(ids)
    query = f"workflowType='{name}' AND status='RUNNING'"
    found = await wire.get("workflow", "search", query=query)
    assert found["totalHits"] == 2
    assert sorted(each["workflowId"] for each in found["results"]) == sorted(ids[1:])
    for summary in found["results"]:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", summary["startTime"])
        assert summary["input"] == "{a=1}"

"""CF79 to CF81: the server's own synchronous execution."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from tests.contract.wire import Transport, row, simple, statuses, task, variables

pytestmark = pytest.mark.anyio


async def execute(wire: Transport, name: str, input: Any = None, **params: Any) -> Any:  # noqa: A002
    return await wire.post("workflow", "execute", name, "1", body={"name": name, "input": input or {}}, **params)


async def test_cf79_a_workflow_that_ends_at_once(wire: Transport) -> None:
    name = await wire.workflow(variables("v", x="${workflow.input.x}"), outputParameters={"o": "${workflow.input.x}"})
    run = await execute(wire, name, {"x": 1}, requestId="r")
    expected = {
        "responseType": "TARGET_WORKFLOW",
        "targetWorkflowId": run["workflowId"],
        "targetWorkflowStatus": "COMPLETED",
        "requestId": "r",
        "status": "COMPLETED",
        "input": {"x": 1},
        "output": {"o": 1},
        "variables": {"x": 1},
        "priority": 0,
        "signalTimeout": False,
    }
    assert {key: run[key] for key in expected} == expected
    assert statuses(run) == {"v": "COMPLETED"}
    assert run["createTime"] > 0 < run["updateTime"]
    assert (await execute(wire, name, requestId="r"))["workflowId"] != run["workflowId"]


async def test_cf79_a_workflow_that_fails_is_an_answer_too(wire: Transport) -> None:
    fails = {"terminationStatus": "FAILED", "terminationReason": "no luck"}
    run = await execute(wire, await wire.workflow(task("TERMINATE", "t", inputParameters=fails)))
    assert (run["status"], run["targetWorkflowStatus"]) == ("FAILED", "FAILED")
    assert "reasonForIncompletion" not in run


async def test_cf80_a_workflow_that_takes_longer(wire: Transport) -> None:
    name = await wire.workflow(simple(await wire.task_type(), "a"))
    begun = wire.now()
    run = await execute(wire, name, waitForSeconds=1)
    assert wire.now() - begun >= 0.9
    assert (run["status"], run["signalTimeout"], statuses(run)) == ("RUNNING", True, {"a": "SCHEDULED"})


@pytest.mark.parametrize("ended", ["COMPLETED", "FAILED"])
async def test_cf81_it_waits_until_one_of_the_named_tasks_ended(wire: Transport, ended: str) -> None:
    work = await wire.task_type()
    name = await wire.workflow(simple(work, "a"), simple(await wire.task_type(), "b"))
    runs = []

    async def wait() -> None:
        runs.append(await execute(wire, name, waitUntilTaskRef="b,a", waitForSeconds=10))

    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            await anyio.sleep(0.1)
            await wire.work(work, ended)
    (run,) = runs
    assert (row(run, "a")["status"], run["signalTimeout"]) == (ended, False)
    if ended == "COMPLETED":  # else: test_differences.py, test_awaited_task
        assert run["status"] == "RUNNING"


@pytest.mark.parametrize("what", ["an execution", "a signal"])
async def test_no_request_waits_for_more_than_30_seconds(wire: Transport, what: str, request: Any) -> None:
    if request.node.callspec.params["wire"] == "server":
        pytest.skip("takes 30 seconds each")
    name = await wire.workflow(
        *([task("WAIT", "w")] if what == "a signal" else []), simple(await wire.task_type(), "a")
    )
    answers = []

    async def ask() -> None:
        if what == "an execution":
            body = {"name": name, "input": {}}
            answers.append(await wire.call("POST", "workflow", "execute", name, "1", body=body, waitForSeconds=31))
        else:
            path = ("tasks", await wire.start(name), "COMPLETED", "signal", "sync")
            answers.append(await wire.call("POST", *path, body={}, timeoutMillis=31000))

    async with anyio.create_task_group() as group:
        group.start_soon(ask)
        await anyio.sleep(0.1)
        await wire.sleep(31)
    (answer,) = answers
    assert answer.status_code == 500
    assert answer.json().keys() == {"status", "instance", "retryable"}
    found = await wire.get("workflow", "search", query=f"workflowType={name}")
    assert found["totalHits"] == 1  # it was started, and goes on

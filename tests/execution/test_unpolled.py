"""Waits name the task types that nobody polls for."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from conductor_async import ConductorClient, ConductorWorkflow, SimpleTask, TaskDef, WaitTimeoutError
from conductor_async.execution._unpolled import UnpolledTaskTypes
from conductor_async.execution._waiter import ExecutionWaiter
from tests.fakes.clients import client_of
from tests.fakes.http_server import Peer, Request, respond, serve

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio


def unpolled_of(conductor: ConductorClient, grace: float) -> UnpolledTaskTypes:
    return UnpolledTaskTypes(conductor.workflow, conductor.task, grace=grace, check_interval=0.01)


def scheduled(task_type: str, status: str = "SCHEDULED", domain: str | None = None) -> dict[str, Any]:
    long_ago = 1_000_000
    return {
        "taskType": task_type,
        "referenceTaskName": task_type,
        "status": status,
        "scheduledTime": long_ago,
        "domain": domain,
    }


def polled_just_now(task_type: str) -> list[dict[str, Any]]:
    return [{"queueName": task_type, "lastPollTime": int(time.time() * 1000) + 60_000}]


async def test_a_timeout_names_the_unpolled_types_and_each_is_logged_once(caplog):
    tasks = [
        scheduled("greet"),
        scheduled("greet"),
        scheduled("pack", domain="eu"),
        scheduled("done", "COMPLETED"),
        scheduled("WAIT"),
        scheduled("polled"),
    ]
    running = respond(
        json={"workflowId": "execution-id-0001", "workflowName": "w", "status": "RUNNING", "tasks": tasks}
    )

    async def behave(peer: Peer, request: Request) -> None:
        if "polldata" in request.target:
            polls = polled_just_now("polled") if request.target.endswith("=polled") else []
            await respond(json=polls)(peer, request)
        else:
            await running(peer, request)

    async with serve(behave) as server, client_of(server) as conductor:
        unpolled = unpolled_of(conductor, grace=0.1)
        waiter = ExecutionWaiter(conductor.workflow, unpolled)
        for _ in range(2):
            with pytest.raises(WaitTimeoutError) as caught:
                await waiter.wait_until_ended("execution-id-0001", timeout=1.5)
            assert str(caught.value).endswith(
                " Nobody polls for tasks of type 'greet' and 'pack' in domain 'eu':"
                " is a worker running, and connected to this server?"
            )
        assert len(unpolled) == 0
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "Nobody polls for tasks of type 'greet'",
        "Nobody polls for tasks of type 'pack' in domain 'eu'",
        "Still waiting for workflow 'w' (id execution-id-0001). It is RUNNING. Task 'greet' is SCHEDULED",
    ]


async def test_a_timeout_does_not_name_types_that_were_polled_since():
    running = respond(json={"workflowId": "execution-id-0001", "status": "RUNNING", "tasks": [scheduled("greet")]})
    checks = 0

    async def behave(peer: Peer, request: Request) -> None:
        nonlocal checks
        if "polldata" in request.target:
            checks += 1
            await respond(json=[] if checks == 1 else polled_just_now("greet"))(peer, request)
        else:
            await running(peer, request)

    async with serve(behave) as server, client_of(server) as conductor:
        waiter = ExecutionWaiter(conductor.workflow, unpolled_of(conductor, grace=0.1))
        with pytest.raises(WaitTimeoutError) as caught:
            await waiter.wait_until_ended("execution-id-0001", timeout=0.6)
    assert checks > 1
    assert "Nobody polls" not in str(caught.value)


@pytest.mark.server
async def test_the_type_without_a_worker_is_named(
    server_url: str, new_name: Callable[[str], str], caplog: pytest.LogCaptureFixture
):
    polled, unpolled, delayed = new_name("polled"), new_name("unpolled"), new_name("delayed")
    async with ConductorClient(server_url) as conductor:
        await conductor.metadata.register_task_def([TaskDef(name=each) for each in (polled, unpolled, delayed)])
        workflow = ConductorWorkflow(conductor.executor, new_name("waits"))
        workflow >> [SimpleTask(polled, "p"), SimpleTask(unpolled, "u"), SimpleTask(delayed, "d", start_delay=60)]
        waiter = ExecutionWaiter(conductor.workflow, unpolled_of(conductor, grace=1.0))

        async def poll_and_hand_back() -> None:
            while True:
                task = await conductor.task.poll_task(polled, "w")
                if task is not None:
                    result = task.to_task_result("IN_PROGRESS")
                    result.callback_after_seconds = 1
                    await conductor.task.update_task(result)
                await anyio.sleep(0.2)

        with caplog.at_level(logging.WARNING, "conductor_async"):
            async with anyio.create_task_group() as group:
                group.start_soon(poll_and_hand_back)
                started_at = time.time()
                handle = await workflow.start()
                with pytest.raises(WaitTimeoutError, match=f"Nobody polls for tasks of type {unpolled!r}: "):
                    await waiter.wait_until_ended(handle.workflow_id, timeout=2.5, started_at=started_at)
                group.cancel_scope.cancel()
        (warning,) = [text for record in caplog.records if "Nobody polls" in (text := record.getMessage())]
        assert warning.startswith(
            f"Nobody polls for tasks of type {unpolled!r}: task 'u' of workflow {workflow.name!r}"
        )


@pytest.mark.parametrize(
    ("workflow_status", "statuses", "asked"),
    [
        ("RUNNING", ["COMPLETED", "COMPLETED"], 1),
        ("RUNNING", ["FAILED"], 1),
        ("RUNNING", ["COMPLETED", "IN_PROGRESS"], 0),
        ("RUNNING", [], 0),
        ("PAUSED", ["COMPLETED"], 0),
        ("COMPLETED", ["COMPLETED"], 0),
    ],
)
async def test_an_execution_whose_tasks_have_all_ended_is_decided(
    workflow_status: str, statuses: list[str], asked: int, caplog: pytest.LogCaptureFixture
):
    execution = {
        "workflowId": "w",
        "workflowName": "flow",
        "status": workflow_status,
        "tasks": [scheduled(f"task{number}", status) for number, status in enumerate(statuses)],
    }
    async with serve(respond(json=execution)) as server, client_of(server) as conductor:
        assert await unpolled_of(conductor, 10).check("w", None)
        assert server.count("PUT", "/api/workflow/decide/w") == asked
    assert ("the server has not decided what follows" in caplog.text) == bool(asked)

"""Waiting for executions on a server that is slow, fails or rejects."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import tracemalloc

import anyio
import httpx
import pytest

from conductor_async import ConfigurationError, WaitTimeoutError, Workflow
from conductor_async.client import ConductorClient
from conductor_async.config import Configuration
from conductor_async.errors import AmbiguousOutcomeError, AuthenticationError, NotFoundError
from conductor_async.execution import WorkflowStatusChanged
from conductor_async.execution._unpolled import UnpolledTaskTypes
from conductor_async.execution._waiter import MAX_CONCURRENT_POLLS, ExecutionWaiter, ended_task
from tests.fakes.clients import client_of
from tests.fakes.http_server import Behaviour, Peer, Request, cut, respond, serve, stall

pytestmark = pytest.mark.anyio


def waiter_of(conductor: ConductorClient) -> ExecutionWaiter:
    return ExecutionWaiter(conductor.workflow, UnpolledTaskTypes(conductor.workflow, conductor.task))


# -- which tasks end a wait, without any I/O --------------------------------------------------------


def execution(*tasks: tuple[str, str, bool]) -> Workflow:
    made = [{"referenceTaskName": name, "status": status, "retried": retried} for name, status, retried in tasks]
    return Workflow.model_validate({"workflowId": "w", "status": "RUNNING", "tasks": made})


@pytest.mark.parametrize(
    ("task", "ended"),
    [
        (("a", "COMPLETED", False), True),
        (("a", "FAILED", False), True),
        (("a", "SKIPPED", False), True),
        (("a", "FAILED", True), False),
        (("a", "IN_PROGRESS", False), False),
        (("a__2", "COMPLETED", False), True),
        (("a__2__1", "COMPLETED", False), True),
        (("a__x", "COMPLETED", False), False),
        (("ab", "COMPLETED", False), False),
    ],
)
def test_a_task_ends_a_wait_when_its_last_attempt_has_ended(task, ended):
    assert bool(ended_task(execution(task), {"a"})) is ended


def test_a_reference_name_can_mean_one_iteration():
    loop = execution(("a__1", "COMPLETED", False), ("a__2", "IN_PROGRESS", False))
    assert ended_task(loop, {"a__2"}) is None
    assert ended_task(loop, {"a__1"}) is not None


# -- on a fake server ------------------------------------------------------------------------------

RUNNING = respond(json={"workflowId": "execution-id-0001", "status": "RUNNING", "tasks": []})
PAUSED = respond(json={"workflowId": "execution-id-0001", "status": "PAUSED", "tasks": []})
UNKNOWN_STATUS = respond(json={"workflowId": "execution-id-0001", "status": "DREAMING", "tasks": []})
COMPLETED = respond(json={"workflowId": "execution-id-0001", "status": "COMPLETED", "output": {"x": 1}, "tasks": []})
STARTED = respond(text="execution-id-0001")


async def test_an_execution_is_polled_until_it_has_ended():
    async with serve(STARTED, RUNNING, PAUSED, UNKNOWN_STATUS, COMPLETED) as server, client_of(server) as conductor:
        run = await conductor.executor.execute("w", input={"a": 1})
    assert run.output == {"x": 1}
    assert run.is_successful()
    assert [(each.method, each.target.partition("?")[0]) for each in server.requests] == [
        ("POST", "/api/workflow"),
        *[("GET", "/api/workflow/execution-id-0001/status")] * 4,
        ("GET", "/api/workflow/execution-id-0001"),
    ]
    assert server.requests[0].json == {"name": "w", "input": {"a": 1}}


async def test_an_outage_does_not_end_a_wait(caplog):
    busy = respond(429, headers={"Retry-After": "0"})
    polls = [respond(503), cut(b""), RUNNING, busy, RUNNING, respond(500, json={"message": "oops"}), COMPLETED]
    async with serve(STARTED, *polls) as server, client_of(server) as conductor:
        with caplog.at_level(logging.WARNING, "conductor_async"):
            run = await conductor.executor.execute("w", timeout=30)
    assert run.is_successful()
    assert server.count("POST") == 1
    (warning,) = caplog.records
    assert "The wait for workflow execution-id-0001 goes on, and so do all other waits" in warning.getMessage()


@pytest.mark.parametrize(("status", "error"), [(404, NotFoundError), (401, AuthenticationError)])
async def test_a_rejected_poll_ends_the_wait_and_names_the_workflow(status, error):
    rejected = respond(status, json={"status": status, "message": "No such workflow found by id: execution-id-0001"})
    async with serve(STARTED, rejected) as server, client_of(server) as conductor:
        with pytest.raises(error) as caught:
            await conductor.executor.execute("w")
    assert caught.value.__notes__ == ["This ended the wait for workflow execution-id-0001, not the workflow."]


async def test_execute_raises_when_the_response_to_the_start_is_lost():
    async with serve(cut(b"")) as server, client_of(server) as conductor:
        with pytest.raises(AmbiguousOutcomeError):
            await conductor.executor.execute("w")
        assert server.count() == 1


@pytest.mark.parametrize("behaviour", [RUNNING, stall, respond(503)], ids=["running", "stalled", "down"])
async def test_the_timeout_covers_the_whole_wait(behaviour: Behaviour):
    async with serve(STARTED, behaviour) as server, client_of(server) as conductor:
        with (
            anyio.fail_after(5),
            pytest.raises(WaitTimeoutError, match="execution-id-0001 did not end in time") as caught,
        ):
            await conductor.executor.execute("w", timeout=0.2)
    assert caught.value.workflow_id == "execution-id-0001"
    assert isinstance(caught.value, TimeoutError)


async def test_a_start_that_takes_longer_than_the_timeout_is_not_cut_off():
    async def slow_start(peer: Peer, request: Request) -> None:
        await anyio.sleep(0.3)
        await STARTED(peer, request)

    async with serve(slow_start, RUNNING) as server, client_of(server) as conductor:
        with pytest.raises(WaitTimeoutError) as caught:
            await conductor.executor.execute("w", timeout=0.1)
    assert caught.value.workflow_id == "execution-id-0001"


async def test_an_invalid_timeout_is_rejected_before_anything_is_sent():
    async with serve(STARTED) as server, client_of(server) as conductor:
        for wrong in (-1, float("nan")):
            with pytest.raises(ConfigurationError, match="timeout"):
                await conductor.executor.execute("w", timeout=wrong)
        assert server.count() == 0


@pytest.mark.parametrize("behaviour", [RUNNING, stall], ids=["between polls", "in a poll"])
async def test_a_cancelled_wait_ends_at_once_and_leaks_nothing(behaviour: Behaviour):
    async with serve(behaviour) as server, client_of(server) as conductor:
        waiter = waiter_of(conductor)
        for _ in range(3):
            with anyio.move_on_after(0.1) as scope:
                await waiter.wait_until_ended("execution-id-0001")
            assert scope.cancelled_caught
        assert (waiter.waits, waiter.polls_in_progress) == (0, 0)


async def test_cancelled_calls_of_execute_do_not_use_up_the_concurrent_starts():
    start = stall

    async def behave(peer: Peer, request: Request) -> None:
        await (start if request.method == "POST" else COMPLETED)(peer, request)

    async with serve(behave) as server, client_of(server) as conductor:
        with anyio.move_on_after(0.3):
            async with anyio.create_task_group() as calls:
                for _ in range(40):
                    calls.start_soon(conductor.executor.execute, "w")
        start = STARTED
        with anyio.fail_after(5):
            assert await conductor.executor.start_workflows() == []
            run = await conductor.executor.execute("w")
        assert run.is_successful()


async def test_concurrent_polls_are_limited():
    polls = most = 0
    limit_reached = anyio.Event()

    async def slowly(peer: Peer, request: Request) -> None:
        nonlocal polls, most
        if not request.target.split("?")[0].endswith("/status"):
            await COMPLETED(peer, request)
            return
        polls += 1
        most = max(most, polls)
        if polls == MAX_CONCURRENT_POLLS:
            limit_reached.set()
        await limit_reached.wait()
        await anyio.sleep(0.1)  # time for one too many to come
        polls -= 1
        await COMPLETED(peer, request)

    async with serve(slowly) as server, client_of(server) as conductor, anyio.create_task_group() as waits:
        for _ in range(2 * MAX_CONCURRENT_POLLS):
            waits.start_soon(conductor.executor.handle("execution-id-0001").wait)
    assert most == MAX_CONCURRENT_POLLS


async def test_named_tasks_end_a_wait_while_the_workflow_goes_on():
    def with_task(status: str) -> Behaviour:
        task = {"referenceTaskName": "b", "status": status}
        return respond(json={"workflowId": "execution-id-0001", "status": "RUNNING", "tasks": [task]})

    for named in ("b", "a, b", ["a", "b"]):
        async with (
            serve(STARTED, with_task("SCHEDULED"), with_task("COMPLETED")) as server,
            client_of(server) as conductor,
        ):
            run = await conductor.executor.execute("w", wait_until_task_ref=named)
        assert run.is_running()
        assert server.count() == 3


# -- events ------------------------------------------------------------------------------------------


async def test_events_that_nobody_reads_any_more_leak_nothing():
    async with serve(RUNNING) as server, client_of(server) as conductor:
        waiter = waiter_of(conductor)
        events = waiter.events("execution-id-0001")
        async for event in events:
            assert isinstance(event, WorkflowStatusChanged)
            assert waiter.waits == 1
            break
        await events.aclose()
        assert (waiter.waits, waiter.polls_in_progress) == (0, 0)
        with anyio.move_on_after(0.1) as scope:
            async for _ in waiter.events("execution-id-0001"):
                pass
        assert scope.cancelled_caught
        gc.collect()
        await anyio.sleep(0.01)
        assert (waiter.waits, waiter.polls_in_progress) == (0, 0)


async def test_events_are_polled_soon_after_a_change_and_then_less_and_less():
    async with serve(RUNNING) as server, client_of(server) as conductor:
        with anyio.move_on_after(0.6):
            async for _ in conductor.executor.handle("execution-id-0001").events():
                pass
        assert 4 < server.count() < 20
        assert server.count(path="/api/workflow/execution-id-0001") == server.count()


async def test_a_cancelled_wait_names_the_execution_that_goes_on():
    async with serve(RUNNING) as server, client_of(server) as conductor:
        wait = asyncio.create_task(conductor.executor.wait("execution-id-0001"))
        await asyncio.sleep(0.05)
        wait.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await wait
    assert "Workflow execution-id-0001 goes on: executor.handle('execution-id-0001')" in caught.value.__notes__[0]


# -- many ------------------------------------------------------------------------------------------


class CountingServer:
    """A server in this process that costs next to nothing: the waits are what is measured."""

    def __init__(self) -> None:
        self.requests = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        if request.method == "POST":
            return httpx.Response(200, text=f"execution-{self.requests:07}", headers={"Content-Type": "text/plain"})
        return httpx.Response(200, content=json.dumps({"workflowId": "w", "status": "RUNNING"}))


async def memory_of(waits: int) -> int:
    """Bytes held while so many executions are awaited."""
    server = CountingServer()
    async with httpx.AsyncClient(transport=httpx.MockTransport(server)) as http:
        conductor = ConductorClient(Configuration("http://counting.test/api"), http_client=http)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        tasks = [asyncio.create_task(conductor.executor.execute("w")) for _ in range(waits)]
        while server.requests < 2 * waits:  # noqa: ASYNC110 - until all have started, and most have polled
            await asyncio.sleep(0.05)
        held: list[int] = []
        for _ in range(4):  # the least of them: without what polls in progress need
            await asyncio.sleep(0.05)
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0] - before)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return min(held)


async def test_a_wait_costs_at_most_six_kilobytes():
    await memory_of(10)  # imports and caches: not what is measured
    tracemalloc.start()
    try:
        few, many = await memory_of(30), await memory_of(150)
    finally:
        tracemalloc.stop()
    assert (many - few) / 120 <= 6 * 1024

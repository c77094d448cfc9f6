"""A call, cancelled at any await, leaves the client usable and nothing behind: swept with a pool of one connection."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import pytest

from conductor_async import Limits, RetryPolicy, StartWorkflowRequest, TaskResult
from conductor_async.client import ConductorClient
from tests.fakes.cancelling import cancelled_at, running_tasks
from tests.fakes.cases import each_case
from tests.fakes.clients import client_of
from tests.fakes.http_server import Peer, Request, raw_response, respond, serve
from tests.fakes.orkes import KEY

pytestmark = pytest.mark.anyio

STATUS = {"workflowId": "w", "status": "RUNNING"}
ONE = Limits(max_connections=1)

Call = Callable[[ConductorClient], Awaitable[Any]]


async def in_pieces(peer: Peer, request: Request) -> None:
    """An answer in pieces, so that there are awaits in the headers and in the body."""
    texts = {"/api/workflow": "3f1c", "/api/tasks/t/log": ""}
    text = texts.get(request.target)
    data = (
        raw_response(json={"token": "t"} if "token" in request.target else STATUS)
        if text is None
        else raw_response(text=text)
    )
    third = len(data) // 3
    for piece in (data[:third], data[third:-third], data[-third:]):
        await peer.send(piece)
        await anyio.sleep(0.001)


async def read(client: ConductorClient) -> None:
    await client.workflow.get_workflow_status("w")


async def start(client: ConductorClient) -> None:
    await client.workflow.start_workflow(StartWorkflowRequest(name="w", input={"text": "x" * 300_000}))


async def poll(client: ConductorClient) -> None:
    await client.task.poll_task("w")


async def deliver(client: ConductorClient) -> None:
    await client.task.update_task_v2(TaskResult(task_id="t", workflow_instance_id="w"))


async def log(client: ConductorClient) -> None:
    await client.task.add_task_log("t", "line")


async def sweep(client: ConductorClient, call: Call, *, later: int) -> int:
    """Cancel the call at its first await, its second, …; the client must work after each. How many awaits it has."""
    for nth in range(200):
        cancelled = await cancelled_at(nth, call(client), later=later)  # type: ignore[arg-type]
        with anyio.fail_after(3):
            await read(client)
        if not cancelled:
            return nth
    raise AssertionError("the call never ends")


@pytest.fixture
async def nothing_left() -> AsyncIterator[None]:
    before = running_tasks()
    yield
    with anyio.fail_after(2):
        while running_tasks() > before:  # noqa: ASYNC110 - there is no event to wait for
            await anyio.sleep(0.005)


@pytest.mark.usefixtures("nothing_left")
@each_case("later", [0, 1, 2, 3])
@pytest.mark.parametrize("call", [read, start, poll, deliver, log])
async def test_cancelling_a_call_over_an_idle_connection(call: Call, later: int) -> None:
    async with serve(in_pieces) as server:
        async with client_of(server, limits=ONE, timeout=2) as client:
            await read(client)
            assert await sweep(client, call, later=later) >= 1
            assert server.most_open <= 2  # the one in use, and one whose end is on its way
        await server.all_closed()


@pytest.mark.usefixtures("nothing_left")
@each_case("later", [0, 1, 2, 3])
@pytest.mark.parametrize("auth", [False, True], ids=["open", "token"])
async def test_cancelling_a_first_call(auth: bool, later: int) -> None:
    async with serve(in_pieces) as server:
        for nth in range(200):
            async with client_of(server, limits=ONE, authentication_settings=KEY if auth else None) as client:
                cancelled = await cancelled_at(nth, read(client), later=later)
                with anyio.fail_after(3):
                    await read(client)
            await server.all_closed()
            if not cancelled:
                break
        assert nth >= (6 if auth else 3)


@pytest.mark.usefixtures("nothing_left")
@each_case("later", [0, 2])
async def test_cancelling_a_refresh_of_the_token(later: int) -> None:
    async with serve(in_pieces) as server:
        async with client_of(server, limits=ONE, authentication_settings=KEY, auth_token_ttl=1e-6) as client:
            await read(client)
            assert await sweep(client, read, later=later) >= 4
        await server.all_closed()


@pytest.mark.usefixtures("nothing_left")
@each_case("later", [0, 2])
async def test_cancelling_a_call_that_is_retried(later: int) -> None:
    fails = iter(range(10_000))

    async def every_other(peer: Peer, request: Request) -> None:
        await (respond(503)(peer, request) if next(fails) % 2 == 0 else in_pieces(peer, request))

    async with serve(every_other) as server:
        policy = RetryPolicy(base_delay=0.002, budget=100_000)
        async with client_of(server, limits=ONE, retry=policy) as client:
            assert await sweep(client, read, later=later) >= 4
        await server.all_closed()


@pytest.mark.usefixtures("nothing_left")
@each_case("ticks", range(0, 24, 2))
async def test_cancelling_calls_that_wait_for_a_connection(ticks: int) -> None:
    """One call has the only connection, three wait for it; those are cancelled as it becomes free."""
    async with serve(in_pieces) as server:
        async with client_of(server, limits=ONE) as client:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(read, client)
                await anyio.sleep(0.002)
                with anyio.CancelScope() as scope:
                    async with anyio.create_task_group() as waiting:
                        for _ in range(3):
                            waiting.start_soon(read, client)
                        for _ in range(ticks):
                            await anyio.lowlevel.checkpoint()
                        scope.cancel()
            with anyio.fail_after(3):
                await read(client)
        await server.all_closed()


async def test_cancelling_many_calls_at_once_leaks_no_connection() -> None:
    async with serve(in_pieces) as server:
        async with client_of(server, limits=Limits(max_connections=4)) as client:
            for delay in (0.0, 0.001, 0.002, 0.004, 0.008):
                with anyio.move_on_after(delay):
                    async with anyio.create_task_group() as tasks:
                        for _ in range(40):
                            tasks.start_soon(read, client)
                with anyio.fail_after(3):
                    await _all(client, 8)
            assert server.open <= 4
        await server.all_closed()


async def _all(client: ConductorClient, count: int) -> None:
    async with anyio.create_task_group() as tasks:
        for _ in range(count):
            tasks.start_soon(read, client)


async def test_a_cancelled_call_is_not_retried(anyio_backend: str) -> None:
    arrived = anyio.Event()

    async def never(peer: Peer, request: Request) -> None:
        arrived.set()
        await anyio.sleep(1)

    async with serve(never) as server, client_of(server) as client:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read, client)
            await arrived.wait()
            tasks.cancel_scope.cancel()
        await anyio.sleep(0.05)
        assert server.count() == 1

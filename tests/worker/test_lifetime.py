"""A host may be left by another task than the one that entered it, and embedded it is left at once."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import anyio
import pytest

from conductor_async import ConductorClient, ConductorWorkflow, WorkerHost, worker_task
from conductor_async.embedded import EmbeddedConductor
from conductor_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

pytestmark = pytest.mark.anyio


@worker_task("greet")
async def greet() -> str:
    return "hello"


async def in_another_task(function: Callable[[], Awaitable[object]]) -> None:
    async with anyio.create_task_group() as group:

        async def call() -> None:
            await function()

        group.start_soon(call)


@pytest.fixture
async def embedded() -> AsyncIterator[EmbeddedConductor]:
    async with EmbeddedConductor() as conductor:
        yield conductor


async def run_once(embedded: EmbeddedConductor) -> object:
    workflow = ConductorWorkflow(executor=embedded.client.executor, name="greeting", version=1)
    workflow >> greet.task("greet")  # pyright: ignore[reportUnusedExpression]
    return (await workflow.execute({}, timeout=10)).output


async def test_start_and_stop_in_different_tasks(embedded: EmbeddedConductor) -> None:
    host = WorkerHost(embedded.client, [greet])
    await in_another_task(host.start)
    assert await run_once(embedded) == {"result": "hello"}
    await in_another_task(host.stop)
    assert host.health().state == "stopped"
    await host.stop()  # idempotent


@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # on trio, `async with` belongs to one task
async def test_an_exit_stack_that_another_task_closes(embedded: EmbeddedConductor) -> None:
    stack = AsyncExitStack()
    await in_another_task(lambda: stack.enter_async_context(WorkerHost(embedded.client, [greet])))
    assert await run_once(embedded) == {"result": "hello"}
    await stack.aclose()


async def test_it_can_be_started_again_but_not_twice_at_once(embedded: EmbeddedConductor) -> None:
    host = WorkerHost(embedded.client, [greet])
    for _ in range(2):
        await host.start()
        with pytest.raises(ConfigurationError, match="runs already"):
            await host.start()
        assert await run_once(embedded) == {"result": "hello"}
        await host.stop()


async def test_a_host_that_was_never_started_can_be_stopped(embedded: EmbeddedConductor) -> None:
    await WorkerHost(embedded.client, [greet]).stop()


async def left_within(client: ConductorClient, host_options: dict[str, object]) -> float:
    """Returns the seconds that it takes to leave a host whose poll is open."""
    polling = anyio.Event()

    async with WorkerHost(client, [greet], listeners=[lambda _: polling.set()], **host_options):  # type: ignore[arg-type]
        await polling.wait()
        await anyio.sleep(0.1)
        began = time.monotonic()
    return time.monotonic() - began


async def test_an_embedded_host_is_left_without_waiting_for_its_poll(embedded: EmbeddedConductor) -> None:
    assert await left_within(embedded.client, {}) < 0.9


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_host_on_a_dev_server_is_left_without_waiting_for_its_poll(embedded: EmbeddedConductor) -> None:
    async with embedded.serving() as url, ConductorClient(url) as client:
        assert await left_within(client, {}) < 0.9


async def test_tasks_that_become_ready_while_a_host_is_left_are_not_lost(embedded: EmbeddedConductor) -> None:
    workflow = ConductorWorkflow(executor=embedded.client.executor, name="greeting", version=1)
    workflow >> greet.task("greet")  # pyright: ignore[reportUnusedExpression]
    await workflow.register()
    handles = []
    for _ in range(20):
        async with WorkerHost(embedded.client, [greet]):
            await anyio.sleep(0.01)
            handles.append(await workflow.start({}))
    async with WorkerHost(embedded.client, [greet]):
        for handle in handles:
            assert await handle.result() == {"result": "hello"}

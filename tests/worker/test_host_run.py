"""How a host stops: what runs gets its time, and nothing is lost."""

from __future__ import annotations

import asyncio

import anyio
import anyio.lowlevel
import pytest

from conductor_async.worker import WorkerHost, get_task_context
from tests.worker.fake_conductor import FakeConductor
from tests.worker.hosting import anyio_backend, echo, hosting, only_with_a_mock_clock, worker  # noqa: F401

pytestmark = pytest.mark.anyio


async def test_a_poll_under_way_is_not_cancelled_and_what_it_brings_is_handed_back():
    server = FakeConductor()
    host = WorkerHost(server.client(), [echo], poll_timeout=2)
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:
            group.start_soon(host.run)
            await server.until(lambda: server.polls)

            async def later() -> None:
                with anyio.CancelScope(shield=True):
                    await anyio.sleep(0.1)
                    server.put()

            group.start_soon(later)
            await anyio.sleep(0.05)
            scope.cancel()
    assert [(result["taskId"], result["status"], result["via"]) for result in server.results] == [
        ("t1", "IN_PROGRESS", "v1")
    ]


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_a_host_that_is_cancelled_natively_twice_still_delivers():
    server = FakeConductor()
    server.put()

    async def job() -> str:
        await anyio.sleep(0.3)
        return "done"

    running = asyncio.create_task(WorkerHost(server.client(), [worker(job)], poll_timeout=0.2).run())
    await server.until(lambda: server.polls and not server.queue)
    await anyio.sleep(0.05)
    running.cancel()
    await anyio.sleep(0.05)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert server.results[0]["outputData"] == {"result": "done"}


@only_with_a_mock_clock
async def test_running_tasks_get_the_grace_period():
    server = FakeConductor()
    server.put(2)
    begun: list[float] = []

    async def job() -> str:
        begun.append(20.0 + 20 * len(begun))
        await anyio.sleep(begun[-1])
        return "done"

    async with hosting(server, worker(job, concurrency=2), grace=30):
        await anyio.sleep(1)
        assert len(begun) == 2
        began = anyio.current_time()
    assert server.statuses() == ["COMPLETED", "IN_PROGRESS"]
    assert anyio.current_time() - began == pytest.approx(30, abs=1)


@only_with_a_mock_clock
async def test_a_host_without_work_stops_within_a_poll():
    server = FakeConductor()
    async with hosting(server, echo, poll_timeout=5):
        await anyio.sleep(12)
        began = anyio.current_time()
    assert anyio.current_time() - began <= 5


@only_with_a_mock_clock
async def test_a_poll_that_hangs_does_not_keep_the_host():
    server = FakeConductor()
    server.always["poll"] = anyio.sleep_forever
    async with hosting(server, echo, grace=1):
        await anyio.sleep(0.1)
        began = anyio.current_time()
    assert anyio.current_time() - began <= 12


async def test_an_error_leaves_the_context_as_it_was_raised():
    with pytest.raises(ZeroDivisionError) as caught:
        async with hosting(FakeConductor(), echo):
            _ = 1 / 0
    assert caught.value.__context__ is None


async def test_a_host_can_be_entered_again():
    server = FakeConductor()
    async with server.client() as conductor:
        host = WorkerHost(conductor, [echo], poll_timeout=0.1)
        for count in (1, 2):
            server.put()
            async with host:
                await server.until(lambda: len(server.results) == count)  # noqa: B023


@only_with_a_mock_clock
async def test_progress_is_handed_on_to_the_next_worker():
    server = FakeConductor()
    server.put()
    begun = anyio.Event()

    async def long() -> None:
        context = get_task_context()
        context.progress(rows=5)
        context.progress(page=2)
        context.log("half way")
        begun.set()
        await anyio.sleep_forever()

    async with hosting(server, worker(long), grace=0.1):
        await begun.wait()
    [result] = server.results
    assert (result["status"], result["outputData"]) == ("IN_PROGRESS", {"rows": 5, "page": 2})
    assert [line["log"] for line in result["logs"]] == ["half way"]

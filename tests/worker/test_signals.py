"""A host that is asked to handles signals: it stops at the first one, and at once at the second one."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from conductor_async.errors import ConfigurationError
from conductor_async.worker import WorkerHost
from conductor_async.worker.events import HostStopped, HostStopping, TaskHandedBack, WorkerEvent
from tests.worker.fake_conductor import FakeConductor
from tests.worker.hosting import anyio_backend, beside_threads_with_a_mock_clock, echo, hosting, worker  # noqa: F401

pytestmark = pytest.mark.anyio


def host_of(server: FakeConductor, *workers: Any, **options: Any) -> WorkerHost:
    return WorkerHost(server.client(), workers, **{"poll_timeout": 0.2, **options})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_the_host_and_running_tasks_end(number: signal.Signals):
    server, events = FakeConductor(), list[WorkerEvent]()
    server.put()

    async def job() -> str:
        os.kill(os.getpid(), number)
        await anyio.sleep(0.1)
        return "done"

    before = signal.getsignal(number)
    with anyio.fail_after(10):
        await host_of(server, worker(job), listeners=[events.append]).run(signals=True)
    assert signal.getsignal(number) is before
    assert server.statuses() == ["COMPLETED"]
    assert [type(event) for event in events if isinstance(event, HostStopping | HostStopped)] == [
        HostStopping,
        HostStopped,
    ]


@beside_threads_with_a_mock_clock
async def test_the_second_signal_hands_back_at_once_and_waits_no_longer_than_a_second_for_polls():
    server, events = FakeConductor(), list[WorkerEvent]()
    server.put()
    begun = anyio.Event()

    async def endless() -> None:
        begun.set()
        await anyio.sleep_forever()

    host = host_of(server, worker(endless, concurrency=2), poll_timeout=5, grace=300, listeners=[events.append])
    async with anyio.create_task_group() as group:

        async def run() -> None:
            await host.run(signals=True)
            group.cancel_scope.cancel()

        group.start_soon(run)
        await begun.wait()
        await anyio.sleep(0.5)  # the second slot's poll waits at the server
        began = anyio.current_time()
        os.kill(os.getpid(), signal.SIGTERM)
        await anyio.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)
        await anyio.sleep_forever()
    assert anyio.current_time() - began < 1.1  # the open poll gets a second
    assert set(server.statuses()) == {"IN_PROGRESS"}  # the poll may bring it once more
    assert server.tasks["t1"]["status"] == "SCHEDULED"
    assert [event.at_once for event in events if isinstance(event, HostStopping)] == [False, True]
    reasons = [event.reason for event in events if isinstance(event, TaskHandedBack)]
    assert reasons[0] == "the worker host is stopping"


async def test_former_handlers_are_restored():
    server = FakeConductor()
    received: list[int] = []

    def mine(number: int, frame: object) -> None:
        received.append(number)

    before = signal.signal(signal.SIGTERM, mine)
    try:
        host = host_of(server, echo)
        with anyio.fail_after(10):
            async with anyio.create_task_group() as group:
                group.start_soon(lambda: host.run(signals=True))
                await server.until(lambda: server.polls)
                os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        await anyio.lowlevel.checkpoint()
        assert received == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


async def test_a_host_that_is_not_asked_to_leaves_handlers_alone():
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    async with hosting(FakeConductor(), echo, poll_timeout=0.1):
        assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_signals_are_for_the_main_thread():
    def elsewhere() -> None:
        anyio.run(lambda: host_of(FakeConductor(), echo).run(signals=True))

    with pytest.raises(ConfigurationError, match="only the main thread"):
        await anyio.to_thread.run_sync(elsewhere)
    assert threading.current_thread() is threading.main_thread()

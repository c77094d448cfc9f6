"""Leases of long tasks are extended until the server has the result."""

from __future__ import annotations

import itertools
import sys
from collections import Counter, defaultdict
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from conductor_async.worker.events import LeaseExpired, LeaseExtended, TaskEvent, TaskStarted, WorkerEvent
from tests.worker.fake_conductor import FakeConductor
from tests.worker.hosting import anyio_backend, echo, hosting, only_with_a_mock_clock, worker  # noqa: F401

pytestmark = pytest.mark.anyio


@only_with_a_mock_clock
async def test_a_long_task_is_extended_until_it_is_delivered():
    server = FakeConductor()
    server.response_timeout = 9
    server.put()

    async def job() -> None:
        await anyio.sleep(20)

    async with hosting(server, worker(job)):
        await server.until(lambda: "COMPLETED" in server.statuses())
        extensions = len([result for result in server.results if result.get("extendLease")])
        await anyio.sleep(60)
        assert len(server.results) == extensions + 1
    assert extensions in (6, 7)


@only_with_a_mock_clock
async def test_a_worker_can_turn_extensions_off():
    server = FakeConductor()
    server.response_timeout = 9
    server.put()

    async def job() -> None:
        await anyio.sleep(20)

    async with hosting(server, worker(job, lease_extend_enabled=False)):
        await server.until(lambda: server.results)
    assert server.statuses() == ["COMPLETED"]
    assert len(server.results) == 1


@only_with_a_mock_clock
async def test_a_failed_extension_is_retried():
    server = FakeConductor()
    server.response_timeout = 30
    server.put()
    server.faults["v1"] = [httpx.ConnectError("refused")]

    async def job() -> None:
        await anyio.sleep(19)

    async with hosting(server, worker(job)):
        await server.until(lambda: "COMPLETED" in server.statuses())
    assert [result.get("extendLease", False) for result in server.results] == [True, False]


@only_with_a_mock_clock
async def test_the_lease_is_extended_until_the_result_is_acknowledged():
    server = FakeConductor()
    server.response_timeout = 9
    server.put()

    async def only_leases() -> None:
        if not server.tried[-1][1].get("extendLease"):
            raise httpx.ReadError("reset")

    server.always = {"v2": httpx.Response(429), "v1": only_leases}

    async def extensions() -> int:
        return len([result for result in server.results if result.get("extendLease")])

    async with hosting(server, echo):
        await server.until(lambda: server.tried)
        await anyio.sleep(30)
        assert await extensions() >= 8
        server.always = {}
        await server.until(lambda: "COMPLETED" in server.statuses(), within=60)
        so_far = await extensions()
        await anyio.sleep(30)
        assert await extensions() == so_far


@only_with_a_mock_clock
async def test_leases_are_extended_while_the_host_stops():
    server = FakeConductor()
    server.response_timeout = 9
    server.put()

    started = anyio.Event()

    async def job() -> str:
        started.set()
        await anyio.sleep(20)
        return "done"

    async with hosting(server, worker(job), grace=60):
        await started.wait()
    extensions = [result for result in server.results if result.get("extendLease")]
    assert len(extensions) in (6, 7)
    assert server.results[-1]["outputData"] == {"result": "done"}


class LeaseDiary:
    """A listener that notes when each task was handed out and extended."""

    def __init__(self) -> None:
        self.times = defaultdict[str, list[float]](list)

    def __call__(self, event: WorkerEvent) -> None:
        if isinstance(event, TaskStarted | LeaseExtended):
            self.times[event.task.task_id].append(anyio.current_time())

    def longest_gap(self, until: float) -> float:
        return max(later - time for times in self.times.values() for time, later in itertools.pairwise([*times, until]))


async def asleep() -> None:
    await anyio.sleep_forever()


def answers(server: FakeConductor, delay: Any) -> None:
    """Makes the server answer lease extensions when `delay` has returned."""

    async def answer() -> None:
        if server.tried[-1][1].get("extendLease"):
            await delay()

    server.always["v1"] = answer


@only_with_a_mock_clock
async def test_as_many_leases_are_extended_at_once_as_a_slow_server_needs():
    server, diary = FakeConductor(), LeaseDiary()
    server.response_timeout = 15
    server.put(60)
    under_way, most = 0, 0

    async def slow() -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await anyio.sleep(1.5)
        under_way -= 1

    answers(server, slow)
    async with hosting(server, worker(asleep, concurrency=60), listeners=[diary], grace=0):
        await anyio.sleep(32)
        assert len(diary.times) == 60
        assert diary.longest_gap(anyio.current_time()) < 10
        assert most < 50  # spread over the time that they have, and no burst


@only_with_a_mock_clock
async def test_extensions_without_a_response_keep_no_other_lease_waiting():
    server, diary = FakeConductor(), LeaseDiary()
    server.response_timeout = 5
    server.put(20)
    stalled = iter(range(4))

    async def stall() -> None:
        if next(stalled, None) is not None:
            await anyio.sleep(60)

    answers(server, stall)
    async with hosting(server, worker(asleep, concurrency=20), listeners=[diary], grace=0):
        await anyio.sleep(30)
        assert diary.longest_gap(anyio.current_time()) < 5


@only_with_a_mock_clock
async def test_a_lease_with_little_time_left_goes_before_one_with_much():
    server = FakeConductor()
    server.response_timeout = 30
    server.put(60)
    server.response_timeout = 3
    server.put(10)
    answers(server, lambda: anyio.sleep(0.6))
    diary = LeaseDiary()
    async with hosting(server, worker(asleep, concurrency=70), listeners=[diary], grace=0):
        await anyio.sleep(32)
        short = [f"t{number}" for number in range(61, 71)]
        diary.times = defaultdict(list, {task_id: diary.times[task_id] for task_id in short})
        assert diary.longest_gap(anyio.current_time()) < 3


@pytest.mark.parametrize("fault", [httpx.ConnectError("refused"), httpx.Response(503)], ids=["down", "overloaded"])
@only_with_a_mock_clock
async def test_an_expired_lease_is_reported_once_and_extended_when_the_server_is_back(
    fault: Any, caplog: pytest.LogCaptureFixture
):
    server, events = FakeConductor(), list[WorkerEvent]()
    server.response_timeout = 9
    server.put()
    async with hosting(server, worker(asleep), listeners=[events.append], grace=0):
        await anyio.sleep(0.5)
        server.always = dict.fromkeys(("poll", "v1", "v2", "other"), fault)
        await anyio.sleep(8)
        assert not [event for event in events if isinstance(event, LeaseExpired)]
        await anyio.sleep(20)
        assert Counter(type(event) for event in events if isinstance(event, TaskEvent))[LeaseExpired] == 1
        assert "The lease of task t1 (job) has expired" in caplog.text
        server.always = {}
        await anyio.sleep(10)
        assert isinstance([event for event in events if isinstance(event, TaskEvent)][-1], LeaseExtended)
        server.always = dict.fromkeys(("poll", "v1", "v2", "other"), fault)
        await anyio.sleep(20)
        assert Counter(type(event) for event in events)[LeaseExpired] == 2


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_busy_threads_give_way_sooner_while_hosts_run():
    usual = sys.getswitchinterval()
    server = FakeConductor()
    async with hosting(server, echo):
        async with hosting(server, echo):
            await server.until(lambda: len(server.polls) == 2)
            assert sys.getswitchinterval() < usual
        assert sys.getswitchinterval() < usual
    assert sys.getswitchinterval() == usual

"""When a poller polls, for how many tasks, and what it does when a poll fails."""

from __future__ import annotations

import logging
import time
from typing import Any

import anyio
import httpx
import pytest

from conductor_async.errors import (
    ClientClosedError,
)
from conductor_async.worker import WorkerHost
from conductor_async.worker._polling.poller import delay_after_empty_poll
from tests.worker.fake_conductor import V2_MISSING, FakeConductor
from tests.worker.hosting import anyio_backend, echo, hosting, only_with_a_mock_clock, worker  # noqa: F401

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("asked_for", "took", "interval", "pause"),
    [
        (5.0, 5.0, 0.0, 0.0),  # a full long poll: straight on
        (5.0, 5.0, 10.0, 5.0),  # an interval counts from start to start
        (5.0, 0.0, 0.0, 0.1),  # a server that does not wait is not asked in a loop
        (0.05, 0.05, 0.0, 0.0),
        (0.1, 0.12, 1.0, 0.88),
    ],
)
def test_delay_after_an_empty_poll(asked_for, took, interval, pause):
    assert delay_after_empty_poll(asked_for, took, interval) == pytest.approx(pause)


async def test_an_idle_poller_waits_for_one_task_and_then_takes_the_backlog():
    server = FakeConductor()
    async with hosting(server, worker(echo, concurrency=5), poll_timeout=0.9):
        await server.until(lambda: server.polls)
        server.put(3)
        await server.until(lambda: len(server.results) == 3)
    assert [(poll["count"], poll["timeout"]) for poll in server.polls[:2]] == [("1", "900"), ("4", "0")]


async def test_a_poller_never_polls_for_more_tasks_than_it_has_slots():
    server = FakeConductor()
    server.always["v2"] = httpx.Response(404, json=V2_MISSING)
    server.put(100)
    running = most = 0

    async def job() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await anyio.sleep(0.001)
        running -= 1

    async with hosting(server, worker(job, concurrency=7)):
        await server.until(lambda: len(server.results) == 100)
    assert most == 7
    assert max(int(poll["count"]) for poll in server.polls) <= 7


async def test_a_full_poller_waits_without_polling():
    server = FakeConductor()
    server.put(5)

    async def long() -> None:
        await anyio.sleep(0.5)

    async with hosting(server, worker(long, concurrency=2)):
        await server.until(lambda: len(server.polls) == 2)
        cpu = time.process_time()
        await anyio.sleep(0.4)
        assert time.process_time() - cpu < 0.1
        assert len(server.polls) == 2


@only_with_a_mock_clock
async def test_the_server_waits_for_a_second_in_the_first_minute_and_then_for_the_poll_timeout():
    server = FakeConductor()
    async with hosting(server, worker(echo, poll_timeout=4.5)):
        await anyio.sleep(59.5)
        assert {poll["timeout"] for poll in server.polls} == {"1000"}
        assert len(server.polls) == 60
        await anyio.sleep(1)
        server.polls.clear()
        await anyio.sleep(90)
    assert {poll["timeout"] for poll in server.polls} == {"4500"}
    assert len(server.polls) in (20, 21)


async def test_a_shorter_poll_timeout_holds_from_the_start():
    server = FakeConductor()
    async with hosting(server, echo, poll_timeout=0.25):
        await server.until(lambda: len(server.polls) > 1)
    assert {poll["timeout"] for poll in server.polls} == {"250"}


@only_with_a_mock_clock
async def test_the_poll_interval_counts_from_start_to_start():
    server = FakeConductor()
    async with hosting(server, worker(echo, poll_interval=10, poll_timeout=0.1)):
        await anyio.sleep(85)
    assert len(server.polls) == 9


@only_with_a_mock_clock
async def test_an_idle_poller_costs_a_fifth_of_a_request_a_second():
    server = FakeConductor()
    async with hosting(server, echo, poll_timeout=5):
        await anyio.sleep(61)
        server.polls.clear()
        await anyio.sleep(1000)
    assert len(server.polls) <= 201


async def test_a_server_that_does_not_wait_is_not_polled_in_a_loop():
    server = FakeConductor()
    server.always["poll"] = httpx.Response(200, json=[])
    async with hosting(server, echo, poll_timeout=5):
        await anyio.sleep(0.55)
    assert len(server.polls) <= 6


@pytest.mark.parametrize(
    "fault",
    [
        httpx.ConnectError("refused"),
        httpx.ReadError("reset"),
        httpx.Response(401, json={"message": "who?"}),
        httpx.Response(403, json={"message": "no"}),
        httpx.Response(429),
        httpx.Response(500, json={"message": "oops"}),
        httpx.Response(503),
        httpx.Response(200, text="<html>login</html>"),
        httpx.Response(200, text='[{"taskId":'),
        httpx.Response(302, headers={"location": "http://elsewhere"}),
    ],
    ids=repr,
)
@only_with_a_mock_clock
async def test_no_error_of_a_poll_ends_the_poller(fault: Any, caplog: pytest.LogCaptureFixture):
    server = FakeConductor()
    server.faults["poll"] = [fault] * 12
    server.put()
    async with hosting(server, echo):
        await server.until(lambda: server.results, within=5000)
    assert server.statuses() == ["COMPLETED"]
    assert (
        len([r for r in caplog.records if r.levelno == logging.WARNING and "Polling for 'job'" in r.getMessage()]) == 1
    )


@only_with_a_mock_clock
async def test_a_wrong_key_is_not_hammered():
    server = FakeConductor()
    server.always["poll"] = httpx.Response(401, json={"message": "who?"})
    async with hosting(server, echo):
        await anyio.sleep(600)
    assert len(server.polls) < 50  # 2.0's async worker: 7 in half a second


async def test_a_closed_client_ends_the_host():
    server = FakeConductor()
    conductor = server.client()
    with pytest.raises(ClientClosedError), anyio.fail_after(10):  # noqa: PT012
        async with WorkerHost(conductor, [echo], poll_timeout=0.1):
            await conductor.aclose()
            await anyio.sleep_forever()


@only_with_a_mock_clock
async def test_a_paused_worker_does_not_poll(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CONDUCTOR_WORKER_JOB_PAUSED", "true")
    server = FakeConductor()
    async with hosting(server, echo) as host:
        await anyio.sleep(60)
        assert host.health().pollers[0].state == "paused"
        assert host.health().is_healthy
    assert not server.polls

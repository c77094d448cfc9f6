"""A result that does not end its task is sent again only while the task is still this host's."""

from __future__ import annotations

import logging
from typing import Any

import anyio
import httpx
import pytest

from conductor_async.worker import TaskInProgress
from conductor_async.worker.events import ResultDelivered, WorkerEvent
from tests.worker.fake_conductor import LOST, FakeConductor
from tests.worker.hosting import anyio_backend, hosting, only_with_a_mock_clock, worker  # noqa: F401

pytestmark = pytest.mark.anyio

NOT_SENT = httpx.ConnectError("refused")
LOST_BEFORE_THE_SERVER = httpx.ReadError("reset")


def sent(server: FakeConductor) -> int:
    """How many results other than lease extensions were sent."""
    return len([result for _, result in server.tried if not result.get("extendLease")])


def asked(server: FakeConductor) -> int:
    return server.reads.count("/api/tasks/t1")


async def hand_back(server: FakeConductor, *faults: Any, events: list[WorkerEvent] | None = None) -> None:
    """Hands `t1` back because the host stops, with these faults."""
    server.put()
    begun = anyio.Event()

    async def endless() -> None:
        begun.set()
        await anyio.sleep_forever()

    async with hosting(server, worker(endless), grace=0, listeners=[events.append] if events is not None else ()):
        await begun.wait()
        server.faults["v1"] = list(faults)


async def test_a_hand_back_whose_response_was_lost_is_not_repeated():
    server, events = FakeConductor(), list[WorkerEvent]()
    await hand_back(server, LOST, events=events)
    assert (server.tasks["t1"]["status"], sent(server)) == ("SCHEDULED", 1)
    assert len([event for event in events if isinstance(event, ResultDelivered)]) == 1


async def test_a_hand_back_is_not_repeated_when_another_worker_has_polled_the_task():
    server = FakeConductor()

    async def lost_and_polled() -> None:
        server.tasks["t1"] |= {"status": "IN_PROGRESS", "workerId": "another", "pollCount": 2}
        raise LOST

    await hand_back(server, lost_and_polled)
    assert (server.tasks["t1"]["workerId"], server.tasks["t1"]["status"], sent(server)) == ("another", "IN_PROGRESS", 1)


async def test_a_hand_back_is_not_repeated_when_the_same_worker_has_polled_the_task_again():
    """A function that hands its task back is polled again at once: the second call is not taken away."""
    server = FakeConductor()
    server.put()
    server.faults["v1"] = [LOST]
    running, most, calls = 0, 0, 0

    async def again() -> TaskInProgress | None:
        nonlocal running, most, calls
        calls += 1
        running += 1
        most = max(most, running)
        await anyio.sleep(0.3)
        running -= 1
        return TaskInProgress(0) if calls == 1 else None

    async with hosting(server, worker(again, concurrency=2)):
        await server.until(lambda: "COMPLETED" in server.statuses())
    assert (calls, most, server.statuses()) == (2, 1, ["IN_PROGRESS", "COMPLETED"])


async def test_a_hand_back_that_was_surely_not_sent_is_repeated_without_a_question():
    server = FakeConductor()
    await hand_back(server, NOT_SENT)
    assert (server.tasks["t1"]["status"], sent(server), asked(server)) == ("SCHEDULED", 2, 0)


async def test_a_hand_back_that_did_not_arrive_is_repeated():
    server = FakeConductor()
    await hand_back(server, LOST_BEFORE_THE_SERVER, httpx.Response(502))
    assert (server.tasks["t1"]["status"], sent(server), asked(server)) == ("SCHEDULED", 3, 2)


@pytest.mark.parametrize("fault", [httpx.ReadError("reset"), httpx.Response(503), httpx.Response(500)])
async def test_nothing_is_repeated_before_the_server_has_said_whose_the_task_is(fault: Any):
    server = FakeConductor()
    server.faults["other"] = [fault] * 2
    await hand_back(server, LOST)
    assert (server.tasks["t1"]["status"], sent(server), asked(server)) == ("SCHEDULED", 1, 1)


@pytest.mark.parametrize(
    "message", ["No such task found by id: t1", "No static resource api/tasks/t1."], ids=["no task", "no endpoint"]
)
async def test_nothing_is_repeated_when_nobody_knows_whose_the_task_is(message: str):
    server = FakeConductor()
    server.always["other"] = httpx.Response(404, json={"status": 404, "message": message})
    await hand_back(server, LOST_BEFORE_THE_SERVER)
    assert sent(server) == 1


@only_with_a_mock_clock
async def test_no_lease_is_extended_while_it_is_unknown_whether_the_task_was_handed_back():
    server = FakeConductor()
    server.response_timeout = 3
    server.put()
    server.always["v1"] = LOST
    server.always["other"] = httpx.Response(500)

    async def later() -> TaskInProgress:
        return TaskInProgress(3600)

    async with hosting(server, worker(later)):
        await server.until(lambda: server.tried)
        await anyio.sleep(60)
        assert len(server.tried) == 1
        server.always = {}
        await anyio.sleep(60)
        assert len(server.tried) == 1


async def test_a_task_that_is_handed_back_for_later_brings_no_next_task():
    """Update-v2 brings a task only when the task before it has ended."""
    server = FakeConductor()
    server.put(2)

    async def later() -> TaskInProgress:
        return TaskInProgress(3600)

    async with hosting(server, worker(later)):
        await server.until(lambda: len(server.results) == 2)
    assert [result["via"] for result in server.results] == ["v1", "v1"]


@only_with_a_mock_clock
async def test_an_orphan_is_handed_back_when_the_server_has_said_that_it_still_is_one(
    caplog: pytest.LogCaptureFixture,
):
    server = FakeConductor()
    server.put()

    async def listed() -> None:
        server.faults["other"] = [httpx.Response(503)] * 3

    async def endless() -> None:
        await anyio.sleep_forever()

    server.faults = {"poll": [LOST], "other": [listed]}
    with caplog.at_level(logging.WARNING):
        async with hosting(server, worker(endless), grace=0):
            await server.until(lambda: server.tasks["t1"]["pollCount"] == 2, within=60)
    assert caplog.text.count("is handed back: the response that should have brought it was lost") == 1

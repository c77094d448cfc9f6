"""While the server cannot be reached, one request at a time probes it; all are back soon after it is."""

from __future__ import annotations

import logging

import anyio
import httpx
import pytest

from conductor_async.worker import worker_task
from conductor_async.worker.events import ServerRecovered, ServerUnreachable, WorkerEvent
from tests.worker.fake_conductor import FakeConductor
from tests.worker.hosting import anyio_backend, hosting, only_with_a_mock_clock  # noqa: F401

pytestmark = pytest.mark.anyio

REFUSED = httpx.ConnectError("refused")
DOWN = {"poll": REFUSED, "v1": REFUSED, "v2": REFUSED, "other": REFUSED}


def workers(count: int) -> list:
    async def job() -> str:
        return "done"

    return [worker_task(f"job_{number}" if number else "job")(job) for number in range(count)]


class Counting(FakeConductor):
    """Counts every request, and when it came."""

    def __init__(self) -> None:
        super().__init__()
        self.came: list[float] = []

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        self.came.append(anyio.current_time())
        return await super()._answer(request)

    def between(self, first: float, last: float) -> int:
        return len([at for at in self.came if first <= at < last])


@pytest.mark.parametrize("fault", [REFUSED, httpx.Response(503), httpx.Response(502, text="<html>")], ids=repr)
@only_with_a_mock_clock
async def test_one_request_a_second_probes_and_all_are_back_in_two_seconds(fault, caplog):
    server, events = Counting(), list[WorkerEvent]()
    async with hosting(server, *workers(50), poll_timeout=5, listeners=[events.append]) as host:
        await anyio.sleep(7)
        server.always = dict.fromkeys(DOWN, fault)
        await anyio.sleep(13)
        assert {poller.state for poller in host.health().pollers} == {"unreachable"}
        assert not host.health().is_healthy
        began = anyio.current_time()
        await anyio.sleep(60)
        assert server.between(began, began + 60) <= 60
        server.always = {}
        polls = len(server.polls)
        server.put()
        await anyio.sleep(1.7)
        assert len(server.polls) > polls
        await anyio.sleep(2)
        assert len(server.polls) - polls >= 50
        await server.until(lambda: server.results)
        assert host.health().is_healthy
    assert [type(event) for event in events if isinstance(event, ServerUnreachable | ServerRecovered)] == [
        ServerUnreachable,
        ServerRecovered,
    ]
    warnings = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len([text for text in warnings if "cannot be reached" in text or "is back" in text]) == 2


@only_with_a_mock_clock
async def test_after_five_minutes_there_are_two_to_four_probes_a_minute():
    server = Counting()
    server.always = dict(DOWN)
    async with hosting(server, *workers(3), grace=0):
        await anyio.sleep(400)
        began = anyio.current_time()
        await anyio.sleep(600)
        assert 20 <= server.between(began, began + 600) <= 41
        server.always = {}
        polls = len(server.polls)
        await anyio.sleep(32)
        assert len(server.polls) > polls


@only_with_a_mock_clock
async def test_results_wait_without_requests_and_are_all_delivered():
    server = Counting()
    server.put(30)
    begun = anyio.Event()

    async def job() -> str:
        begun.set()
        await anyio.sleep(1)
        return "done"

    async with hosting(server, worker_task("job", concurrency=30)(job)):
        await begun.wait()
        await anyio.sleep(0.5)
        server.always = dict(DOWN)
        await anyio.sleep(60)
        began = anyio.current_time()
        await anyio.sleep(60)
        assert server.between(began, began + 60) <= 60
        server.always = {}
        await server.until(lambda: server.statuses().count("COMPLETED") == 30, within=5)


@only_with_a_mock_clock
async def test_a_host_that_stops_meanwhile_does_not_wait():
    server = FakeConductor()
    server.always = dict(DOWN)
    async with hosting(server, *workers(2)):
        await anyio.sleep(60)
        began = anyio.current_time()
    assert anyio.current_time() - began < 1


@only_with_a_mock_clock
async def test_a_server_that_answers_with_an_error_is_not_unreachable():
    server = FakeConductor()
    server.always = {"poll": httpx.Response(401, json={"message": "who?"})}
    async with hosting(server, *workers(8)) as host:
        await anyio.sleep(100)
        assert {poller.state for poller in host.health().pollers} == {"failing"}
        assert "401" in str(host.health().pollers[0].error)

"""Leases of long tasks are extended until the server has the result."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import httpx
import pytest

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

    async def job() -> str:
        await anyio.sleep(20)
        return "done"

    async with hosting(server, worker(job), grace=60):
        await server.until(lambda: server.tasks["t1"]["status"] == "IN_PROGRESS")
    extensions = [result for result in server.results if result.get("extendLease")]
    assert len(extensions) in (6, 7)
    assert server.results[-1]["outputData"] == {"result": "done"}

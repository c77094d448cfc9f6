"""Defects of conductor-python 2.0's workers that show on the wire, by their numbers: here they do not exist.

D4 and D15 (what SIGTERM does, and that the process ends) are in test_restarts.py, D6 and D24 to D27 in tests/http,
those of arguments and results in tests/worker.
"""

from __future__ import annotations

import asyncio
import enum
import random
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from conductor_async import WorkerHost, worker_task
from tests.fakes.clients import NEVER, client_of
from tests.faults.queue_server import QueueServer
from tests.faults.rig import Failing, Fault, Operation, Rig, Storm, Weather, between

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]

FINE = Failing(Operation.OTHER, Fault.HTML, times=0)


@asynccontextmanager
async def hosting(server: QueueServer, worker: Any, weather: Weather = FINE, **options: Any) -> AsyncIterator[Rig]:
    async with (
        between(server.answer, weather) as rig,
        client_of(rig, retry=NEVER) as conductor,
        WorkerHost(conductor, [worker], **{"poll_timeout": 0.2, **options}),
    ):
        yield rig


def job(**options: Any) -> Any:
    @worker_task("job", **options)
    async def job(number: str) -> str:
        return number

    return job


async def test_d1_without_update_v2_no_result_of_an_async_worker_is_lost():
    server = QueueServer(has_v2=False)
    server.put(5)
    async with hosting(server, job()) as rig:
        await server.until(lambda: server.statuses() == ["COMPLETED"] * 5)
    assert rig.seen(Operation.UPDATE_V2) == 1


async def test_d1_a_wrong_key_is_not_hammered(seed: int):
    server = QueueServer()
    refusing = Storm(random.Random(seed), 1.0, (Fault.UNAUTHORIZED,))
    async with hosting(server, job(), refusing) as rig:
        await anyio.sleep(1.5)
    assert 1 <= rig.seen(Operation.POLL) <= 4  # waits of up to 1 s, 2 s, … each at least half of that


async def test_d5_a_task_that_update_v2_brings_at_shutdown_is_handed_back():
    server = QueueServer()
    server.put(2)

    @worker_task("job")
    async def slow(number: str) -> None:
        stopping.set()
        await anyio.sleep(0.3)

    stopping = anyio.Event()
    async with hosting(server, slow, grace=0.6):
        await stopping.wait()
    assert sorted(server.statuses()) in (["COMPLETED", "COMPLETED"], ["COMPLETED", "SCHEDULED"])


async def test_d7_no_such_workflow_does_not_turn_update_v2_off():
    server = QueueServer()
    server.put(4)

    @worker_task("job")
    async def removed(number: str) -> None:
        if number == "t1":
            server.remove(number)

    async with hosting(server, removed) as rig:
        await server.until(lambda: server.statuses() == ["COMPLETED"] * 3)
    assert rig.seen(Operation.UPDATE_V2) == 4


class Colour(enum.Enum):
    RED = object()


@pytest.mark.parametrize("value", [Colour.RED, float("nan"), {(1, 2): 3}, {1, object()}])
async def test_d8_what_cannot_be_sent_fails_at_once_and_for_good(value: Any):
    server = QueueServer()
    server.put()

    @worker_task("job")
    async def unfit(number: str) -> Any:
        return {"value": value}

    async with hosting(server, unfit) as rig:
        await server.until(lambda: server.statuses() == ["FAILED_WITH_TERMINAL_ERROR"])
    [job] = server.jobs.values()
    assert "outputData.value" in job.accepted[0]["reasonForIncompletion"]
    assert rig.seen(Operation.UPDATE_V2) + rig.seen(Operation.RESULT) == 1


async def test_d9_a_cancelled_error_of_the_functions_own_is_reported():
    server = QueueServer()
    server.put()

    @worker_task("job")
    async def cancelling(number: str) -> None:
        raise asyncio.CancelledError

    async with hosting(server, cancelling):
        await server.until(lambda: server.statuses() == ["FAILED"])


async def test_d10_d11_poll_timeout_and_poll_interval_are_kept():
    async with hosting(QueueServer(), job(poll_timeout=0.3, poll_interval=0.6)) as rig:
        await anyio.sleep(1.0)
    polls = [each.target for each in rig.requests if "/poll/" in each.target]
    assert all("timeout=300" in each for each in polls)
    assert len(polls) <= 2


async def test_d12_at_capacity_a_host_does_not_spin():
    server = QueueServer()
    server.put(2)
    ended = anyio.Event()

    @worker_task("job", concurrency=1)
    async def busy(number: str) -> None:
        await ended.wait()

    async with hosting(server, busy) as rig:
        await server.until(lambda: "IN_PROGRESS" in server.statuses())
        await anyio.sleep(0.1)
        requests, cpu = len(rig.requests), time.process_time()
        await anyio.sleep(1.0)
        assert len(rig.requests) == requests
        assert time.process_time() - cpu < 0.5
        ended.set()


async def test_d13_a_slow_server_does_not_hold_the_loop():
    """It takes its time to answer a registration: other tasks of the loop go on."""
    turns = 0

    async def slow(request: Any) -> bytes:
        if "taskdefs" in request.target:
            await anyio.sleep(0.5)
        return await QueueServer().answer(request)

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await anyio.sleep(0.01)

    async with between(slow, FINE) as rig, client_of(rig, retry=NEVER) as conductor, anyio.create_task_group() as group:
        group.start_soon(turn)
        worker = job(register_task_def=True)
        with pytest.raises(BaseException, match="No such thing") as caught:  # the fake has no POST /metadata/taskdefs
            async with WorkerHost(conductor, [worker]):
                pass
        assert caught.type.__name__ == "NotFoundError"
        group.cancel_scope.cancel()
    assert turns > 10


async def test_d23_the_lease_is_kept_while_a_result_is_retried():
    """The server takes no results for longer than the response timeout."""
    server = QueueServer(has_v2=False, response_timeout=2)
    server.put()
    until = time.monotonic() + 4

    class NoResults:
        def fault(self, operation: Operation, request: Any) -> Fault | None:
            refused = operation is Operation.RESULT and time.monotonic() < until
            return Fault.UNAVAILABLE if refused else None

    async with hosting(server, job(), NoResults()) as rig:
        await server.until(lambda: server.statuses() != ["IN_PROGRESS"] and server.statuses() != ["SCHEDULED"], 60)
    assert server.statuses() == ["COMPLETED"]
    assert rig.seen(Operation.LEASE) >= 3

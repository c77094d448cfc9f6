"""A lease extension and a result of the same task are never on their way together.

The server takes both without a lock, and writes whole rows: an extension that has read the task before the result came
undoes the result.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import anyio
import pytest

from conductor_async import TaskContext, WorkerHost, worker_task
from tests.fakes.clients import NEVER, client_of
from tests.faults.queue_server import QueueServer
from tests.faults.rig import Failing, Fault, Operation, between

if TYPE_CHECKING:
    from tests.fakes.http_server import Request

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]


class Overlaps:
    """Carries requests out slowly, and notes tasks for which two of them were under way at once."""

    def __init__(self, server: QueueServer) -> None:
        self._server = server
        self._under_way: Counter[str] = Counter()
        self.found: set[str] = set()
        self.extensions = 0

    async def answer(self, request: Request) -> bytes:
        if request.method != "POST":
            return await self._server.answer(request)
        task_id = request.json["taskId"]
        self.extensions += Operation.of(request) is Operation.LEASE
        self._under_way[task_id] += 1
        if self._under_way[task_id] > 1:
            self.found.add(task_id)
        await anyio.sleep(0.15)
        self._under_way[task_id] -= 1
        return await self._server.answer(request)


@pytest.mark.parametrize("grace", [10, 0], ids=["results", "handed-back"])
async def test_an_extension_under_way_is_waited_for(grace: float):
    """Forty tasks end at forty times around the first two extensions of their leases."""
    server = QueueServer(has_v2=False, response_timeout=1)
    overlaps = Overlaps(server)

    @worker_task("job", concurrency=40)
    async def job(number: str, context: TaskContext) -> None:
        assert context.task_id == number
        await anyio.sleep(0.25 + 0.01 * int(number[1:]))

    async with between(overlaps.answer, Failing(Operation.OTHER, Fault.HTML, times=0)) as rig:
        server.put(40)
        async with client_of(rig, retry=NEVER) as conductor:
            async with WorkerHost(conductor, [job], poll_timeout=0.2, grace=grace):
                await server.until(lambda: overlaps.extensions >= 3)
            # A second of response timeout is short: a busy machine may exceed it, which is not what this is about.
            assert set(server.statuses()) <= {"COMPLETED", "SCHEDULED", "TIMED_OUT"}
    assert overlaps.found == set()


async def test_results_that_take_long_do_not_hold_up_the_leases_of_what_runs():
    server = QueueServer(has_v2=False, response_timeout=1)
    told = anyio.Event()
    extended: set[str] = set()

    async def answer(request: Request) -> bytes:
        if Operation.of(request) is Operation.LEASE:
            extended.add(request.json["taskId"])
            if {"t39", "t40"} <= extended:
                told.set()
        elif request.method == "POST":
            await told.wait()
        return await server.answer(request)

    @worker_task("job", concurrency=40)
    async def job(number: str) -> None:
        if number in ("t39", "t40"):
            await told.wait()

    async with between(answer, Failing(Operation.OTHER, Fault.HTML, times=0)) as rig:
        server.put(40)
        async with client_of(rig, retry=NEVER) as conductor, WorkerHost(conductor, [job], poll_timeout=0.2):
            with anyio.fail_after(30):
                await told.wait()
    assert extended == {"t39", "t40"}

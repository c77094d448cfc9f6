"""A host cancelled at every point where it waits: nothing is lost, nothing is left behind, on asyncio and on trio."""

from __future__ import annotations

from typing import Any

import anyio
import anyio.lowlevel
import pytest

from conductor_async.worker import WorkerHost, worker_task
from tests.fakes.cancelling import cancelled_at, running_tasks
from tests.worker.fake_conductor import LOST, FakeConductor
from tests.worker.hosting import anyio_backend, only_with_a_mock_clock  # noqa: F401

pytestmark = pytest.mark.anyio

MOST = 400


async def job(n: int) -> int:
    await anyio.lowlevel.checkpoint()
    await anyio.sleep(0.001)
    return n


class Counted(FakeConductor):
    """A server that cancels when it is asked for the n-th time, or when it has answered so often."""

    def __init__(self, nth: int, *, answered: bool) -> None:
        super().__init__()
        self.v2_time = 0.005
        self.left = nth
        self.answered = answered
        self.scope: anyio.CancelScope | None = None

    def count(self) -> None:
        if self.left == 0 and self.scope is not None:
            self.scope.cancel()
        self.left -= 1

    async def _answer(self, request: Any) -> Any:
        if not self.answered:
            self.count()
        answer = await super()._answer(request)
        if self.answered:
            self.count()
        return answer


def nothing_is_lost(server: FakeConductor) -> None:
    for task in server.tasks.values():
        assert task["status"] in ("SCHEDULED", "COMPLETED"), task
        if task["status"] == "COMPLETED":
            assert task["outputData"] == {"result": task["inputData"]["n"]}


at_each = pytest.mark.parametrize("answered", [False, True], ids=["asked", "answered"])


@at_each
async def test_cancelled_at_every_request_of_poll_run_and_deliver(answered: bool):
    await sweep(answered, None)


@at_each
@pytest.mark.parametrize("fault", ["poll", "v1", "v2"])
@only_with_a_mock_clock
async def test_cancelled_at_every_request_while_a_response_is_lost(answered: bool, fault: str):
    await sweep(answered, fault)


async def sweep(answered: bool, fault: str | None) -> None:
    for nth in range(MOST):
        server = Counted(nth, answered=answered)
        for n in range(4):
            server.put(n=n)
        if fault:
            server.faults[fault] = [LOST]
        before = running_tasks()
        async with server.client() as conductor:
            host = WorkerHost(conductor, [worker_task("job", concurrency=2)(job)], poll_timeout=0.01, grace=1)
            with anyio.CancelScope() as server.scope:
                async with host:
                    await server.until(lambda: all(each["status"] == "COMPLETED" for each in server.tasks.values()))  # noqa: B023
        await anyio.lowlevel.checkpoint()
        nothing_is_lost(server)
        assert running_tasks() == before
        if not server.scope.cancelled_caught:
            return
    pytest.fail("it never came to the end")


async def test_cancelled_at_every_suspension_of_whoever_runs_the_host():
    for nth in range(MOST):
        server = FakeConductor()
        server.v2_time = 0.005
        server.put(n=1)
        async with server.client() as conductor:
            host = WorkerHost(conductor, [worker_task("job")(job)], poll_timeout=0.01, grace=1)

            async def until_done(host: WorkerHost = host, server: FakeConductor = server) -> None:
                async with host:
                    await server.until(lambda: server.tasks["t1"]["status"] == "COMPLETED")

            before = running_tasks()
            cancelled = await cancelled_at(nth, until_done())
            await anyio.lowlevel.checkpoint()
            nothing_is_lost(server)
            assert running_tasks() == before
        if not cancelled:
            return
    pytest.fail("it never came to the end")

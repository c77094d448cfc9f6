"""Context variables that a function sets do not outlive its task, even if update-v2 brings the next task at once."""

from __future__ import annotations

import gc
import itertools
import weakref
from contextvars import ContextVar
from typing import Any

import anyio
import pytest

from conductor_async.models import Task  # noqa: TC001 - the annotation is resolved at run time
from conductor_async.worker import WorkerHost, worker_task
from tests.fakes.clients import client_of
from tests.fakes.http_server import Peer, Request, raw_response, serve
from tests.worker.fake_conductor import FakeConductor
from tests.worker.hosting import anyio_backend, hosting

__all__ = ["anyio_backend"]

pytestmark = pytest.mark.anyio

tenant: ContextVar[str] = ContextVar("tenant", default="nobody")


async def test_the_next_task_does_not_inherit_context_variables() -> None:
    server = FakeConductor()
    seen: list[str] = []

    @worker_task("job", concurrency=1)
    async def job(number: int) -> None:
        seen.append(tenant.get())
        tenant.set(f"of task {number}")

    for number in range(5):
        server.put(number=number)
    token = tenant.set("the caller's")
    async with hosting(server, job):
        await server.until(lambda: len(server.results) == 5)
    tenant.reset(token)
    assert "v2" in {result["via"] for result in server.results}
    assert seen == ["the caller's"] * 5


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_kept_connection_does_not_reference_the_task_that_opened_it(anyio_backend: str) -> None:
    ids = itertools.count(1)
    polled = itertools.count(1)
    tasks: list[weakref.ref[Task]] = []
    alive: list[int] = []

    async def behave(peer: Peer, request: Request) -> None:
        if "/poll/" in request.target and next(polled) > 1:
            await anyio.sleep(0.2 if "timeout=0" not in request.target else 0)
            await peer.send(raw_response(json=[]))
            return
        task: dict[str, Any] = {"taskId": f"t{next(ids)}", "workflowInstanceId": "w", "taskType": "job"}
        await peer.send(raw_response(json=[task] if "/poll/" in request.target else task))

    @worker_task("job", concurrency=2)
    async def job(task: Task) -> None:
        tasks.append(weakref.ref(task))
        if len(tasks) == 10:
            gc.collect()
            alive.append(sum(each() is not None for each in tasks))
            enough.set()

    enough = anyio.Event()
    async with serve(behave) as server, client_of(server) as client, WorkerHost(client, [job], poll_timeout=0.2):
        with anyio.fail_after(10):
            await enough.wait()
    assert alive == [1]

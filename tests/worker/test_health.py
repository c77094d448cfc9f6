"""What `WorkerHost.health()` says."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from conductor_async.worker import worker_task
from tests.worker.fake_conductor import FakeConductor
from tests.worker.hosting import hosting, worker

pytestmark = pytest.mark.anyio


async def test_health_of_a_host_that_runs_and_of_one_that_does_not():
    server = FakeConductor()
    release = anyio.Event()

    async def job() -> None:
        await release.wait()

    other = worker_task("other", domain="blue")(job)
    server.put()
    async with hosting(server, worker(job, concurrency=1), other, poll_timeout=0.2) as host:
        await server.until(lambda: server.tasks["t1"]["status"] == "IN_PROGRESS")
        await anyio.sleep(0.5)
        health = host.health()
        assert (health.state, health.running, health.slots, health.is_healthy) == ("running", 1, 2, True)
        assert health.worker_id == host.worker_id
        assert health.last_contact is not None
        states: dict[Any, Any] = {(each.task_type, each.domain): each for each in health.pollers}
        assert {states["job", None].running, states["other", "blue"].running} == {0, 1}
        assert {each.state for each in health.pollers} <= {"full", "polling", "waiting"}
        assert all(each.is_live for each in health.pollers)
        release.set()
        host.stop()
        assert host.health().state == "stopping"
        assert not host.health().is_healthy
    after = host.health()
    assert (after.state, after.running, after.undelivered) == ("stopped", 0, 0)

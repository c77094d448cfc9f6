"""Tasks that a host does not run, because a rule says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.worker.fake_conductor import FakeConductor
from tests.worker.hosting import anyio_backend, hosting, worker  # noqa: F401

if TYPE_CHECKING:
    from conductor_async import Task

pytestmark = pytest.mark.anyio


def too_often(task: Task) -> str | None:
    return f"handed out {task.poll_count} times" if task.poll_count >= 3 else None


async def test_a_quarantined_task_fails_for_good_and_does_not_run(caplog: pytest.LogCaptureFixture):
    server, ran = FakeConductor(), list[dict[str, Any]]()
    server.put(n=1)
    server.put(n=2)
    server.queue[1]["pollCount"] = 2

    async def job(**given: Any) -> None:
        ran.append(given)

    async with hosting(server, worker(job, concurrency=2), quarantine=too_often):
        await server.until(lambda: len(server.results) == 2)
    assert ran == [{"n": 1}]
    results = {result["status"]: result for result in server.results}
    assert results.keys() == {"COMPLETED", "FAILED_WITH_TERMINAL_ERROR"}
    assert results["FAILED_WITH_TERMINAL_ERROR"]["reasonForIncompletion"] == "handed out 3 times"
    assert "it fails for good and does not run: handed out 3 times" in caplog.text


async def test_a_task_runs_if_the_rule_fails(caplog: pytest.LogCaptureFixture):
    server = FakeConductor()
    server.put()

    def broken(task: Task) -> str | None:
        raise LookupError(task.task_id)

    async def job() -> None:
        pass

    async with hosting(server, worker(job), quarantine=broken):
        await server.until(lambda: len(server.results) == 1)
    assert server.statuses() == ["COMPLETED"]
    assert "The quarantine rule failed" in caplog.text

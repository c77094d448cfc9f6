"""A task from its hand-out to its result, and the task that the result brings."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from conductor_async.models import Task  # noqa: TC001 - workers' annotations are read at run time
from tests.worker.fake_conductor import FakeConductor
from tests.worker.hosting import anyio_backend, echo, hosting, only_with_a_mock_clock, worker  # noqa: F401

pytestmark = pytest.mark.anyio


@only_with_a_mock_clock
async def test_a_task_whose_input_cannot_be_fetched_is_handed_back_with_the_reason_and_never_runs():
    server = FakeConductor()
    called = []

    async def job(**given: Any) -> None:
        called.append(given)

    server.put()
    server.tasks["t1"]["externalInputPayloadStoragePath"] = "in/1.json"
    async with hosting(server, worker(job)):
        await server.until(lambda: server.results)
    [result] = server.results
    assert (result["status"], result["callbackAfterSeconds"]) == ("IN_PROGRESS", 60)
    assert "its storage has no URL" in result["reasonForIncompletion"]
    assert not called


@only_with_a_mock_clock
async def test_a_hand_back_is_sent_until_the_server_has_it():
    server = FakeConductor()
    server.put()
    server.tasks["t1"]["externalInputPayloadStoragePath"] = "in/1.json"
    server.faults["v1"] = [httpx.ReadError("reset")] * 3
    async with hosting(server, echo):
        await server.until(lambda: server.results)
    assert server.tasks["t1"]["status"] == "SCHEDULED"


async def test_a_task_in_the_same_slot_has_a_context_of_its_own():
    server = FakeConductor()
    server.put(3)
    ids = []

    async def job(task: Task) -> None:
        from conductor_async.worker import get_task_context

        ids.append((task.task_id, get_task_context().task_id))

    async with hosting(server, worker(job)):
        await server.until(lambda: len(server.results) == 3)
    assert ids == [("t1", "t1"), ("t2", "t2"), ("t3", "t3")]

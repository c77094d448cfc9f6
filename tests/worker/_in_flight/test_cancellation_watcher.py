"""A function whose result is no longer wanted is cancelled, and learns why."""

from __future__ import annotations

import threading
from typing import Any

import anyio
import httpx
import pytest

from conductor_async.errors import LeaseLostError
from conductor_async.worker import TaskContext, get_task_context
from conductor_async.worker.events import LeaseLost, TaskAbandoned, TaskCancelled, WorkerEvent
from tests.worker.fake_conductor import NO_WORKFLOW, FakeConductor
from tests.worker.hosting import anyio_backend, echo, hosting, only_with_a_mock_clock, worker  # noqa: F401

pytestmark = pytest.mark.anyio


class Sleeper:
    """A worker that sleeps for ever, and says how it ended."""

    def __init__(self) -> None:
        self.ended: list[tuple[float, str | None]] = []
        self.begun = anyio.Event()

    async def __call__(self) -> None:
        self.begun.set()
        try:
            await anyio.sleep_forever()
        finally:
            self.ended.append((anyio.current_time(), get_task_context().cancelled))


@only_with_a_mock_clock
async def test_a_terminated_workflow_reaches_the_coroutine_within_ten_seconds():
    server = FakeConductor()
    server.put()
    sleeper, events = Sleeper(), list[WorkerEvent]()
    async with hosting(server, worker(sleeper), listeners=[events.append]):
        await sleeper.begun.wait()
        await anyio.sleep(100)
        server.end("t1")
        began = anyio.current_time()
        while not sleeper.ended:  # noqa: ASYNC110
            await anyio.sleep(0.1)
        server.put(1)
        await anyio.sleep(1)  # the slot is free again
    at, reason = sleeper.ended[0]
    assert at - began <= 10
    assert reason == "the task is CANCELED: the workflow is TERMINATED: not wanted"
    assert "t1" not in [result["taskId"] for result in server.results if not result.get("extendLease")]
    assert len(sleeper.ended) == 2
    assert [type(event) for event in events if isinstance(event, TaskCancelled | TaskAbandoned)] == [
        TaskCancelled,
        TaskAbandoned,
    ]


@only_with_a_mock_clock
async def test_the_reason_says_that_the_task_timed_out():
    server = FakeConductor()
    server.put()
    sleeper = Sleeper()
    async with hosting(server, worker(sleeper)):
        await sleeper.begun.wait()
        server.end("t1", "TIMED_OUT", reasonForIncompletion="responseTimeout: 2 exceeded")
        await anyio.sleep(10)
        assert sleeper.ended[0][1] == "the task is TIMED_OUT: responseTimeout: 2 exceeded"


@pytest.mark.parametrize("facts", [{"workerId": "other"}, {"pollCount": 2}])
@only_with_a_mock_clock
async def test_a_task_that_another_worker_has_is_abandoned(facts: dict[str, Any]):
    server = FakeConductor()
    server.put()
    sleeper, events = Sleeper(), list[WorkerEvent]()
    async with hosting(server, worker(sleeper), listeners=[events.append]):
        await sleeper.begun.wait()
        server.tasks["t1"] |= facts
        await anyio.sleep(10)
        assert "another worker" in str(sleeper.ended[0][1])
    assert [event for event in events if isinstance(event, LeaseLost)]
    assert not server.results


@only_with_a_mock_clock
async def test_a_removed_execution_cancels_the_function():
    server = FakeConductor()
    server.response_timeout = 9
    server.put()
    sleeper = Sleeper()
    async with hosting(server, worker(sleeper)):
        await sleeper.begun.wait()
        server.faults["v1"] = [httpx.Response(404, json=NO_WORKFLOW)]
        await anyio.sleep(4)
        assert "no such task any more" in str(sleeper.ended[0][1])


@only_with_a_mock_clock
async def test_a_thread_reads_the_reason_and_keeps_its_slot_until_it_ends():
    server = FakeConductor()
    server.put()
    go_on, ended = threading.Event(), threading.Event()
    raised: list[Exception] = []
    contexts: list[TaskContext] = []

    def thread(context: TaskContext) -> None:
        contexts.append(context)
        while context.cancelled is None:
            go_on.wait(0.01)
        go_on.wait(10)
        try:
            context.raise_if_cancelled()
        except LeaseLostError as error:
            raised.append(error)
        ended.set()

    async with hosting(server, worker(thread), poll_timeout=0.1) as host:
        await server.until(lambda: server.tasks["t1"]["status"] == "IN_PROGRESS")
        server.end("t1")
        while not contexts or contexts[0].cancelled is None:  # noqa: ASYNC110
            await anyio.sleep(0.01)
        assert host.health().running == 1
        go_on.set()
        await anyio.to_thread.run_sync(ended.wait, 10)  # threads work in real time
    assert "the workflow is TERMINATED: not wanted" in str(raised[0])
    assert not server.statuses()


@only_with_a_mock_clock
async def test_short_tasks_are_not_checked():
    server = FakeConductor()
    server.put(20)
    async with hosting(server, echo):
        await server.until(lambda: len(server.results) == 20)
        await anyio.sleep(60)
    assert not server.reads


@only_with_a_mock_clock
async def test_nothing_is_cancelled_while_the_server_fails():
    server = FakeConductor()
    server.always["other"] = httpx.Response(503)
    server.put()

    async def long() -> str:
        await anyio.sleep(60)
        return "done"

    async with hosting(server, worker(long)):
        await server.until(lambda: "COMPLETED" in server.statuses(), within=100)


@only_with_a_mock_clock
async def test_a_removed_task_cancels_the_function():
    server = FakeConductor()
    server.put()
    sleeper = Sleeper()
    async with hosting(server, worker(sleeper)):
        await sleeper.begun.wait()
        del server.tasks["t1"]
        await anyio.sleep(10)
        assert "no such task any more" in str(sleeper.ended[0][1])


@only_with_a_mock_clock
async def test_nothing_is_cancelled_on_a_server_that_cannot_fetch_tasks():
    server = FakeConductor()
    server.always["other"] = httpx.Response(404, json={"status": 404, "message": "No static resource api/tasks/t1."})
    server.put()

    async def long() -> str:
        await anyio.sleep(60)
        return "done"

    async with hosting(server, worker(long)):
        await server.until(lambda: "COMPLETED" in server.statuses(), within=100)
    assert server.statuses() == ["COMPLETED"]


@only_with_a_mock_clock
async def test_functions_know_within_ten_seconds_although_there_are_many_and_the_server_is_slow():
    server = FakeConductor()
    server.put(60)
    server.always["other"] = lambda: anyio.sleep(0.4)
    sleeper = Sleeper()
    async with hosting(server, worker(sleeper, concurrency=60)):
        await sleeper.begun.wait()
        await anyio.sleep(20)
        began = anyio.current_time()
        for task_id in server.tasks:
            server.end(task_id)
        await anyio.sleep(12)
    assert len(sleeper.ended) == 60
    assert max(at for at, _ in sleeper.ended) - began <= 10

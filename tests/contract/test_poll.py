"""CF11 to CF14, CF23: polling."""

from __future__ import annotations

import anyio
import pytest

from tests.contract.wire import Transport, simple

pytestmark = pytest.mark.anyio


async def test_cf11_nothing_to_do(wire: Transport) -> None:
    work = wire.new("task")
    answer = await wire.call("GET", "tasks", "poll", work)
    assert (answer.status_code, answer.content) == (204, b"")
    begun = wire.now()
    answer = await wire.call("GET", "tasks", "poll", "batch", work, timeout=300)
    assert (answer.status_code, answer.json()) == (200, [])
    assert wire.now() - begun >= 0.25
    error = await wire.refused("GET", "tasks", "poll", "batch", work, timeout=5001)
    assert (error["status"], error["message"]) == (400, "Long Poll Timeout value cannot be more than 5 seconds")


async def test_cf12_a_polled_task_is_in_progress(wire: Transport) -> None:
    work = await wire.task_type()
    await wire.start(await wire.workflow(simple(work, "a")))
    polled = await wire.next(work, workerid="w9")
    for task in (polled, await wire.get("tasks", polled["taskId"])):
        assert (task["status"], task["pollCount"], task["workerId"]) == ("IN_PROGRESS", 1, "w9")
        assert task["startTime"] > 0
        assert task["callbackAfterSeconds"] == 0
    assert await wire.poll(work) is None


async def test_cf13_the_highest_priority_first_then_the_oldest(wire: Transport) -> None:
    work = await wire.task_type()
    name = await wire.workflow(simple(work, "a"))
    started = [await wire.start(name, priority=priority) for priority in (0, 5, 0)]
    polled = [(await wire.next(work))["workflowInstanceId"] for _ in started]
    assert polled == [started[1], started[0], started[2]]


async def test_cf14_a_long_poll_brings_a_task_that_comes_late(wire: Transport) -> None:
    work = await wire.task_type()
    name = await wire.workflow(simple(work, "a"))
    tasks, took = [], 0.0

    async def poll_long() -> None:
        nonlocal took
        begun = wire.now()
        tasks.extend(await wire.get("tasks", "poll", "batch", work, count=1, timeout=4000))
        took = wire.now() - begun

    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(poll_long)
            await anyio.sleep(0.2)
            await wire.start(name)
    assert [each["referenceTaskName"] for each in tasks] == ["a"]
    assert took < 2
    await wire.start(name)
    begun = wire.now()
    partial = await wire.get("tasks", "poll", "batch", work, count=2, timeout=500)
    assert len(partial) == 1
    assert wire.now() - begun >= 0.4


async def test_cf23_tasks_of_a_domain(wire: Transport) -> None:
    work = await wire.task_type()
    name = await wire.workflow(simple(work, "a"))
    await wire.start(name, taskToDomain={work: "d1"})
    assert await wire.poll(work) is None
    assert (await wire.next(work, domain="d1"))["domain"] == "d1"
    await wire.start(name, taskToDomain={"*": "dx,d1,NO_DOMAIN"})  # d1 was polled a moment ago, dx never
    assert (await wire.next(work, domain="d1"))["domain"] == "d1"
    await wire.start(name, taskToDomain={"*": "dz,NO_DOMAIN"})
    assert "domain" not in await wire.next(work)

"""The effect of the common fields on the real server."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from conductor_async import TaskDef
from conductor_async.tasks import ConductorEventTask, InlineTask, JsonJQTask, NoopTask, SimpleTask, WaitForDurationTask

pytestmark = [pytest.mark.server, pytest.mark.anyio]


def statuses(run):
    return [(task.reference_task_name, task.status) for task in run.tasks]


async def test_the_workflow_continues_after_an_optional_task_failed(perform):
    run = await perform(InlineTask("fails", "no.such.thing", optional=True), NoopTask("after"))
    assert run.status == "COMPLETED"
    assert statuses(run) == [("fails", "COMPLETED_WITH_ERRORS"), ("after", "COMPLETED")]


async def test_parallel_tasks_continue_when_a_permissive_task_fails(perform):
    fails = JsonJQTask("fails", '"no" | error', permissive=True, retry_count=0)
    run = await perform([fails, WaitForDurationTask("pause", 1) >> NoopTask("other")], NoopTask("after"))
    assert run.status == "FAILED"
    found = dict(statuses(run))
    assert (found["fails"], found["pause"], found["other"]) == ("FAILED", "COMPLETED", "COMPLETED")


async def test_retry_count_overrides_the_task_definition(perform):
    at_once = TaskDef(name="fails", retry_count=5, retry_delay_seconds=0)
    run = await perform(JsonJQTask("fails", '"no" | error', retry_count=2, task_definition=at_once))
    assert run.status == "FAILED"
    assert [task.retry_count for task in run.tasks] == [0, 1, 2]


async def test_an_async_task_waits_to_be_completed(conductor, new_workflow):
    handle = await new_workflow(ConductorEventTask("tell", "told", async_complete=True)).start()
    async with aclosing(handle.events()) as events:
        async for event in events:
            if event.status == "IN_PROGRESS":
                break
    assert await handle.status() == "RUNNING"
    await conductor.task.update_task_by_ref_name(handle.workflow_id, "tell", "COMPLETED", {"heard": True})
    assert (await handle.result(timeout=60))["heard"] is True


async def test_a_delayed_task_cannot_be_polled_at_once(conductor, new_name, new_workflow):
    name = new_name("later")
    handle = await new_workflow(SimpleTask(name, "now"), SimpleTask(name, "late", start_delay=2)).start()
    first = await conductor.task.poll_task(name)
    assert first is not None
    await conductor.task.update_task_by_ref_name(handle.workflow_id, "now", "COMPLETED", {})
    execution = await handle.get()
    assert execution.get_task(task_reference_name="late").start_delay_in_seconds == 2
    assert await conductor.task.poll_task(name) is None
    await handle.terminate()

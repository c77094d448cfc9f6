"""Requests that wait are answered when something happens, not when their time is up."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from conductor_async import ConductorWorkflow, SimpleTask, StartWorkflowRequest
from conductor_async.embedded import EmbeddedConductor
from conductor_async.tasks import InlineSubWorkflowTask, WaitTask

pytestmark = pytest.mark.anyio


async def test_an_execution_is_answered_when_a_nested_sub_workflow_blocks() -> None:
    """What it waits for happens two workflows further down, after a worker has done its part there."""
    async with EmbeddedConductor() as embedded:
        client = embedded.client
        inner = (
            ConductorWorkflow(name="inner", version=1) >> SimpleTask("prepare", "prepare_ref") >> WaitTask("approval")
        )
        middle = ConductorWorkflow(name="middle", version=1) >> InlineSubWorkflowTask("inner_ref", inner)
        outer = ConductorWorkflow(executor=client.executor, name="outer", version=1)
        await (outer >> InlineSubWorkflowTask("middle_ref", middle)).register()
        answers: list[Any] = []

        async def execute() -> None:
            request = StartWorkflowRequest(name="outer", version=1)
            answers.append(await client.workflow.execute_workflow(request, wait_for_seconds=60))

        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                group.start_soon(execute)
                [task] = await client.task.batch_poll_tasks("prepare", timeout=5)
                assert answers == []
                await client.task.update_task(task.to_task_result("COMPLETED"))
        assert [(run.status, run.signal_timeout) for run in answers] == [("RUNNING", False)]


async def test_a_poll_is_answered_when_its_task_is_scheduled_and_a_batch_when_it_is_full() -> None:
    async with EmbeddedConductor() as embedded:
        client = embedded.client
        workflow = ConductorWorkflow(executor=client.executor, name="work", version=1)
        await (workflow >> SimpleTask("work", "work_ref")).register()
        found: dict[str, int] = {}

        async def poll(count: int) -> None:
            found[f"{count}"] = len(await client.task.batch_poll_tasks("work", count=count, timeout=5))

        with anyio.fail_after(4):  # the polls' own time is 5 seconds
            for count in (1, 3):
                async with anyio.create_task_group() as group:
                    group.start_soon(poll, count)
                    await anyio.wait_all_tasks_blocked()
                    for _ in range(count):
                        assert str(count) not in found
                        await client.workflow.start_workflow_by_name("work")
        assert found == {"1": 1, "3": 3}


async def test_a_batch_that_is_not_full_waits_out_its_time() -> None:
    async with EmbeddedConductor() as embedded:
        client = embedded.client
        workflow = ConductorWorkflow(executor=client.executor, name="work", version=1)
        await (workflow >> SimpleTask("work", "work_ref")).register()
        await client.workflow.start_workflow_by_name("work")
        began = anyio.current_time()
        assert len(await client.task.batch_poll_tasks("work", count=2, timeout=0.3)) == 1
        assert anyio.current_time() - began >= 0.29
        assert await client.task.batch_poll_tasks("work", count=0, timeout=5) == []

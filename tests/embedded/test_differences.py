"""Rows of docs/reference/embedded-differences.md: what the embedded engine does, where a server does not always."""

from __future__ import annotations

import pytest

from conductor_async import ConductorWorkflow, SimpleTask, TaskDef, WaitUntilTask
from conductor_async.errors import BadRequestError, NonRetryableException
from conductor_async.testing import TIMES_OUT, WorkflowEnvironment, assert_failed

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_the_join_of_a_failed_workflow_has_ended() -> None:
    async with WorkflowEnvironment.embedded() as env:
        env.mock("good", output={})
        env.mock("bad", NonRetryableException("broken"))
        workflow = ConductorWorkflow(executor=env.client.executor, name="forked")
        workflow >> [SimpleTask("good", "good"), SimpleTask("bad", "bad")]
        run = await workflow.execute({})
    assert_failed(run)
    (join,) = [task for task in run.tasks if task.task_type == "JOIN"]
    assert join.status in {"FAILED", "CANCELED"}


async def test_a_second_timeout_comes_as_soon_as_the_first() -> None:
    async with WorkflowEnvironment.embedded() as env:
        definition = TaskDef(name="silent", retry_count=1, retry_delay_seconds=0, response_timeout_seconds=10)
        await env.client.metadata.register_task_def(definition)
        env.mock("silent", TIMES_OUT)
        workflow = ConductorWorkflow(executor=env.client.executor, name="twice")
        workflow >> SimpleTask("silent", "silent")
        run = await workflow.execute({})
    assert run.status == "TIMED_OUT"
    first, second = run.tasks
    assert [first.status, second.status] == ["TIMED_OUT", "TIMED_OUT"]
    assert second.end_time - second.start_time < 2 * (first.end_time - first.start_time)


async def test_a_zone_in_full_words_is_refused() -> None:
    async with WorkflowEnvironment.embedded() as env:
        workflow = ConductorWorkflow(executor=env.client.executor, name="zoned")
        workflow >> WaitUntilTask("zoned", "2030-01-01 10:00 Pacific Standard Time")
        with pytest.raises(BadRequestError, match="Unable to parse date"):
            await workflow.execute({})

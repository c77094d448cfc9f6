"""Tests of a workflow, as one writes them beside one's own: `pytest examples/test_greetings.py`. They need no server.

The workflow greets a guest and, a week later, sends a letter. The greeting's worker is run as it is; the post office is
outside, and mocked. The week and the pauses between attempts pass at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conductor_async import ConductorWorkflow, SimpleTask, TaskDef, WorkerHost, worker_task
from conductor_async.errors import NonRetryableException
from conductor_async.tasks import WaitForDurationTask
from conductor_async.testing import (
    TIMES_OUT,
    WorkflowEnvironment,
    assert_completed,
    assert_failed,
    assert_path,
    assert_task,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio

WEEK = 7 * 24 * 3600


@worker_task(task_definition_name="write_greeting")
async def write_greeting(name: str) -> dict[str, str]:
    return {"greeting": f"Hello, {name}"}


POST = TaskDef(name="post_letter", retry_count=2, retry_delay_seconds=3600, response_timeout_seconds=60)


def greetings(env: WorkflowEnvironment) -> ConductorWorkflow:
    workflow = ConductorWorkflow(executor=env.client.executor, name="greetings", version=1)
    write = SimpleTask("write_greeting", "write", input_parameters={"name": workflow.input.name})
    post = SimpleTask("post_letter", "post", input_parameters={"text": write.output.greeting})
    workflow >> write >> WaitForDurationTask("a_week", WEEK) >> post
    return workflow.output_parameters({"stamp": post.output.stamp})


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def env() -> AsyncIterator[WorkflowEnvironment]:
    async with WorkflowEnvironment.embedded() as env:
        await env.client.metadata.register_task_def(POST)
        async with WorkerHost(env.client, [write_greeting]):
            yield env


async def test_the_letter_has_the_greeting(env: WorkflowEnvironment) -> None:
    post = env.mock("post_letter", output={"stamp": "rose"})
    run = await greetings(env).execute({"name": "Ada"})
    assert_completed(run, {"stamp": "rose"})
    assert_path(run, ["write", "a_week", "post"])
    assert post.calls == [{"text": "Hello, Ada"}]


async def test_the_post_is_tried_again_until_it_answers(env: WorkflowEnvironment) -> None:
    env.mock("post_letter", [ConnectionError("closed"), TIMES_OUT, {"stamp": "lily"}])
    run = await greetings(env).execute({"name": "Ada"})
    assert_completed(run, {"stamp": "lily"})
    assert_task(run, "post", attempts=3)


async def test_no_address_is_the_end_of_it(env: WorkflowEnvironment) -> None:
    env.mock("post_letter", NonRetryableException("no such address"))
    run = await greetings(env).execute({"name": "Ada"})
    assert_failed(run, "no such address")
    assert_task(run, "post", status="FAILED_WITH_TERMINAL_ERROR", attempts=1)

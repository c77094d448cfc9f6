"""Where an execution stands, in words."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from conductor_async import ConductorClient, ConductorWorkflow, HumanTask, SimpleTask, TaskDef, WaitTimeoutError
from conductor_async.execution._progress import describe_progress
from conductor_async.execution._unpolled import UnpolledTaskTypes
from conductor_async.execution._waiter import ExecutionWaiter
from conductor_async.models import Workflow

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = 1_000_000


def described(*tasks: dict[str, Any], status: str = "RUNNING") -> str:
    return describe_progress(Workflow.model_validate({"status": status, "tasks": list(tasks)}), NOW)


def task(status: str = "SCHEDULED", **fields: Any) -> dict[str, Any]:
    return {"referenceTaskName": "t", "taskType": "work", "taskDefName": "work", "status": status, **fields}


@pytest.mark.parametrize(
    ("tasks", "text"),
    [
        ([], "It is RUNNING. It has no open task."),
        ([task()], "It is RUNNING. Task 't' (work) is SCHEDULED: waiting for a worker."),
        (
            [task("FAILED", reasonForIncompletion="a\nb.", retried=True), task(retryCount=1, scheduledTime=NOW)],
            "It is RUNNING. Task 't' (work) is SCHEDULED: attempt 2, waiting for a worker. Attempt 1 was FAILED: a b.",
        ),
        (
            [
                task("TIMED_OUT", retried=True),
                task(
                    retryCount=1,
                    scheduledTime=NOW,
                    startDelayInSeconds=60,
                    taskDefinition={"name": "t", "retryCount": 3},
                ),
            ],
            "It is RUNNING. Task 't' (work) is SCHEDULED: attempt 2 of 4, due in 60 s. Attempt 1 was TIMED_OUT.",
        ),
        (
            [task("IN_PROGRESS", workerId="host-1")],
            "It is RUNNING. Task 't' (work) is IN_PROGRESS: at worker host-1.",
        ),
        (
            [task("IN_PROGRESS", taskType="JOIN"), task("IN_PROGRESS", taskType="SUB_WORKFLOW", subWorkflowId="c")],
            "It is RUNNING. Task 't' (work) is IN_PROGRESS: sub-workflow c.",
        ),
    ],
)
def test_open_tasks_are_described(tasks: list[dict[str, Any]], text: str):
    assert described(*tasks) == text


def test_only_the_first_open_tasks_are_listed():
    assert described(*[task()] * 7).endswith(" 2 more tasks are open.")


@pytest.mark.anyio
@pytest.mark.server
async def test_a_timeout_says_where_the_execution_stands(
    server_url: str, new_name: Callable[[str], str], caplog: pytest.LogCaptureFixture
):
    kind = new_name("fails")
    async with ConductorClient(server_url) as conductor:
        await conductor.metadata.register_task_def(TaskDef(name=kind, retry_count=2, retry_delay_seconds=60))
        workflow = ConductorWorkflow(conductor.executor, new_name("stands"))
        workflow >> [SimpleTask(kind, "pay"), HumanTask("approve")]
        handle = await workflow.start()
        polled = await conductor.task.poll_task(kind, "w")
        while polled is None:
            polled = await conductor.task.poll_task(kind, "w")
        result = polled.to_task_result("FAILED")
        result.reason_for_incompletion = "card declined"
        await conductor.task.update_task(result)
        unpolled = UnpolledTaskTypes(conductor.workflow, conductor.task, grace=0.2, check_interval=0.01)
        waiter = ExecutionWaiter(conductor.workflow, unpolled)
        with caplog.at_level(logging.WARNING, "conductor_async"), pytest.raises(WaitTimeoutError) as caught:
            await waiter.wait_until_ended(handle.workflow_id, timeout=1.0)
        texts = [str(caught.value), *(record.getMessage() for record in caplog.records)]
        assert len(texts) == 2
        for text in texts:
            assert "It is RUNNING." in text
            assert f"Task 'pay' ({kind}) is SCHEDULED: attempt 2 of 3, due in " in text
            assert "Attempt 1 was FAILED: card declined." in text
            assert "Task 'approve' is IN_PROGRESS: it waits for someone to complete it." in text
        with anyio.fail_after(10):
            await handle.terminate()

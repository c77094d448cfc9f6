"""Failed attempts in the log."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from conductor_async.errors import NonRetryableException
from conductor_async.models import TaskDef, TaskResult
from conductor_async.worker import worker_task
from tests.worker.fake_conductor import FakeConductor
from tests.worker.hosting import hosting

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def records(caplog: pytest.LogCaptureFixture, function: Any, *inputs: dict[str, Any], **facts: Any) -> list[Any]:
    server = FakeConductor()
    for given in inputs:
        server.put(**given)
    for task in server.tasks.values():
        task.update(facts)
    definition = TaskDef(retry_count=3, retry_delay_seconds=5, retry_logic="EXPONENTIAL_BACKOFF")
    async with hosting(server, worker_task("job", task_def=definition)(function)):
        await server.until(lambda: len(server.results) == len(inputs))
    return [each for each in caplog.records if "failed on task" in each.getMessage()]


def broken(n: int) -> None:
    if n == 1:
        raise ValueError("no such card")
    raise ValueError("expired")


async def test_each_attempt_is_logged_and_each_kind_once_with_its_traceback(caplog: pytest.LogCaptureFixture):
    first, second, third = await records(caplog, broken, {"n": 1}, {"n": 1}, {"n": 2})
    assert first.getMessage() == (
        "Worker 'job' failed on task t1 of workflow w-t1 (attempt 1 of 4, the next one in 5 s):"
        " ValueError: no such card"
    )
    assert first.levelno == logging.WARNING
    assert first.exc_info[2].tb_frame.f_code.co_name == "broken"
    assert second.exc_info is None
    assert third.exc_info is not None


async def test_with_debug_each_has_its_traceback(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.DEBUG, "conductor_async"):
        first, second = await records(caplog, broken, {"n": 1}, {"n": 1})
    assert first.exc_info
    assert second.exc_info


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"retryCount": 2}, "attempt 3 of 4, the next one in 20 s"),
        ({"retryCount": 3}, "attempt 4 of 4, the last one"),
        ({"workflowTask": {"name": "job", "retryCount": 0}}, "attempt 1 of 1, the last one"),
        ({"taskDefinition": {"name": "job", "retryCount": 1}}, "attempt 1 of 2, the next one in 60 s"),
    ],
    ids=["later", "last", "of the workflow's task", "of the server's definition"],
)
async def test_which_attempt_it_was(facts: dict[str, Any], said: str, caplog: pytest.LogCaptureFixture):
    (record,) = await records(caplog, broken, {"n": 1}, **facts)
    assert f"({said})" in record.getMessage()
    assert record.levelno == (logging.ERROR if "last" in said else logging.WARNING)


def final(n: int) -> None:
    raise NonRetryableException("never")


def returned(n: int) -> TaskResult:
    return TaskResult.failed("out of stock")


@pytest.mark.parametrize(
    ("function", "given", "said"),
    [
        (final, {"n": 1}, "no further one: the failure is final): NonRetryableException: never"),
        (broken, {}, "no further one: the failure is final): The task's input is invalid"),
        (returned, {"n": 1}, "the next one in 5 s): out of stock"),
    ],
    ids=["non-retryable", "invalid input", "returned"],
)
async def test_other_failures(function: Any, given: dict[str, Any], said: str, caplog: pytest.LogCaptureFixture):
    (record,) = await records(caplog, function, given)
    assert said in record.getMessage()


async def test_success_is_not_logged(caplog: pytest.LogCaptureFixture):
    assert await records(caplog, lambda task: {}, {"n": 1}) == []

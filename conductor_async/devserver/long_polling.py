"""Requests that wait for something to happen: polls for tasks, synchronous executions, signals."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

import anyio

from conductor_async._language.return_strategies import RETURN_STRATEGIES, TARGET_WORKFLOW
from conductor_async.engine.errors import RequestTimedOut

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from conductor_async.devserver.request import Request
    from conductor_async.devserver.runtime import Runtime
    from conductor_async.models import JsonObject

__all__ = ["MAX_POLL_SECONDS", "poll", "return_strategy", "wait_for_run"]

MAX_POLL_SECONDS = 5.0
"""The longest time that a poll can ask to wait."""

_MAX_RUN_SECONDS = 30.0  # after which Spring gives up on an asynchronous request; the execution goes on

_STRATEGY = "org.conductoross.conductor.model.WorkflowSignalReturnStrategy"


async def poll(
    runtime: Runtime, task_type: str, worker_id: str | None, domain: str | None, count: int, seconds: float
) -> list[JsonObject]:
    """Returns up to `count` tasks; fewer only when the time is up: as on the real server, a batch waits to be full.

    A poll without tasks waits in real time, whatever the engine's clock does: if it waited by a clock that skips, it
    would end, and be repeated, thousands of times while a month is skipped. A poll that already holds tasks waits by
    the engine's clock, because otherwise its tasks would be late where time is skipped.
    """
    if count <= 0:
        return []
    engine, clock = runtime.engine, runtime.clock
    tasks = engine.tasks.batch_poll(task_type, worker_id, count=count, domain=domain)
    real_deadline, deadline = anyio.current_time() + seconds, clock.now() + seconds
    with runtime.open_polls.opening(worker_id) as current, _undone_if_closed(runtime, worker_id, tasks):
        while len(tasks) < count and not runtime.closing and not current.is_withdrawn:
            remaining = deadline - clock.now() if tasks else real_deadline - anyio.current_time()
            if remaining <= 0:
                break
            with runtime.task_queued(task_type, domain) as current.wakeup:
                if tasks:
                    await clock.wait(current.wakeup, remaining)
                else:
                    with anyio.move_on_after(remaining):
                        await current.wakeup.wait()
            if not current.is_withdrawn:
                tasks += engine.tasks.batch_poll(task_type, worker_id, count=count - len(tasks), domain=domain)
    if tasks:
        runtime.record_activity()
    return tasks


@contextmanager
def _undone_if_closed(runtime: Runtime, worker_id: str | None, tasks: list[JsonObject]) -> Generator[None]:
    """Makes the tasks available again if the client closes the poll that was to bring them."""
    try:
        yield
    except BaseException:
        for task in tasks:
            runtime.engine.tasks.update(
                {
                    "taskId": task["taskId"],
                    "workflowInstanceId": task["workflowInstanceId"],
                    "workerId": worker_id,
                    "status": "IN_PROGRESS",
                    "outputData": task.get("outputData", {}),
                }
            )
        raise


async def wait_for_run(
    runtime: Runtime,
    workflow_id: str,
    seconds: float,
    *,
    references: Sequence[str] = (),
    strategy: str = TARGET_WORKFLOW,
    request_id: str | None = None,
) -> JsonObject:
    """Returns the run when it has ended, waits for a WAIT task, one of the tasks has ended, or the time is up.

    Raises:
        RequestTimedOut: It was to wait for more than 30 seconds, and these are over. What has been started goes on.
    """
    engine, clock = runtime.engine, runtime.clock
    deadline = clock.now() + min(seconds, _MAX_RUN_SECONDS)
    runtime.settle()  # the workflow may have just started and handed out work
    while not (reached := engine.runs.is_due(workflow_id, references)) and not runtime.closing:
        remaining = deadline - clock.now()
        if remaining <= 0:
            break
        with runtime.execution_changed(workflow_id) as changed:
            await clock.wait(changed, remaining)
    if not reached and seconds > _MAX_RUN_SECONDS and not runtime.closing:
        raise RequestTimedOut
    return engine.runs.get(
        workflow_id,
        wait_until_task_refs=references,
        return_strategy=strategy,
        request_id=request_id or str(uuid.uuid4()),
        signal_timeout=not reached,
    )


def return_strategy(request: Request) -> str:
    """Returns the query parameter `returnStrategy`: what a synchronous request returns.

    Raises:
        Refused: The server has no such strategy.
    """
    value = request.text("returnStrategy") or TARGET_WORKFLOW
    return request.choice("returnStrategy", value, _STRATEGY, RETURN_STRATEGIES)

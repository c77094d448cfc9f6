"""Requests that wait for something: long polls, synchronous executions, signals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from conductor_async._language.return_strategies import RETURN_STRATEGIES, TARGET_WORKFLOW
from conductor_async.engine.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conductor_async.devserver.exchange import Request
    from conductor_async.devserver.runtime import Runtime
    from conductor_async.models import JsonObject

__all__ = ["LONGEST_POLL", "checked_strategy", "poll", "wait_for_run"]

LONGEST_POLL = 5.0
"""Seconds that a poll can wait."""

_STRATEGY = "org.conductoross.conductor.model.WorkflowSignalReturnStrategy"


async def poll(
    runtime: Runtime, task_type: str, worker_id: str | None, domain: str | None, count: int, seconds: float
) -> list[JsonObject]:
    """Up to `count` tasks. Fewer only when the time is up: as on the server, a batch waits until it is full.

    An empty poll waits in real time, whatever the engine's clock does: skipping a month does not end it. One that holds
    tasks already waits by the engine's clock, so that they are not held up where time is skipped.
    """
    if count <= 0:
        return []
    engine = runtime.engine
    tasks = engine.tasks.batch_poll(task_type, worker_id, count=count, domain=domain)
    until, time_until = anyio.current_time() + seconds, runtime.time.now() + seconds
    while len(tasks) < count and not runtime.closing:
        left = time_until - runtime.time.now() if tasks else until - anyio.current_time()
        if left <= 0:
            break
        with runtime.queued(task_type, domain) as event:
            if tasks:
                await runtime.time.wait(event, left)
            else:
                with anyio.move_on_after(left):
                    await event.wait()
        tasks += engine.tasks.batch_poll(task_type, worker_id, count=count - len(tasks), domain=domain)
    if tasks:
        runtime.note_activity()
    return tasks


async def wait_for_run(
    runtime: Runtime,
    workflow_id: str,
    seconds: float,
    *,
    references: Sequence[str] = (),
    strategy: str = TARGET_WORKFLOW,
    request_id: str = "",
) -> JsonObject:
    """The run, as soon as it has ended, is blocked by a WAIT, one of the tasks has ended, or the time is up."""
    engine, time = runtime.engine, runtime.time
    until = time.now() + seconds
    runtime.settle()  # a workflow that was just started may have left work to others
    while not (reached := engine.runs.is_due(workflow_id, references)) and not runtime.closing:
        left = until - time.now()
        if left <= 0:
            break
        with runtime.changed(workflow_id) as event:
            await time.wait(event, left)
    return engine.runs.get(workflow_id, return_strategy=strategy, request_id=request_id, signal_timeout=not reached)


def checked_strategy(ask: Request) -> str:
    """What is to be returned, of the request's query.

    Raises:
        Refused: It is none of the four.
    """
    strategy = ask.text("returnStrategy") or TARGET_WORKFLOW
    if strategy not in RETURN_STRATEGIES:
        raise Refused(
            "Method parameter 'returnStrategy': Failed to convert value of type 'java.lang.String' to required type"
            f" '{_STRATEGY}'; Failed to convert from type [java.lang.String] to type [{_STRATEGY}] for value"
            f" [{strategy}]"
        )
    return strategy

"""Dispatching queued tasks to the workers that poll for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.decider.limits import POSTPONED_MS, is_limited, note_in_progress
from conductor_async.engine.rows.stamping import stamp
from conductor_async.engine.rows.timeout_timers import set_timeout_timer
from conductor_async.engine.state.task_row import TERMINAL, queue_name

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.task_row import TaskRow
    from conductor_async.models import JsonObject

__all__ = ["poll"]


def poll(core: Core, task_type: str, worker_id: str | None, domain: str | None, count: int) -> list[TaskRow]:
    """Takes up to `count` ready tasks out of a queue, and puts them in progress.

    A task that a concurrency limit holds back uses up one of the `count` places, as on the server: a poll may find
    nothing although other tasks are ready.
    """
    queue = core.queues.get(queue_name(task_type, domain))
    dispatched: list[TaskRow] = []
    now = core.now()
    taken = 0
    while queue is not None and taken < count:
        task_id = queue.pop(now)
        if task_id is None:
            break
        row = core.store.tasks.get(task_id)
        if row is None or row.status in TERMINAL:
            continue
        taken += 1
        if is_limited(core, row):
            core.enqueue(row, POSTPONED_MS)
        else:
            _dispatch(core, row, worker_id, now)
            dispatched.append(row)
    _note_poll(core, task_type, worker_id, domain, now)
    return dispatched


def _dispatch(core: Core, row: TaskRow, worker_id: str | None, now: int) -> None:
    row.status = "IN_PROGRESS"
    row.start_time = row.start_time or now
    row.callback_after = 0
    row.worker_id = worker_id
    row.poll_count += 1
    stamp(core, row)
    note_in_progress(core, row)
    set_timeout_timer(core, row)
    core.changed[row.workflow_id] = None


def _note_poll(core: Core, task_type: str, worker_id: str | None, domain: str | None, now: int) -> None:
    data: JsonObject = {"queueName": task_type, "lastPollTime": now}
    if domain is not None:
        data["domain"] = domain
    if worker_id is not None:
        data["workerId"] = worker_id
    core.polls.setdefault(task_type, {})[domain or "DEFAULT"] = data

"""Handing tasks out to workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.decider.limits import is_limited, note_in_progress
from conductor_async.engine.decider.scheduling import stamp
from conductor_async.engine.decider.timeouts import watch
from conductor_async.engine.expressions.inputs import with_secrets
from conductor_async.engine.state.execution import TERMINAL
from conductor_async.engine.views.rendering import task_to_wire

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.execution import TaskRow
    from conductor_async.models import JsonObject

__all__ = ["poll", "queue_name"]

_POSTPONED_MS = 60_000


def queue_name(task_type: str, domain: str | None) -> str:
    """The queue of a task type in a domain."""
    return f"{domain}:{task_type}" if domain else task_type


def poll(core: Core, task_type: str, worker_id: str | None, domain: str | None, count: int) -> list[JsonObject]:
    """Up to `count` tasks that are ready. They are in progress from now on."""
    queue = core.queues.get(queue_name(task_type, domain))
    handed: list[JsonObject] = []
    now = core.now()
    taken = 0
    while queue is not None and taken < count:
        task_id = queue.pop(now)
        if task_id is None:
            break
        taken += 1
        row = core.store.tasks.get(task_id)
        if row is None or row.status in TERMINAL:
            taken -= 1  # what had ended and was still queued is not worth a place
        elif is_limited(core, row):
            core.enqueue(row, _POSTPONED_MS)
        else:
            handed.append(_hand_out(core, row, worker_id, now))
    _note_poll(core, task_type, worker_id, domain, now)
    return handed


def _hand_out(core: Core, row: TaskRow, worker_id: str | None, now: int) -> JsonObject:
    row.status = "IN_PROGRESS"
    row.start_time = row.start_time or now
    row.callback_after = 0
    row.worker_id = worker_id
    row.poll_count += 1
    stamp(core, row)
    note_in_progress(core, row)
    watch(core, row)
    core.changed[row.workflow_id] = None
    wire = task_to_wire(row, now)
    wire["inputData"] = with_secrets(core, row.input)
    wanted = row.definition.runtime_metadata if row.definition is not None else []
    values = {key: _value(core, key) for key in wanted}
    metadata = {key: value for key, value in values.items() if value is not None}
    if metadata:
        wire["runtimeMetadata"] = metadata
    return wire


def _value(core: Core, key: str) -> str | None:
    return core.secrets.get(key, core.environment.get(key))


def _note_poll(core: Core, task_type: str, worker_id: str | None, domain: str | None, now: int) -> None:
    data: JsonObject = {"queueName": task_type, "lastPollTime": now}
    if domain is not None:
        data["domain"] = domain
    if worker_id is not None:
        data["workerId"] = worker_id
    core.polls.setdefault(task_type, {})[domain or "DEFAULT"] = data

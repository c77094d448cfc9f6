"""Runs a worker's function on the recorded input of a task."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from conductor_async.clock import RealClock
from conductor_async.models import Task, TaskResult, encode_json
from conductor_async.testing._json_diff import json_diff
from conductor_async.worker._function.invoker import Invoker
from conductor_async.worker._in_flight.tasks import InFlightTask
from conductor_async.worker._listeners import Listeners

if TYPE_CHECKING:
    from conductor_async.testing._recording import Recording
    from conductor_async.worker.decorator import AnyWorker

__all__ = ["assert_task_replays", "replay_task"]

_WORKER = "replay"


async def replay_task(recording: Recording, task_reference_name: str, worker: AnyWorker) -> TaskResult:
    """Runs a worker's function on the recorded input of a task, and returns the result.

    Args:
        recording: The recording.
        task_reference_name: The task; in a loop with its iteration: `ref__2`.
        worker: The function, decorated with `@worker_task`.

    Raises:
        KeyError: The recording has no such task.
    """
    worker.prepare()
    invoker = Invoker(worker, _WORKER, RealClock(), Listeners(()))
    result = await invoker.invoke(
        InFlightTask(_fresh(recording.task(task_reference_name)), _WORKER, is_async=worker.is_async)
    )
    assert result is not None  # only a cancelled task has no result
    return result


async def assert_task_replays(recording: Recording, task_reference_name: str, worker: AnyWorker) -> None:
    """Asserts that a worker's function returns the recorded status and output for the recorded input of a task.

    Args:
        recording: The recording.
        task_reference_name: The task; in a loop with its iteration: `ref__2`.
        worker: The function, decorated with `@worker_task`.

    Raises:
        KeyError: The recording has no such task.
        AssertionError: The status or the output differs.
    """
    __tracebackhide__ = True
    recorded = recording.task(task_reference_name)
    result = await replay_task(recording, task_reference_name, worker)
    found = {"status": str(result.status), "output": json.loads(encode_json(result.output_data))}
    expected = {"status": str(recorded.status), "output": recorded.output_data}
    if found != expected:
        text = "\n".join(f"  {each}" for each in json_diff(expected, found, task_reference_name))
        reason = f"\n  reason: {result.reason_for_incompletion}" if result.reason_for_incompletion else ""
        raise AssertionError(f"The worker {worker.task_definition_name!r} differs from the recording:\n{text}{reason}")


def _fresh(task: Task) -> Task:
    """Returns the task as it was when it was polled."""
    return task.model_copy(update={"status": "IN_PROGRESS", "output_data": {}, "reason_for_incompletion": None})

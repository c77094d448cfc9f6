"""The tasks that a host has in flight, by their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.worker._results.update_lock import UpdateLock
from conductor_async.worker.context import TaskContext

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conductor_async._detached import DetachedTask
    from conductor_async.models import Task, TaskResult


class InFlightTask:
    """A task in flight.

    Attributes:
        task: The task as it was polled.
        worker_id: The worker that has it, as the server knows it.
        context: What its function sees of it.
        call: The call of its function, once it has begun.
        is_async: Whether cancelling the call ends the function. A thread has to look at its context instead.
        has_expired: The server has had no sign of life for longer than the response timeout.
        abandoned: The server no longer wants the result from here.
        update_lock: Held while an update of the task is sent.
    """

    __slots__ = ("abandoned", "call", "context", "has_expired", "is_async", "task", "update_lock", "worker_id")

    def __init__(self, task: Task, worker_id: str, *, is_async: bool) -> None:
        self.task = task
        self.worker_id = worker_id
        self.context = TaskContext(task)
        self.call: DetachedTask[TaskResult | None] | None = None
        self.is_async = is_async
        self.has_expired = False
        self.abandoned = False
        self.update_lock = UpdateLock()

    def cancel(self, reason: str, *, wait_for_thread: bool) -> None:
        """Ends the function. A coroutine is cancelled; a thread is told, and then waited for or left behind."""
        if self.context.cancelled is None:
            self.context.cancelled = reason
        if self.call is not None and (self.is_async or not wait_for_thread):
            self.call.cancel()

    def leave_behind(self) -> str | None:
        """Gives up waiting for a function that goes on although it was cancelled. Returns where it is, if it does."""
        call = self.call
        if call is None or call.has_ended:
            return None
        call.leave_behind()
        return call.position()

    def abandon(self, reason: str) -> None:
        """Ends the function because its result is no longer wanted. The slot is free when it has really ended."""
        self.abandoned = True
        self.cancel(reason, wait_for_thread=True)


class InFlightTasks:
    """All tasks that a host has in flight."""

    __slots__ = ("_by_id", "_seen")

    def __init__(self) -> None:
        self._by_id: dict[str, InFlightTask] = {}
        self._seen: set[str] | None = None

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[InFlightTask]:
        return iter(tuple(self._by_id.values()))

    def __contains__(self, task_id: object) -> bool:
        return task_id in self._by_id or (self._seen is not None and task_id in self._seen)

    def add(self, in_flight: InFlightTask) -> None:
        """Adds a task that the server handed out to this host."""
        self._by_id[in_flight.task.task_id] = in_flight
        if self._seen is not None:
            self._seen.add(in_flight.task.task_id)

    def remove(self, in_flight: InFlightTask) -> None:
        """Removes a task whose result the server has."""
        # A task handed back may be handed out again, and added, before the response to handing it back has arrived.
        if self._by_id.get(in_flight.task.task_id) is in_flight:
            del self._by_id[in_flight.task.task_id]

    def remember_removed(self) -> None:
        """Counts removed tasks as contained from now on: a list that the server sends is older than its arrival."""
        self._seen = set(self._by_id)

    def forget_removed(self) -> None:
        """Counts only tasks in flight as contained."""
        self._seen = None

"""The tasks that a host has in hand: polled, and their results not yet with the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from conductor_async.worker.context import TaskContext

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from conductor_async.models import Task


class UpdateLock:
    """A lock that costs nothing where nobody else wants it."""

    __slots__ = ("_freed", "_taken")

    def __init__(self) -> None:
        self._taken = False
        self._freed: anyio.Event | None = None

    async def free(self) -> None:
        """Returns when nobody has it."""
        while self._taken:
            if self._freed is None:
                self._freed = anyio.Event()
            await self._freed.wait()

    async def __aenter__(self) -> None:
        await self.free()
        self._taken = True

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._taken = False
        if self._freed is not None:
            self._freed.set()
            self._freed = None


class InFlightTask:
    """A task in hand.

    Attributes:
        task: The task as it came.
        worker_id: Who the server thinks has it.
        context: What its function sees of it.
        scope: Around the call of its function.
        is_async: Whether cancelling the scope ends the function. A thread has to look for itself.
        disowned: The server does not want its result from here any more.
        tidy: Its function has returned, and left nothing open: another may be called in the same asyncio task.
        way: Held while the server is told something of it. The server writes whole rows, without a lock: an extension
            of the lease that is under way together with the result can undo the result.
    """

    __slots__ = ("abandoned", "context", "is_async", "scope", "task", "tidy", "way", "worker_id")

    def __init__(self, task: Task, worker_id: str, *, is_async: bool) -> None:
        self.task = task
        self.worker_id = worker_id
        self.context = TaskContext(task)
        self.scope = anyio.CancelScope()
        self.is_async = is_async
        self.abandoned = False
        self.tidy = False
        self.way = UpdateLock()

    def end(self, reason: str, *, wait_for_thread: bool) -> None:
        """Ends the function: a coroutine is cancelled, a thread is told, and waited for or left behind."""
        if self.context.cancelled is None:
            self.context.cancelled = reason
        if self.is_async or not wait_for_thread:
            self.scope.cancel(reason)

    def abandon(self, reason: str) -> None:
        """Ends the function, because nobody wants its result. Its slot is free when it has really ended."""
        self.abandoned = True
        self.end(reason, wait_for_thread=True)


class InFlightTasks:
    """All of them, by id."""

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

    def add(self, held: InFlightTask) -> None:
        """The server handed it out to us."""
        self._by_id[held.task.task_id] = held
        if self._seen is not None:
            self._seen.add(held.task.task_id)

    def remove(self, held: InFlightTask) -> None:
        """The server has its result."""
        # A task given back may have come again, and be held anew, before the answer of giving it back was here.
        if self._by_id.get(held.task.task_id) is held:
            del self._by_id[held.task.task_id]

    def remember(self) -> None:
        """From now on, tasks that are no longer held count as known: lists of the server are older than our answers."""
        self._seen = set(self._by_id)

    def forget(self) -> None:
        """Only what is held counts as known."""
        self._seen = None

"""The queues that workers poll.

A message is the id of a task. It is ready at its due time. Of the ready ones, the highest priority goes first, then the
earliest due time.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

__all__ = ["Queue", "Queues"]


@dataclass(slots=True)
class _Message:
    due: int
    priority: int
    entry: int


@dataclass(slots=True)
class Queue:
    """One queue. Removed messages stay in the heaps until they come up, and are dropped then."""

    messages: dict[str, _Message] = field(default_factory=dict[str, _Message])
    _ready: list[tuple[int, int, int, str]] = field(default_factory=list[tuple[int, int, int, str]])
    _later: list[tuple[int, int, str]] = field(default_factory=list[tuple[int, int, str]])
    _entries: int = 0

    def push(self, task_id: str, *, priority: int, due: int) -> None:
        """Adds a message, or moves it to another time."""
        self._entries += 1
        self.messages[task_id] = _Message(due, priority, self._entries)
        heapq.heappush(self._later, (due, self._entries, task_id))

    def remove(self, task_id: str) -> None:
        """Removes a message, if it is there."""
        self.messages.pop(task_id, None)

    def has_ready(self, now: int) -> bool:
        """Returns whether a message is ready."""
        self._move_ready(now)
        while self._ready and not self._is_current(self._ready[0][3], self._ready[0][2]):
            heapq.heappop(self._ready)
        return bool(self._ready)

    def pop(self, now: int) -> str | None:
        """Removes and returns the first ready message; None if there is none."""
        if not self.has_ready(now):
            return None
        task_id = heapq.heappop(self._ready)[3]
        del self.messages[task_id]
        return task_id

    def first_waiting(self) -> str | None:
        """Returns the message with the earliest due time, ready or not."""
        if not self.messages:
            return None
        return min(self.messages, key=lambda task_id: (self.messages[task_id].due, self.messages[task_id].entry))

    def _move_ready(self, now: int) -> None:
        while self._later and self._later[0][0] <= now:
            due, entry, task_id = heapq.heappop(self._later)
            if self._is_current(task_id, entry):
                heapq.heappush(self._ready, (-self.messages[task_id].priority, due, entry, task_id))

    def _is_current(self, task_id: str, entry: int) -> bool:
        message = self.messages.get(task_id)
        return message is not None and message.entry == entry


class Queues:
    """All queues, by name: a task type, or `domain:type`."""

    def __init__(self) -> None:
        self._queues: dict[str, Queue] = {}

    def __getitem__(self, name: str) -> Queue:
        queue = self._queues.get(name)
        if queue is None:
            queue = self._queues[name] = Queue()
        return queue

    def get(self, name: str) -> Queue | None:
        """Returns the queue of that name, if anything was ever in it."""
        return self._queues.get(name)

    def remove(self, name: str, task_id: str) -> None:
        """Removes a message, if it is there."""
        queue = self._queues.get(name)
        if queue is not None:
            queue.remove(task_id)

    def sizes(self) -> dict[str, int]:
        """Returns the number of messages in each queue, by name."""
        return {name: len(queue.messages) for name, queue in sorted(self._queues.items())}

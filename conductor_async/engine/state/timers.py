"""What happens at a time: one list for all of the engine, in the order of time and then of entry."""

from __future__ import annotations

import heapq
from typing import NamedTuple

__all__ = ["Timer", "Timers"]


class Timer(NamedTuple):
    """Something that is due. `kind` says what, `key` to whom."""

    due: int
    order: int
    kind: str
    key: str


class Timers:
    """Timers are never taken back: whoever handles one looks at whether it still means anything."""

    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self._order = 0

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, due: int, kind: str, key: str) -> None:
        """Set a timer, in epoch milliseconds."""
        self._order += 1
        heapq.heappush(self._heap, Timer(due, self._order, kind, key))

    def next_due(self) -> int | None:
        """When the first one is due, in epoch milliseconds."""
        return self._heap[0].due if self._heap else None

    def pop_due(self, now: int) -> Timer | None:
        """Take the first one out if it is due."""
        if self._heap and self._heap[0].due <= now:
            return heapq.heappop(self._heap)
        return None

    def first(self) -> Timer | None:
        """The first one, left in place."""
        return self._heap[0] if self._heap else None

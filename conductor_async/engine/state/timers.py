"""The timers of an engine, in the order of their due times, then of their entry."""

from __future__ import annotations

import heapq
from typing import NamedTuple

__all__ = ["Timer", "Timers"]


class Timer(NamedTuple):
    """A piece of work and its due time in epoch milliseconds: see `core.Work` for `kind` and `key`."""

    due: int
    order: int
    kind: str
    key: str


class Timers:
    """A heap of timers. Timers are not cancelled: whoever handles one checks whether it still has to do something."""

    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self._order = 0

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, due: int, kind: str, key: str) -> None:
        """Sets a timer, in epoch milliseconds."""
        self._order += 1
        heapq.heappush(self._heap, Timer(due, self._order, kind, key))

    def pop_due(self, now: int) -> Timer | None:
        """Removes and returns the first timer if it is due."""
        if self._heap and self._heap[0].due <= now:
            return heapq.heappop(self._heap)
        return None

    def first(self) -> Timer | None:
        """Returns the first timer, without removing it."""
        return self._heap[0] if self._heap else None

"""Who waits for what: events that are set when something happens under a key."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["Waiters"]


class Waiters:
    """Those who wait, by key. False if nobody waits."""

    def __init__(self) -> None:
        self._events: dict[str, set[anyio.Event]] = {}

    def __bool__(self) -> bool:
        return bool(self._events)

    @contextmanager
    def event(self, key: str) -> Generator[anyio.Event]:
        """Yields an event that the next `wake(key)` sets."""
        event = anyio.Event()
        self._events.setdefault(key, set()).add(event)
        try:
            yield event
        finally:
            events = self._events[key]
            events.discard(event)
            if not events:
                del self._events[key]

    def wake(self, key: str) -> None:
        """Wakes all who wait for this key."""
        for event in self._events.get(key, ()):
            event.set()

    def wake_all(self) -> None:
        """Wakes everybody."""
        for key in self._events:
            self.wake(key)

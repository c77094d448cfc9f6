"""Who waits for what: events that are set when something happens under a key."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["OpenPoll", "OpenPolls", "Waiters"]


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


class OpenPoll:
    """A poll that waits for tasks.

    Attributes:
        wakeup: What it waits for.
        is_withdrawn: Whether its client wants no tasks any more.
    """

    __slots__ = ("is_withdrawn", "wakeup")

    def __init__(self) -> None:
        self.wakeup: anyio.Event | None = None
        self.is_withdrawn: bool = False


class OpenPolls:
    """The polls that wait for tasks, by worker id."""

    def __init__(self) -> None:
        self._polls: dict[str | None, set[OpenPoll]] = {}

    @contextmanager
    def opening(self, worker_id: str | None) -> Generator[OpenPoll]:
        """Yields a poll that can be withdrawn while the context is open."""
        poll = OpenPoll()
        polls = self._polls.setdefault(worker_id, set())
        polls.add(poll)
        try:
            yield poll
        finally:
            polls.discard(poll)
            if not polls and self._polls.get(worker_id) is polls:
                del self._polls[worker_id]

    def withdraw(self, worker_id: str | None) -> None:
        """Wakes the polls of a worker id, which then return what they have."""
        for poll in self._polls.get(worker_id, ()):
            poll.is_withdrawn = True
            if poll.wakeup is not None:
                poll.wakeup.set()

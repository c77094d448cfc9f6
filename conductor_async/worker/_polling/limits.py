"""How much goes on at once: tasks of a worker, tasks of a host, polls that wait at the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from types import TracebackType


class Slots:
    """Slots for running tasks. They are reserved before a poll, so that each task it brings has one.

    Attributes:
        count: How many there are.
        free: How many are not reserved.
    """

    __slots__ = ("_changed", "count", "free")

    def __init__(self, count: int) -> None:
        self.count = count
        self.free = count
        self._changed: anyio.Event | None = None

    def reserve(self, count: int = 1) -> None:
        """Reserves slots, which must be free."""
        self.free -= count

    def release(self, count: int = 1) -> None:
        """Gives slots back."""
        self.free += count
        self.notify()

    def notify(self) -> None:
        """Wakes whoever waits for a change."""
        if self._changed is not None:
            self._changed.set()
            self._changed = None

    async def changed(self) -> None:
        """Returns when slots were released, or `notify` was called."""
        if self._changed is None:
            self._changed = anyio.Event()
        await self._changed.wait()


class PollLimiter:
    """Limits the polls that wait at the server at once: an async context manager around each poll.

    If more pollers want to poll, they take turns, and each waits for a shorter time at the server: a round of all of
    them then takes no longer than one poll would.

    Args:
        limit: The most polls at once.
        pollers: How many pollers there are.
    """

    __slots__ = ("_limiter", "_share", "limit")

    _SHORTEST = 0.1
    """Seconds. The server looks for tasks ten times a second."""

    def __init__(self, limit: int, pollers: int) -> None:
        self.limit = min(limit, pollers)
        self._limiter = anyio.Semaphore(self.limit)
        self._share = min(1.0, limit / pollers)

    def share_of(self, timeout: float) -> float:
        """Returns the seconds that a poll may wait at the server, if it could wait for `timeout` when alone."""
        return timeout if self._share == 1.0 else min(timeout, max(self._SHORTEST, timeout * self._share))

    async def __aenter__(self) -> None:
        await self._limiter.acquire()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._limiter.release()

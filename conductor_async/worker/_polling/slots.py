"""How much may go on at once: tasks of a worker, tasks of a host, polls that wait at the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from types import TracebackType


class Slots:
    """How many more tasks may run. Slots are reserved before a poll, so that there is one for each task it brings."""

    __slots__ = ("_changed", "count", "free")

    def __init__(self, count: int) -> None:
        self.count = count
        self.free = count
        self._changed: anyio.Event | None = None

    def reserve(self, count: int) -> None:
        """Takes slots, which must be free."""
        self.free -= count

    def release(self, count: int = 1) -> None:
        """Gives slots back."""
        self.free += count
        self.wake()

    def wake(self) -> None:
        """Has `changed()` return."""
        if self._changed is not None:
            self._changed.set()
            self._changed = None

    async def changed(self) -> None:
        """Returns when slots were released."""
        if self._changed is None:
            self._changed = anyio.Event()
        await self._changed.wait()


class PollLimiter:
    """Polls that may wait at the server at once. If there are more pollers than that, they take turns.

    Then each waits less long at the server, so that a round of all of them takes no longer than one poll would.

    Args:
        limit: How many polls.
        pollers: How many want to.
    """

    __slots__ = ("_limiter", "_share", "limit")

    _SHORTEST = 0.1
    """Seconds. The server looks ten times a second."""

    def __init__(self, limit: int, pollers: int) -> None:
        self.limit = min(limit, pollers)
        self._limiter = anyio.Semaphore(self.limit)
        self._share = min(1.0, limit / pollers)

    def wait_at_server(self, timeout: float) -> float:
        """How long a poll may wait that would have waited so long, if it were alone."""
        return timeout if self._share == 1.0 else min(timeout, max(self._SHORTEST, timeout * self._share))

    async def __aenter__(self) -> None:
        await self._limiter.acquire()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._limiter.release()

"""A lock around what a host tells the server of one task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from types import TracebackType


class UpdateLock:
    """Held while an update of one task is sent.

    The server writes whole rows without a lock: a lease extension that is sent together with the result can undo the
    result. Most tasks end before anything else is sent for them, so an `anyio.Lock`, which always yields to the event
    loop, would be paid for by all of them: this one costs nothing while nobody waits.
    """

    __slots__ = ("_locked", "_released")

    def __init__(self) -> None:
        self._locked = False
        self._released: anyio.Event | None = None

    async def wait_until_free(self) -> None:
        """Returns when nobody holds the lock."""
        while self._locked:
            if self._released is None:
                self._released = anyio.Event()
            await self._released.wait()

    async def __aenter__(self) -> None:
        await self.wait_until_free()
        self._locked = True

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._locked = False
        if self._released is not None:
            self._released.set()
            self._released = None

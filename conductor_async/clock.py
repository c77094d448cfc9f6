"""The clock of a worker host: real time, unless an embedded Conductor skips the time in which nothing happens."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Final, Protocol

import anyio
import anyio.lowlevel

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self, TypeAlias

    _Registration: TypeAlias = AbstractContextManager[object]

__all__ = ["Clock", "RealClock"]


class Clock(Protocol):
    """Tells the time, sleeps, and learns what a host does, so that it knows when it may skip time.

    A host attaches each of its pollers for as long as the poller lives. An attached poller polls, works, sleeps by this
    clock, or is about to do one of these.
    """

    def now(self) -> float:
        """Returns seconds. Only differences have a meaning."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Returns when that much time has passed on this clock."""
        ...

    def attach(self, task_type: str, domain: str | None = None) -> _Registration:
        """Returns a context manager that is open while a poller for these tasks lives."""
        ...

    def polling(self, task_type: str, domain: str | None = None) -> _Registration:
        """Returns a context manager that is open while a poll of such a poller is."""
        ...

    def working(self, task_type: str, domain: str | None = None) -> _Registration:
        """Returns a context manager that is open from the moment a task arrives until the server has its result."""
        ...


class RealClock:
    """The event loop's own clock. It skips nothing, so it need not know what a host does.

    Args:
        now: Returns the time in seconds. By default it looks up the running event loop at each call.
    """

    def __init__(self, now: Callable[[], float] = anyio.current_time) -> None:
        self._now = now

    @classmethod
    def of_running_loop(cls) -> Self:
        """Returns a clock for the running event loop alone, which tells the time in a tenth of the time."""
        now = getattr(anyio.lowlevel.current_token().native_token, "time", None)  # asyncio's loops have it
        return cls() if now is None else cls(now)

    def now(self) -> float:
        """Returns seconds on the event loop's clock."""
        return self._now()

    async def sleep(self, seconds: float) -> None:
        """Sleeps."""
        await anyio.sleep(max(0.0, seconds))

    def attach(self, task_type: str, domain: str | None = None) -> _Registration:
        """Returns a context manager that does nothing."""
        return _NOTHING

    def polling(self, task_type: str, domain: str | None = None) -> _Registration:
        """Returns a context manager that does nothing."""
        return _NOTHING

    def working(self, task_type: str, domain: str | None = None) -> _Registration:
        """Returns a context manager that does nothing."""
        return _NOTHING


_NOTHING: Final[AbstractContextManager[object]] = nullcontext()


async def sleep_until_set(event: anyio.Event, seconds: float, clock: Clock) -> bool:
    """Sleeps by this clock, at most until the event is set. Returns whether it is set."""
    if seconds > 0 and not event.is_set():
        if isinstance(clock, RealClock):
            with anyio.move_on_after(seconds):
                await event.wait()
        else:
            async with anyio.create_task_group() as both:

                async def sleep() -> None:
                    await clock.sleep(seconds)
                    both.cancel_scope.cancel()

                both.start_soon(sleep)
                await event.wait()
                both.cancel_scope.cancel()
    return event.is_set()

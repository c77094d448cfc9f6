"""The time that a worker host lives by: real time, unless an embedded Conductor skips what nobody waits for."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Final, Protocol

import anyio
import anyio.lowlevel

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Held: TypeAlias = AbstractContextManager[object]


class Clock(Protocol):
    """Tells the time, sleeps, and is told what goes on, so that it can know when time may be skipped.

    A host attaches each of its pollers for as long as it lives. An attached poller either polls, works, sleeps by this
    clock, or is about to do one of these.
    """

    def now(self) -> float:
        """Seconds. Only differences mean something."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Returns when so much time has passed on this clock."""
        ...

    def attach(self, task_type: str, domain: str | None = None) -> Held:
        """Held while a poller for these tasks lives."""
        ...

    def polling(self, task_type: str, domain: str | None = None) -> Held:
        """Held while a poll of it is open."""
        ...

    def working(self, task_type: str, domain: str | None = None) -> Held:
        """Held from the moment a task has come until the server has its result."""
        ...


class RealClock:
    """The event loop's own clock. Nothing is skipped, so nothing needs to be known.

    Args:
        now: Tells the seconds. By default it asks each time which event loop runs.
    """

    def __init__(self, now: Callable[[], float] = anyio.current_time) -> None:
        self._now = now

    def now(self) -> float:
        """Seconds on the event loop's clock."""
        return self._now()

    async def sleep(self, seconds: float) -> None:
        """Sleeps."""
        await anyio.sleep(max(0.0, seconds))

    def attach(self, task_type: str, domain: str | None = None) -> Held:
        """Means nothing here."""
        return _NOTHING

    def polling(self, task_type: str, domain: str | None = None) -> Held:
        """Means nothing here."""
        return _NOTHING

    def working(self, task_type: str, domain: str | None = None) -> Held:
        """Means nothing here."""
        return _NOTHING


_NOTHING: Final[AbstractContextManager[object]] = nullcontext()

REAL_TIME: Final[Clock] = RealClock()


def clock_here(clock: Clock) -> Clock:
    """The same clock, for the running event loop alone: real time is told in a tenth of the time then."""
    now = getattr(anyio.lowlevel.current_token().native_token, "time", None)  # asyncio's loops have it
    return clock if clock is not REAL_TIME or now is None else RealClock(now)


async def sleep_unless(event: anyio.Event, seconds: float, clock: Clock) -> bool:
    """Sleeps by this clock, or until the event is set. Whether it is."""
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

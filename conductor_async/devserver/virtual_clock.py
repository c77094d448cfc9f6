"""The time that an engine, its server and the hosts attached to it share.

It is real, or skipped when nobody needs it, or moved by hand only.
"""

from __future__ import annotations

import heapq
import itertools
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Self

import anyio
import anyio.lowlevel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from conductor_async.clock import Held

__all__ = ["ClockKind", "VirtualClock"]

ClockKind = Literal["real", "skipping", "manual"]


@dataclass(order=True, slots=True)
class _Sleeper:
    due: float
    number: int
    woken: anyio.Event = field(compare=False)
    waits_at_server: bool = field(compare=False)
    over: bool = field(compare=False, default=False)


class VirtualClock:
    """Tells the time to an engine, and lets those sleep who live by it; a clock for worker hosts as well.

    Real and skipping time flow as the world's does, and can be moved on beside; manual time is only moved.

    Args:
        kind: Which of them.
        start: What time it is, in epoch seconds; by default what time it really is.

    Attributes:
        kind: Which of them.
        on_sooner: Called when somebody sleeps: he may have to be woken before all others.
        on_activity: Called when something was done that time must not overtake.
    """

    def __init__(self, kind: ClockKind = "real", start: float | None = None) -> None:
        self.kind: ClockKind = kind
        self.on_sooner: Callable[[float], None] = _ignore
        self.on_activity: Callable[[], None] = _nothing
        self._flows = kind != "manual"
        self._origin = time.monotonic()
        self._at_origin = time.time() if start is None else start
        self._sleepers: list[_Sleeper] = []
        self._numbers = itertools.count()
        self._asleep = 0
        self._attached: dict[tuple[str, str | None], int] = {}
        self._pollers = 0
        self._polling = 0
        self._working = 0

    # -- telling and moving ----------------------------------------------------------------------

    def now(self) -> float:
        """The time, in epoch seconds."""
        return self._at_origin + (time.monotonic() - self._origin if self._flows else 0.0)

    def move_to(self, when: float) -> None:
        """Moves on to `when`, and wakes those that have slept until then. Time does not go back."""
        missing = when - self.now()
        if missing > 0:
            self._at_origin += missing
        self.wake_due()

    # -- sleeping --------------------------------------------------------------------------------

    async def sleep(self, seconds: float) -> None:
        """Returns when so much time has passed."""
        if seconds <= 0:
            await anyio.lowlevel.checkpoint()
        else:
            await self.wait(anyio.Event(), seconds, at_server=False)

    async def wait(self, event: anyio.Event, seconds: float, *, at_server: bool = True) -> None:
        """Returns when the event is set or so much time has passed.

        Args:
            event: May be set by this too.
            seconds: May be infinite.
            at_server: Whether a request waits. A sleeping host alone is no reason to skip time.
        """
        if not math.isfinite(seconds):
            await event.wait()
            return
        sleeper = _Sleeper(self.now() + seconds, next(self._numbers), event, at_server)
        heapq.heappush(self._sleepers, sleeper)
        self._asleep += not at_server
        self.on_sooner(sleeper.due)
        try:
            await event.wait()
        finally:
            sleeper.over = True
            self._asleep -= not at_server

    def next_due(self, *, at_server: bool = False) -> float | None:
        """When the next of those who sleep has to be woken; only of requests that wait, if it says so."""
        while self._sleepers and self._sleepers[0].over:
            heapq.heappop(self._sleepers)
        if at_server:
            return min((each.due for each in self._sleepers if each.waits_at_server and not each.over), default=None)
        return self._sleepers[0].due if self._sleepers else None

    def wake_due(self) -> None:
        """Wakes those that have slept long enough."""
        now = self.now()
        while self._sleepers and (self._sleepers[0].over or self._sleepers[0].due <= now):
            sleeper = heapq.heappop(self._sleepers)
            if not sleeper.over:
                sleeper.over = True
                sleeper.woken.set()

    # -- what attached hosts do --------------------------------------------------------------------

    @property
    def attached(self) -> Iterable[tuple[str, str | None]]:
        """The task types, with their domains, that attached hosts poll for."""
        return self._attached

    @property
    def pending_work(self) -> int:
        """How much attached hosts are in the middle of: tasks that run, pollers that neither poll nor sleep."""
        return self._working + max(0, self._pollers - self._polling - self._asleep)

    def attach(self, task_type: str, domain: str | None = None) -> Held:
        """Held while a poller for these tasks lives."""
        return _Attached(self, (task_type, domain))

    def polling(self, task_type: str, domain: str | None = None) -> Held:
        """Held while a poll of it is open."""
        return _Polling(self)

    def working(self, task_type: str, domain: str | None = None) -> Held:
        """Held from the moment a task has come until the server has its result."""
        return _Working(self)


class _Holding:
    """Counts while it is held."""

    __slots__ = ("_time",)

    def __init__(self, time_: VirtualClock) -> None:
        self._time = time_

    def _count(self, change: int) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._count(1)
        self._time.on_activity()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._count(-1)
        self._time.on_activity()


class _Attached(_Holding):
    __slots__ = ("_key",)

    def __init__(self, time_: VirtualClock, key: tuple[str, str | None]) -> None:
        super().__init__(time_)
        self._key = key

    def _count(self, change: int) -> None:
        there, time_ = self._time._attached, self._time
        time_._pollers += change
        there[self._key] = there.get(self._key, 0) + change
        if not there[self._key]:
            del there[self._key]


class _Polling(_Holding):
    __slots__ = ()

    def _count(self, change: int) -> None:
        self._time._polling += change


class _Working(_Holding):
    __slots__ = ()

    def _count(self, change: int) -> None:
        self._time._working += change


def _ignore(_: float) -> None:
    pass


def _nothing() -> None:
    pass

"""The time that an engine, its server and the attached worker hosts share.

It is real, or it jumps to the next timer when nobody needs the time in between, or it only moves by hand.
"""

from __future__ import annotations

import heapq
import itertools
import math
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import anyio
import anyio.lowlevel

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

__all__ = ["ClockKind", "VirtualClock"]

ClockKind = Literal["real", "skipping", "manual"]


@dataclass(order=True, slots=True)
class _Sleeper:
    due: float
    number: int  # equal times wake in the order in which their sleeps began
    wakeup: anyio.Event = field(compare=False)
    in_request: bool = field(compare=False)
    is_done: bool = field(compare=False, default=False)


class VirtualClock:
    """A clock for an engine and for worker hosts (it is a `conductor_async.clock.Clock`).

    Real and skipping time pass as the world's time does, and can be moved forward in addition. Manual time only moves
    when it is moved. The clock itself never skips: `TimeDriver` does, and asks the clock what it must not overtake.

    Args:
        kind: "real", "skipping" or "manual".
        start: The first time in epoch seconds; by default the real time.

    Attributes:
        kind: "real", "skipping" or "manual".
        on_timer_added: Called with the time at which a new sleeper is due.
        on_activity: Called when a host begins or ends something.
    """

    def __init__(self, kind: ClockKind = "real", start: float | None = None) -> None:
        self.kind: ClockKind = kind
        self.on_timer_added: Callable[[float], object] = lambda _: None
        self.on_activity: Callable[[], object] = lambda: None
        self._passes = kind != "manual"
        # The monotonic clock, not the system's: that one can be set back, and a workflow's time must not.
        self._origin = time.monotonic()
        self._time_at_origin = time.time() if start is None else start
        self._sleepers: list[_Sleeper] = []
        self._numbers = itertools.count()
        self._attached: dict[tuple[str, str | None], int] = {}
        self._pollers = 0
        self._open_polls = 0
        self._sleeping_pollers = 0
        self._running_tasks = 0

    # -- telling and moving ----------------------------------------------------------------------

    def now(self) -> float:
        """Returns the time in epoch seconds."""
        return self._time_at_origin + (time.monotonic() - self._origin if self._passes else 0.0)

    def move_to(self, when: float) -> None:
        """Moves the time forward to `when`, and wakes everybody who is due by then. It never moves back."""
        missing = when - self.now()
        if missing > 0:
            self._time_at_origin += missing
        self.wake_due()

    # -- sleeping --------------------------------------------------------------------------------

    async def sleep(self, seconds: float) -> None:
        """Returns when so many seconds have passed."""
        if seconds <= 0:
            await anyio.lowlevel.checkpoint()
        else:
            await self.wait(anyio.Event(), seconds, in_request=False)

    async def wait(self, event: anyio.Event, seconds: float, *, in_request: bool = True) -> None:
        """Returns when the event is set or so many seconds have passed.

        Args:
            event: The event. The clock sets it when the time is up.
            seconds: How long to wait; may be infinite.
            in_request: Whether a request waits. A sleeping host alone is no reason to skip time: its sleep is a pause
                between two polls, and skipping it would only make it poll without end.
        """
        if not math.isfinite(seconds):
            await event.wait()
            return
        sleeper = _Sleeper(self.now() + seconds, next(self._numbers), event, in_request)
        heapq.heappush(self._sleepers, sleeper)
        self._sleeping_pollers += not in_request
        self.on_timer_added(sleeper.due)
        try:
            await event.wait()
        finally:
            # It stays in the heap until it is on top: removing it from the middle would cost a search.
            sleeper.is_done = True
            self._sleeping_pollers -= not in_request

    def next_due(self, *, in_request: bool = False) -> float | None:
        """Returns when the next sleeper is due; with `in_request`, the next request that waits."""
        while self._sleepers and self._sleepers[0].is_done:
            heapq.heappop(self._sleepers)
        if in_request:
            return min((each.due for each in self._sleepers if each.in_request and not each.is_done), default=None)
        return self._sleepers[0].due if self._sleepers else None

    def wake_due(self) -> None:
        """Wakes everybody who is due."""
        now = self.now()
        while self._sleepers and (self._sleepers[0].is_done or self._sleepers[0].due <= now):
            sleeper = heapq.heappop(self._sleepers)
            if not sleeper.is_done:
                sleeper.is_done = True
                sleeper.wakeup.set()

    # -- what attached hosts do --------------------------------------------------------------------

    @property
    def attached(self) -> Iterable[tuple[str, str | None]]:
        """The task types, with their domains, that attached hosts poll for."""
        return self._attached

    @property
    def pending_work(self) -> int:
        """How many things attached hosts are in the middle of.

        These are running tasks, and pollers that neither poll nor sleep: such a poller has just received a task or is
        about to poll, so skipping time now could time out a task that it is going to complete.
        """
        return self._running_tasks + max(0, self._pollers - self._open_polls - self._sleeping_pollers)

    @contextmanager
    def attach(self, task_type: str, domain: str | None = None) -> Generator[None]:
        """Counts a poller of a task type for as long as it lives."""
        key = (task_type, domain)
        self._attached[key] = self._attached.get(key, 0) + 1
        self._pollers += 1
        self.on_activity()
        try:
            yield
        finally:
            self._attached[key] -= 1
            if not self._attached[key]:
                del self._attached[key]
            self._pollers -= 1
            self.on_activity()

    @contextmanager
    def polling(self, task_type: str, domain: str | None = None) -> Generator[None]:
        """Counts an open poll of an attached poller."""
        self._open_polls += 1
        self.on_activity()
        try:
            yield
        finally:
            self._open_polls -= 1
            self.on_activity()

    @contextmanager
    def working(self, task_type: str, domain: str | None = None) -> Generator[None]:
        """Counts a task from its arrival until the server has its result."""
        self._running_tasks += 1
        self.on_activity()
        try:
            yield
        finally:
            self._running_tasks -= 1
            self.on_activity()

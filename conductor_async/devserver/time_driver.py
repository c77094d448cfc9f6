"""Moves an engine's time: fires its timers when they are due, and skips the time that nobody needs."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from conductor_async.devserver.virtual_clock import VirtualClock
    from conductor_async.engine import Engine

__all__ = ["TimeDriver"]

logger: logging.Logger = logging.getLogger("conductor_async")

# Real seconds without any activity before time is skipped. Event loops have no way to tell that every task is waiting
# for something else than time, so the driver waits until nothing has happened for this long.
_QUIET_SECONDS = 0.001


class TimeDriver:
    """Drives the time of an engine and its clock.

    Skipping is safe if nobody is in the middle of something. The driver learns of that in three ways: work that runs
    in this process is counted (`external_work`), attached worker hosts tell the clock what they do, and everything
    else shows as activity: a time that was planned before some activity is not skipped to.

    Args:
        engine: The engine. Its clock must be `clock`.
        clock: The clock.
        on_timers_fired: Called after the engine's timers have fired.
    """

    def __init__(self, engine: Engine, clock: VirtualClock, on_timers_fired: Callable[[], object]) -> None:
        self._engine = engine
        self._clock = clock
        self._on_timers_fired = on_timers_fired
        self._planned: float | None = None
        self._replan = anyio.Event()
        self._external_work = 0
        self._activity = 0
        self._was_queried = False
        clock.on_timer_added = self.plan
        clock.on_activity = self.record_activity

    # -- what it is told ---------------------------------------------------------------------------

    def record_activity(self) -> None:
        """Notes that something happened that a skip must not overtake."""
        self._activity += 1

    def record_query(self) -> None:
        """Notes that somebody asked the server for something other than a task."""
        self._was_queried = True

    def plan(self, due: float) -> None:
        """Wakes the driver if it would wake too late for a timer at `due`."""
        if self._planned is None or due < self._planned:
            self._planned = due
            self._replan.set()

    def begin_external_work(self) -> None:
        """Counts work that runs outside of the engine: time is not skipped until it ends."""
        self._external_work += 1

    def end_external_work(self) -> None:
        """Ends the count of `begin_external_work`."""
        self._external_work -= 1
        self.record_activity()

    @contextmanager
    def idle(self) -> Generator[None]:
        """Held by external work while it only waits for the engine: then it is no reason not to skip time."""
        self._external_work -= 1
        try:
            yield
        finally:
            self._external_work += 1

    # -- moving by hand ----------------------------------------------------------------------------

    async def advance(self, seconds: float) -> None:
        """Moves time forward, timer by timer. Returns when everything due was done and attached hosts are at rest.

        Work that is under way when it is called may still be under way: a worker can call it.
        """
        pending_before = self._pending_work()
        until = self._clock.now() + seconds
        await self._rest(pending_before)
        while (due := self._next_due()) is not None and due <= until:
            self._move_to(due)
            await self._rest(pending_before)
        self._move_to(until)
        await self._rest(pending_before)

    async def _rest(self, allowed: int) -> None:
        """Returns when nothing has happened for a moment and no more than the allowed work is pending."""
        while True:
            activity = self._activity
            await anyio.sleep(_QUIET_SECONDS)
            if (
                self._activity == activity
                and self._pending_work() <= allowed
                # With work pending, the caller may be the only slot of the worker that would take the task.
                and (allowed or not self._has_takers())
            ):
                return

    # -- moving by itself --------------------------------------------------------------------------

    async def run(self) -> None:
        """Fires timers and skips time, until it is cancelled."""
        while True:
            due = self._next_due()
            remaining = None if due is None else due - self._clock.now()
            if remaining is not None and remaining <= 0:
                self._move_to(self._clock.now())
                await anyio.lowlevel.checkpoint()
            elif due is None or remaining is None or self._clock.kind == "manual":
                await self._sleep_until_replanned(due, None)
            elif self._clock.kind == "real":
                await self._sleep_until_replanned(due, remaining)
            else:
                await self._skip_to(due, remaining)

    async def _skip_to(self, due: float, remaining: float) -> None:
        """Jumps to `due`, unless somebody needs the time until then."""
        activity = self._activity
        await self._sleep_until_replanned(due, min(remaining, _QUIET_SECONDS))
        if self._activity != activity or self._next_due() != due or not self._may_skip():
            return
        if self._engine.next_due() == due and self._engine.next_is_schedule():
            # A schedule fires forever, and skipping to it again and again would never end. So it fires once for each
            # time that somebody asks the server for something.
            if not self._was_queried:
                return
            self._was_queried = False
        self._move_to(due)

    def _may_skip(self) -> bool:
        """Returns whether nothing is under way, and something waits for time to pass: a sleeping host is no reason."""
        if self._pending_work() or self._has_takers():
            return False
        return self._engine.next_due() is not None or self._clock.next_due(in_request=True) is not None

    def _pending_work(self) -> int:
        return self._external_work + self._clock.pending_work

    def _has_takers(self) -> bool:
        """Returns whether an attached host is about to receive a task: one is ready in a queue that it polls."""
        return any(self._engine.tasks.has_ready(task_type, domain) for task_type, domain in self._clock.attached)

    def _next_due(self) -> float | None:
        """Returns when the next timer of the engine fires, or the next sleeper wakes."""
        dues = [due for due in (self._engine.next_due(), self._clock.next_due()) if due is not None]
        return min(dues, default=None)

    def _move_to(self, when: float) -> None:
        self._clock.move_to(when)
        try:
            self._engine.run_due()
        except Exception:
            # The boundary of one timer: a defect in one execution must not stop the time of the others.
            logger.exception("The embedded Conductor failed to fire its timers; time continues")
        self.record_activity()
        self._on_timers_fired()

    async def _sleep_until_replanned(self, due: float | None, seconds: float | None) -> None:
        """Sleeps in real time; an earlier timer ends the sleep."""
        self._planned = due
        self._replan = anyio.Event()
        with anyio.move_on_after(seconds):
            await self._replan.wait()

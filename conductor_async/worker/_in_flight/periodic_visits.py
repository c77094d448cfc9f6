"""Looking after each of many tasks, every so often."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import anyio

from conductor_async.clock import sleep_unless

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from anyio.abc import TaskGroup

    from conductor_async.clock import Clock
    from conductor_async.worker._in_flight.tasks import InFlightTask

_SOONER = 0.1
"""Up to so much of an interval sooner, at random: what came at once need not be looked after at once."""

_AT_ONCE = 4
"""Requests at once. Hosts have connections for them beside those for polls and results."""


class PeriodicVisits:
    """Calls a function for each task that it has, at an interval of its own.

    Args:
        visit: What to call. What it returns is when to call it again, in seconds; None: after the interval.
        clock: The host's time.
    """

    __slots__ = ("_awake_at", "_clock", "_due", "_limiter", "_sooner", "_visit")

    def __init__(self, visit: Callable[[InFlightTask], Awaitable[float | None]], clock: Clock) -> None:
        self._visit = visit
        self._clock = clock
        self._due: dict[InFlightTask, tuple[float, float]] = {}
        self._sooner = anyio.Event()
        self._awake_at = float("inf")
        self._limiter = anyio.CapacityLimiter(_AT_ONCE)

    def __contains__(self, held: object) -> bool:
        return held in self._due

    def add(self, held: InFlightTask, every: float) -> None:
        """Looks after it from now on, the first time when a tenth less than the interval has passed, or all of it."""
        self._put(held, every, every)

    def remove(self, held: InFlightTask) -> None:
        """No longer. Again is fine."""
        self._due.pop(held, None)

    async def run(self) -> None:
        """Makes the rounds, until cancelled."""
        async with anyio.create_task_group() as visits:
            while True:
                self._begin_visits(visits)
                self._awake_at = min((due for due, _ in self._due.values()), default=float("inf"))
                await self._sleep()
                if self._sooner.is_set():
                    self._sooner = anyio.Event()

    def _put(self, held: InFlightTask, after: float, every: float) -> None:
        due = self._clock.now() + after * (1 - _SOONER * random.random())  # noqa: S311
        self._due[held] = (due, every)
        if due < self._awake_at:
            self._awake_at = due
            self._sooner.set()

    async def _sleep(self) -> None:
        if self._awake_at == float("inf"):
            await self._sooner.wait()
        else:
            await sleep_unless(self._sooner, self._awake_at - self._clock.now(), self._clock)

    def _begin_visits(self, visits: TaskGroup) -> None:
        now = self._clock.now()
        for held, (due, every) in tuple(self._due.items()):
            if due <= now:
                self._due[held] = (float("inf"), every)
                visits.start_soon(self._make_visit, held, every)

    async def _make_visit(self, held: InFlightTask, every: float) -> None:
        await held.way.free()  # while its result is under way: of the few requests at once, none is kept for that
        async with self._limiter:
            sooner = await self._visit(held) if held in self._due else None
        if held in self._due:
            self._put(held, every if sooner is None else sooner, every)

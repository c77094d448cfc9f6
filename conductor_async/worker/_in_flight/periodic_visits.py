"""Visits to each of many tasks, at an interval of its own."""

from __future__ import annotations

import operator
import random
from typing import TYPE_CHECKING

import anyio

from conductor_async.clock import sleep_until_set

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from anyio.abc import TaskGroup

    from conductor_async.clock import Clock
    from conductor_async.worker._in_flight.tasks import InFlightTask

_JITTER = 0.1
"""The part of an interval by which a visit may come early, at random: tasks that came at once spread out."""

_CONCURRENT_VISITS = 4
"""Visits at once while none is urgent, so that tasks that came at once do not become a burst of requests."""

_TICK = 0.02
"""Seconds from one round that started visits to the next: visits due at nearly the same time share a round."""

RETRY_WHILE_OPEN = 1.0
"""Seconds until the next visit of a task that could not be visited because the circuit is open."""

_NEVER = float("inf")


class PeriodicVisits:
    """Calls a function for each task that was added, at an interval, until the task is removed.

    A visit that is due waits for one of a few places, the most urgent first. When it has waited for as long as its task
    can bear, it needs none: visits that take long, or get no response, never keep others from being made in time.

    Args:
        visit: The function. It returns the seconds until the next visit, or None for the task's usual interval.
        clock: The host's clock.
    """

    __slots__ = ("_clock", "_due", "_earlier", "_last_round", "_under_way", "_visit", "_wakes_at")

    def __init__(self, visit: Callable[[InFlightTask], Awaitable[float | None]], clock: Clock) -> None:
        self._visit = visit
        self._clock = clock
        # When a visit is due, when it needs no place, the usual interval, and how long it may wait for a place.
        self._due: dict[InFlightTask, tuple[float, float, float, float]] = {}
        self._earlier = anyio.Event()
        self._wakes_at = _NEVER
        self._last_round = -_NEVER
        self._under_way = 0

    def __contains__(self, in_flight: object) -> bool:
        return in_flight in self._due

    def add(self, in_flight: InFlightTask, interval: float, slack: float) -> None:
        """Visits the task from now on, for the first time when the interval has passed, or up to a tenth sooner.

        Args:
            in_flight: The task.
            interval: Seconds between two visits.
            slack: The most seconds that a visit may then wait for a place.
        """
        self._schedule(in_flight, interval, interval, slack)

    def remove(self, in_flight: InFlightTask) -> None:
        """Stops visiting the task. Idempotent."""
        self._due.pop(in_flight, None)

    async def run(self) -> None:
        """Makes the visits, until cancelled."""
        async with anyio.create_task_group() as visits:
            while True:
                self._earlier = anyio.Event()
                self._start_due_visits(visits)
                await self._sleep()

    def _schedule(self, in_flight: InFlightTask, delay: float, interval: float, slack: float) -> None:
        due = self._clock.now() + delay * (1 - _JITTER * random.random())  # noqa: S311
        # At random: the visits of tasks that came at once spread over the slack if there are too few places for them.
        self._due[in_flight] = (due, due + slack * random.random(), interval, slack)  # noqa: S311
        if due < self._wakes_at:
            self._wakes_at = due
            self._earlier.set()

    async def _sleep(self) -> None:
        if self._wakes_at == _NEVER:
            await self._earlier.wait()
        else:
            await sleep_until_set(self._earlier, self._wakes_at - self._clock.now(), self._clock)
        if (seconds := self._last_round + _TICK - self._clock.now()) > 0:
            await self._clock.sleep(seconds)

    def _start_due_visits(self, visits: TaskGroup) -> None:
        now = self._clock.now()
        due_now = [(latest, in_flight) for in_flight, (due, latest, _, _) in self._due.items() if due <= now]
        due_now.sort(key=operator.itemgetter(0))
        for number, (latest, in_flight) in enumerate(due_now, self._under_way):
            if number < _CONCURRENT_VISITS or latest <= now:
                _, _, interval, slack = self._due[in_flight]
                self._due[in_flight] = (_NEVER, _NEVER, interval, slack)
                self._last_round = now
                visits.start_soon(self._make_visit, in_flight, interval, slack)
        # Of those that wait for a place, the most urgent one may go at its time, or when a visit has ended.
        times = (latest if due <= now else due for due, latest, _, _ in self._due.values())
        self._wakes_at = min(times, default=_NEVER)

    async def _make_visit(self, in_flight: InFlightTask, interval: float, slack: float) -> None:
        # Before it takes a place: a result that is slow to deliver must not keep other tasks from being visited.
        await in_flight.update_lock.wait_until_free()
        if in_flight not in self._due:
            return
        self._under_way += 1
        try:
            delay = await self._visit(in_flight)
        finally:
            self._under_way -= 1
            self._earlier.set()
        if in_flight not in self._due:
            return
        if delay is None:
            self.add(in_flight, interval, slack)
        else:
            self._schedule(in_flight, delay, interval, 0.0)

"""Visits to each of many tasks, at an interval of its own."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import anyio

from conductor_async.clock import sleep_until_set

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from anyio.abc import TaskGroup

    from conductor_async.clock import Clock
    from conductor_async.worker._circuit_breaker import CircuitBreaker
    from conductor_async.worker._in_flight.tasks import InFlightTask

_JITTER = 0.1
"""The part of an interval by which a visit may come early, at random: tasks that came at once spread out."""

_CONCURRENT_VISITS = 4
"""Requests at once. A host has connections for them beside those for polls and results."""

_RETRY_WHILE_OPEN = 1.0
"""Seconds until the next attempt while the circuit is open."""

_NEVER = float("inf")


class PeriodicVisits:
    """Calls a function for each task that was added, at an interval, until the task is removed.

    Args:
        visit: The function. It returns the seconds until the next visit, or None for the task's usual interval.
        circuit_breaker: While it is open, there are no visits.
        clock: The host's clock.
    """

    __slots__ = ("_circuit_breaker", "_clock", "_due", "_earlier", "_limiter", "_visit", "_wakes_at")

    def __init__(
        self, visit: Callable[[InFlightTask], Awaitable[float | None]], circuit_breaker: CircuitBreaker, clock: Clock
    ) -> None:
        self._visit = visit
        self._circuit_breaker = circuit_breaker
        self._clock = clock
        self._due: dict[InFlightTask, tuple[float, float]] = {}
        self._earlier = anyio.Event()
        self._wakes_at = _NEVER
        self._limiter = anyio.CapacityLimiter(_CONCURRENT_VISITS)

    def __contains__(self, in_flight: object) -> bool:
        return in_flight in self._due

    def add(self, in_flight: InFlightTask, interval: float) -> None:
        """Visits the task from now on, for the first time when the interval has passed, or up to a tenth sooner."""
        self._schedule(in_flight, interval, interval)

    def remove(self, in_flight: InFlightTask) -> None:
        """Stops visiting the task. Idempotent."""
        self._due.pop(in_flight, None)

    async def run(self) -> None:
        """Makes the visits, until cancelled."""
        async with anyio.create_task_group() as visits:
            while True:
                self._start_due_visits(visits)
                self._wakes_at = min((due for due, _ in self._due.values()), default=_NEVER)
                await self._sleep()
                if self._earlier.is_set():
                    self._earlier = anyio.Event()

    def _schedule(self, in_flight: InFlightTask, delay: float, interval: float) -> None:
        due = self._clock.now() + delay * (1 - _JITTER * random.random())  # noqa: S311
        self._due[in_flight] = (due, interval)
        if due < self._wakes_at:
            self._wakes_at = due
            self._earlier.set()

    async def _sleep(self) -> None:
        if self._wakes_at == _NEVER:
            await self._earlier.wait()
        else:
            await sleep_until_set(self._earlier, self._wakes_at - self._clock.now(), self._clock)

    def _start_due_visits(self, visits: TaskGroup) -> None:
        now = self._clock.now()
        for in_flight, (due, interval) in tuple(self._due.items()):
            if due <= now:
                self._due[in_flight] = (_NEVER, interval)
                visits.start_soon(self._make_visit, in_flight, interval)

    async def _make_visit(self, in_flight: InFlightTask, interval: float) -> None:
        # Before the limiter: a result that is slow to deliver must not keep other tasks from being visited.
        await in_flight.update_lock.wait_until_free()
        delay: float | None = None
        async with self._limiter:
            if self._circuit_breaker.is_open:
                delay = _RETRY_WHILE_OPEN
            elif in_flight in self._due:
                delay = await self._visit(in_flight)
        if in_flight in self._due:
            self._schedule(in_flight, interval if delay is None else delay, interval)

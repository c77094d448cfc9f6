"""Extends leases: while a task runs for long, the server learns that its worker is alive."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from conductor_async.errors import ConductorError, NotFoundError
from conductor_async.resources._worker_api import lease_extension
from conductor_async.worker._in_flight.periodic_visits import RETRY_WHILE_OPEN, PeriodicVisits
from conductor_async.worker._switch_interval import short_switch_interval
from conductor_async.worker.events import LeaseExpired, LeaseExtended, LeaseExtensionFailed, LeaseLost

if TYPE_CHECKING:
    from conductor_async.clock import Clock
    from conductor_async.resources._worker_api import WorkerApi
    from conductor_async.worker._circuit_breaker import CircuitBreaker
    from conductor_async.worker._in_flight.tasks import InFlightTask
    from conductor_async.worker._listeners import Listeners

logger = logging.getLogger("conductor_async")

_PART = 1 / 3
"""The part of the response timeout after which the lease is extended."""

_SLACK = 1 / 6
"""The part of it that an extension may then wait for others: it is sent before half of the response timeout is over."""

_SHORTEST_TIMEOUT = 2.0
_LONGEST_TIMEOUT = 10.0
"""Seconds for one request. Within these, it gets half of the time that is left: so there is always time for another."""

_RETRY_PART = 1 / 6
"""The part of the time left after which a failed extension is tried again."""

_SHORTEST_DELAY = 0.25
_LONGEST_DELAY = 30.0


class LeaseExtender:
    """Extends the lease of each task at a third of its response timeout, until the server has the result.

    Args:
        api: Sends the extensions.
        circuit_breaker: While it is open, nothing is sent.
        clock: The host's clock.
        listeners: Receive its events.
    """

    def __init__(self, api: WorkerApi, circuit_breaker: CircuitBreaker, clock: Clock, listeners: Listeners) -> None:
        self._api = api
        self._circuit_breaker = circuit_breaker
        self._clock = clock
        self._listeners = listeners
        self._visits = PeriodicVisits(self._visit, clock)
        self.remove = self._visits.remove

    async def run(self) -> None:
        """Extends leases, until cancelled."""
        with short_switch_interval():
            await self._visits.run()

    def add(self, in_flight: InFlightTask) -> None:
        """Extends the task's lease from now on, if it has a response timeout."""
        if (seconds := in_flight.task.response_timeout_seconds) > 0:
            in_flight.context.lease_until = self._clock.now() + seconds
            self._visits.add(in_flight, seconds * _PART, seconds * _SLACK)

    async def _visit(self, in_flight: InFlightTask) -> float | None:
        """Extends the lease. Returns the seconds until the next try, or None for the usual interval."""
        now = self._clock.now()
        time_left = (in_flight.context.lease_until or now) - now
        if time_left <= 0 and not in_flight.has_expired:
            self._expired(in_flight)
        if self._circuit_breaker.is_open:
            return RETRY_WHILE_OPEN
        try:
            await self._extend(in_flight, min(_LONGEST_TIMEOUT, max(_SHORTEST_TIMEOUT, time_left / 2)))
        except ConductorError as error:
            if isinstance(error, NotFoundError) and error.status == 404:
                self._lost(in_flight, f"the server has no such task any more: {error.message}")
                return None
            # From the time of the request: what it waited for a response counts as delay.
            passed = self._clock.now() - now
            delay = max(_SHORTEST_DELAY, min(_LONGEST_DELAY, time_left * _RETRY_PART) - passed)
            self._failed(in_flight, error, delay)
            return delay
        return None

    async def _extend(self, in_flight: InFlightTask, timeout: float) -> None:
        task = in_flight.task
        async with in_flight.update_lock:
            if in_flight not in self._visits:
                return  # the result was under way, and the server has it
            sent_at = self._clock.now()
            await self._api.update(lease_extension(task, in_flight.worker_id), timeout=timeout)
        # From before the request: the server started the timeout again at some time after that.
        in_flight.context.lease_until = sent_at + task.response_timeout_seconds
        in_flight.has_expired = False
        if self._listeners:
            self._listeners.emit(LeaseExtended(in_flight.worker_id, task))

    def _lost(self, in_flight: InFlightTask, reason: str) -> None:
        self._visits.remove(in_flight)
        logger.warning("The lease of task %s is lost, so its function is cancelled: %s", in_flight.task.task_id, reason)
        if self._listeners:
            self._listeners.emit(LeaseLost(in_flight.worker_id, in_flight.task, reason))
        in_flight.abandon(reason)

    def _expired(self, in_flight: InFlightTask) -> None:
        in_flight.has_expired = True
        task = in_flight.task
        logger.error(
            "The lease of task %s (%s) has expired: the server got no extension for %d s, its response timeout, and may"
            " have given the task to another worker. The function runs on, and is cancelled if the server says so",
            task.task_id,
            task.task_def_name,
            task.response_timeout_seconds,
        )
        if self._listeners:
            self._listeners.emit(LeaseExpired(in_flight.worker_id, task))

    def _failed(self, in_flight: InFlightTask, error: ConductorError, delay: float) -> None:
        logger.warning(
            "The lease of task %s was not extended. The next try is in %.1f s: %s",
            in_flight.task.task_id,
            delay,
            error,
        )
        if self._listeners:
            self._listeners.emit(LeaseExtensionFailed(in_flight.worker_id, in_flight.task, error))

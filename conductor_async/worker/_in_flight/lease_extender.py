"""Extends leases: while a task runs for long, the server learns that its worker is alive."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from conductor_async.errors import ConductorError, NotFoundError
from conductor_async.resources._worker_api import lease_extension
from conductor_async.worker._in_flight.periodic_visits import PeriodicVisits
from conductor_async.worker.events import LeaseExtended, LeaseExtensionFailed, LeaseLost

if TYPE_CHECKING:
    from conductor_async.clock import Clock
    from conductor_async.resources._worker_api import WorkerApi
    from conductor_async.worker._circuit_breaker import CircuitBreaker
    from conductor_async.worker._in_flight.tasks import InFlightTask
    from conductor_async.worker._listeners import Listeners

logger = logging.getLogger("conductor_async")

_PART = 1 / 3
"""The part of the response timeout between two extensions: two may fail before the task is lost."""


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
        self._clock = clock
        self._listeners = listeners
        self._visits = PeriodicVisits(self._extend, circuit_breaker, clock)
        self.run = self._visits.run
        self.remove = self._visits.remove

    def add(self, in_flight: InFlightTask) -> None:
        """Extends the task's lease from now on, if it has a response timeout."""
        if (seconds := in_flight.task.response_timeout_seconds) > 0:
            in_flight.context.lease_until = self._clock.now() + seconds
            self._visits.add(in_flight, seconds * _PART)

    async def _extend(self, in_flight: InFlightTask) -> float | None:
        """Extends the lease once. Returns the seconds until the next try, or None for the usual interval."""
        task = in_flight.task
        sent_at = self._clock.now()
        try:
            async with in_flight.update_lock:
                if in_flight not in self._visits:
                    return None  # the result was under way, and the server has it
                await self._api.update(lease_extension(task, in_flight.worker_id))
        except ConductorError as error:
            if isinstance(error, NotFoundError) and error.status == 404:
                self._lost(in_flight, f"the server has no such task any more: {error.message}")
                return None
            return self._failed(in_flight, error)
        # From before the request: the server started the timeout again at some time after that.
        in_flight.context.lease_until = sent_at + task.response_timeout_seconds
        if self._listeners:
            self._listeners.emit(LeaseExtended(in_flight.worker_id, task))
        return None

    def _lost(self, in_flight: InFlightTask, reason: str) -> None:
        self._visits.remove(in_flight)
        logger.warning("The lease of task %s is lost, so its function is cancelled: %s", in_flight.task.task_id, reason)
        if self._listeners:
            self._listeners.emit(LeaseLost(in_flight.worker_id, in_flight.task, reason))
        in_flight.abandon(reason)

    def _failed(self, in_flight: InFlightTask, error: ConductorError) -> float:
        delay = max(1.0, in_flight.task.response_timeout_seconds * _PART / 4)
        logger.warning(
            "The lease of task %s was not extended. The next try is in %.1f s: %s",
            in_flight.task.task_id,
            delay,
            error,
        )
        if self._listeners:
            self._listeners.emit(LeaseExtensionFailed(in_flight.worker_id, in_flight.task, error))
        return delay

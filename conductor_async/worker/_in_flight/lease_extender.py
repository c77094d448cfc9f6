"""Leases: while a task runs for long, the server is told that its worker is alive."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from conductor_async.errors import ConductorError, EndpointNotAvailableError, NotFoundError
from conductor_async.models import TaskResult, TaskResultStatus
from conductor_async.worker._in_flight.periodic_visits import PeriodicVisits
from conductor_async.worker.events import LeaseExtended, LeaseLost, LeaseNotExtended

if TYPE_CHECKING:
    from conductor_async.clock import Clock
    from conductor_async.resources import TaskClient
    from conductor_async.worker._circuit_breaker import CircuitBreaker
    from conductor_async.worker._in_flight.tasks import InFlightTask
    from conductor_async.worker.events import Listeners

logger = logging.getLogger("conductor_async")

_PART = 1 / 3
"""So much of the response timeout passes from one extension to the next: two may fail before the task is lost."""

_WHEN_IT_IS_BACK = 1.0
"""Seconds until the next look whether there is a server to tell."""


class LeaseExtender:
    """Extends the leases of tasks, each at a third of its response timeout, until the server has the result.

    Args:
        tasks: Where to.
        outage: Knows whether the server can be reached.
        clock: The host's time.
        listeners: Who is told.
    """

    def __init__(self, tasks: TaskClient, outage: CircuitBreaker, clock: Clock, listeners: Listeners) -> None:
        self._outage = outage
        self._tasks = tasks
        self._clock = clock
        self._listeners = listeners
        self._rounds = PeriodicVisits(self._extend, clock)
        self.run = self._rounds.run
        self.release = self._rounds.remove

    def hold(self, held: InFlightTask) -> None:
        """Extends the task's lease from now on, if the server expects a sign of life."""
        if (seconds := held.task.response_timeout_seconds) > 0:
            held.context.lease_until = self._clock.now() + seconds
            self._rounds.add(held, seconds * _PART)

    async def _extend(self, held: InFlightTask) -> float | None:
        """When to try again, in seconds; None: after the usual time."""
        if self._outage.is_on:
            return _WHEN_IT_IS_BACK
        task = held.task
        asked_at = self._clock.now()
        try:
            async with held.way:
                if held not in self._rounds:
                    return None  # the result was under way, and the server has it
                await self._tasks.update_task(_extension(held))
        except EndpointNotAvailableError as error:
            return self._failed(held, error)
        except NotFoundError as error:
            if error.status != 404:
                return self._failed(held, error)
            reason = f"the server has no such task any more: {error.message}"
            self._rounds.remove(held)
            logger.warning("The lease of task %s is lost, and its function is told to end: %s", task.task_id, reason)
            if self._listeners:
                self._listeners.tell(LeaseLost(held.worker_id, task, reason))
            held.abandon(reason)
        except ConductorError as error:
            return self._failed(held, error)
        else:
            held.context.lease_until = asked_at + task.response_timeout_seconds
            if self._listeners:
                self._listeners.tell(LeaseExtended(held.worker_id, task))
        return None

    def _failed(self, held: InFlightTask, error: ConductorError) -> float:
        logger.warning("The lease of task %s was not extended, the next try follows: %s", held.task.task_id, error)
        if self._listeners:
            self._listeners.tell(LeaseNotExtended(held.worker_id, held.task, error))
        return max(1.0, held.task.response_timeout_seconds * _PART / 4)


def _extension(held: InFlightTask) -> TaskResult:
    """What says that the worker is alive."""
    return TaskResult(
        workflow_instance_id=held.task.workflow_instance_id,
        task_id=held.task.task_id,
        worker_id=held.worker_id,
        status=TaskResultStatus.IN_PROGRESS,
        extend_lease=True,
    )

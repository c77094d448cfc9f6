"""Ends functions whose results are no longer wanted.

The server tells nobody that a workflow was terminated, and accepts results of ended tasks without an error. So the host
asks for the state of each task that runs for long.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from conductor_async.errors import ConductorError, EndpointNotAvailableError, NotFoundError
from conductor_async.worker._in_flight.periodic_visits import RETRY_WHILE_OPEN, PeriodicVisits
from conductor_async.worker._results.ownership import is_held
from conductor_async.worker.events import LeaseLost, TaskCancelled

if TYPE_CHECKING:
    from conductor_async.clock import Clock
    from conductor_async.models import Task
    from conductor_async.resources import WorkflowClient
    from conductor_async.resources._worker_api import WorkerApi
    from conductor_async.worker._circuit_breaker import CircuitBreaker
    from conductor_async.worker._in_flight.tasks import InFlightTask
    from conductor_async.worker._listeners import Listeners

logger = logging.getLogger("conductor_async")

_INTERVAL = 8.5
"""Seconds between two visits."""
_SLACK = 0.5
"""Seconds that a visit may wait for others, so that a function knows within ten."""


class CancellationWatcher:
    """Looks at each task in flight every few seconds, and ends its function if the task has ended elsewhere.

    Args:
        api: Fetches the tasks.
        workflows: Fetches the execution, for the reason.
        circuit_breaker: While it is open, nothing is looked at.
        clock: The host's clock.
        listeners: Receive its events.
    """

    def __init__(
        self,
        api: WorkerApi,
        workflows: WorkflowClient,
        circuit_breaker: CircuitBreaker,
        clock: Clock,
        listeners: Listeners,
    ) -> None:
        self._api = api
        self._workflows = workflows
        self._listeners = listeners
        self._circuit_breaker = circuit_breaker
        self._visits = PeriodicVisits(self._check, clock)
        self.run = self._visits.run
        self.remove = self._visits.remove

    def add(self, in_flight: InFlightTask) -> None:
        """Watches the task from now on."""
        self._visits.add(in_flight, _INTERVAL, _SLACK)

    async def _check(self, in_flight: InFlightTask) -> float | None:
        """Looks at the task once. Returns the seconds until the next visit, or None for the usual interval."""
        if self._circuit_breaker.is_open:
            return RETRY_WHILE_OPEN
        try:
            now = await self._api.get_task(in_flight.task.task_id)
        except EndpointNotAvailableError:
            self._visits.remove(in_flight)
        except NotFoundError as error:
            if error.status == 404:
                self._cancel(in_flight, f"the server has no such task any more: {error.message}")
        except ConductorError as error:
            # The next visit is soon enough. Whether the server can be reached is the circuit breaker's business.
            logger.debug("Task %s could not be checked for cancellation: %s", in_flight.task.task_id, error)
        else:
            if now.is_completed():
                self._cancel(in_flight, await self._why_ended(now))
            elif not is_held(now, in_flight.worker_id, in_flight.task.poll_count):
                reason = f"the server has given it to another worker: {now.status}, {now.worker_id}"
                logger.warning(
                    "The lease of task %s is lost, so its function is cancelled: %s", in_flight.task.task_id, reason
                )
                if self._listeners:
                    self._listeners.emit(LeaseLost(in_flight.worker_id, in_flight.task, reason))
                self._abandon(in_flight, reason)
        return None

    async def _why_ended(self, task: Task) -> str:
        """Returns the reason, such as `the task is CANCELED: the workflow is TERMINATED: by an operator`."""
        why = f"the task is {task.status}"
        if task.reason_for_incompletion:
            return f"{why}: {task.reason_for_incompletion}"
        try:
            workflow = await self._workflows.get_workflow(task.workflow_instance_id, include_tasks=False)
        except ConductorError:
            return why
        reason = f": {workflow.reason_for_incompletion}" if workflow.reason_for_incompletion else ""
        return f"{why}: the workflow is {workflow.status}{reason}"

    def _cancel(self, in_flight: InFlightTask, reason: str) -> None:
        logger.info("The function of task %s is cancelled: %s", in_flight.task.task_id, reason)
        if self._listeners:
            self._listeners.emit(TaskCancelled(in_flight.worker_id, in_flight.task, reason))
        self._abandon(in_flight, reason)

    def _abandon(self, in_flight: InFlightTask, reason: str) -> None:
        self._visits.remove(in_flight)
        in_flight.abandon(reason)

"""Watching tasks that run for long: a function whose result nobody wants any more is told to end.

The server tells nobody that a workflow was terminated, and takes the results of tasks that have ended without a word.
So it is asked.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from conductor_async.errors import ConductorError, EndpointNotAvailableError, NotFoundError
from conductor_async.worker._in_flight.periodic_visits import PeriodicVisits
from conductor_async.worker.events import LeaseLost, TaskCancelled

if TYPE_CHECKING:
    from conductor_async.clock import Clock
    from conductor_async.models import Task
    from conductor_async.resources import TaskClient, WorkflowClient
    from conductor_async.worker._circuit_breaker import CircuitBreaker
    from conductor_async.worker._in_flight.tasks import InFlightTask
    from conductor_async.worker.events import Listeners

logger = logging.getLogger("conductor_async")

_EVERY = 9.0
"""Seconds from one look to the next, so that a function knows within ten of them."""

_WHEN_IT_IS_BACK = 1.0
"""Seconds until the next look whether there is a server to ask."""


class CancellationWatcher:
    """Looks at each task in hand every nine seconds.

    Args:
        tasks: Where to look.
        workflows: Where to look for the reason.
        outage: Knows whether the server can be reached.
        clock: The host's time.
        listeners: Who is told.
    """

    def __init__(
        self, tasks: TaskClient, workflows: WorkflowClient, outage: CircuitBreaker, clock: Clock, listeners: Listeners
    ) -> None:
        self._outage = outage
        self._tasks = tasks
        self._workflows = workflows
        self._listeners = listeners
        self._rounds = PeriodicVisits(self._look, clock)
        self.run = self._rounds.run
        self.release = self._rounds.remove

    def hold(self, held: InFlightTask) -> None:
        """Watches it from now on."""
        self._rounds.add(held, _EVERY)

    async def _look(self, held: InFlightTask) -> float | None:
        """When to look again, in seconds; None: after the usual time."""
        if self._outage.is_on:
            return _WHEN_IT_IS_BACK
        try:
            now = await self._tasks._get_task(held.task.task_id)
        except EndpointNotAvailableError:
            self._rounds.remove(held)
        except NotFoundError as error:
            if error.status == 404:
                self._end(held, f"the server has no such task any more: {error.message}")
        except ConductorError as error:
            # The next look is soon enough: whether the server is there is for others to find out.
            logger.debug("Task %s cannot be looked at: %s", held.task.task_id, error)
        else:
            if now.is_completed():
                self._end(held, await self._why(now))
            elif now.worker_id != held.worker_id or now.poll_count > held.task.poll_count or now.status == "SCHEDULED":
                self._lost(held, f"the server has given it to another worker: {now.status}, {now.worker_id}")
        return None

    async def _why(self, task: Task) -> str:
        """`the task is CANCELED: the workflow is TERMINATED: not wanted any more`."""
        why = f"the task is {task.status}"
        if task.reason_for_incompletion:
            return f"{why}: {task.reason_for_incompletion}"
        try:
            workflow = await self._workflows.get_workflow(task.workflow_instance_id, include_tasks=False)
        except ConductorError:
            return why
        reason = f": {workflow.reason_for_incompletion}" if workflow.reason_for_incompletion else ""
        return f"{why}: the workflow is {workflow.status}{reason}"

    def _end(self, held: InFlightTask, reason: str) -> None:
        logger.info("Task %s is told to end: %s", held.task.task_id, reason)
        if self._listeners:
            self._listeners.tell(TaskCancelled(held.worker_id, held.task, reason))
        self._disown(held, reason)

    def _lost(self, held: InFlightTask, reason: str) -> None:
        logger.warning("Task %s is told to end, because its lease is lost: %s", held.task.task_id, reason)
        if self._listeners:
            self._listeners.tell(LeaseLost(held.worker_id, held.task, reason))
        self._disown(held, reason)

    def _disown(self, held: InFlightTask, reason: str) -> None:
        self._rounds.remove(held)
        held.abandon(reason)

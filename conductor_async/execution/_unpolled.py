"""Warns of executions that take long: where they stand, and the worker that somebody forgot to start."""

from __future__ import annotations

import logging
import math
import time
from typing import TYPE_CHECKING, NamedTuple

import anyio

from conductor_async.errors import ConductorError
from conductor_async.execution._progress import describe_progress, due, open_tasks
from conductor_async.models import TaskStatus, TaskType, WorkflowStatus
from conductor_async.resources._task_references import without_iteration

if TYPE_CHECKING:
    from conductor_async.models import Task, Workflow
    from conductor_async.resources import TaskClient, WorkflowClient

logger = logging.getLogger("conductor_async")

_RUN_BY_SERVER = frozenset(TaskType) - {TaskType.SIMPLE, TaskType.USER_DEFINED}


class _Queue(NamedTuple):
    """What a worker polls: a task type, in a domain or in none."""

    task_type: str
    domain: str | None

    def __str__(self) -> str:
        return f"{self.task_type!r} in domain {self.domain!r}" if self.domain else repr(self.task_type)


class UnpolledTaskTypes:
    """Finds out why executions make no progress: task types that nobody polls for, and decisions that the server owes.

    Args:
        workflow_client: Fetches executions.
        task_client: Fetches when workers polled last.
        grace: Seconds that a task must have waited without a poll for its type.
        check_interval: Least seconds between two checks, of all waits together.
    """

    def __init__(
        self,
        workflow_client: WorkflowClient,
        task_client: TaskClient,
        *,
        grace: float = 10.0,
        check_interval: float = 1.0,
    ) -> None:
        self.grace: float = grace
        self._check_interval = check_interval
        self._workflow_client = workflow_client
        self._task_client = task_client
        self._logged: set[_Queue] = set()
        self._logged_places: set[tuple[object, ...]] = set()
        self._unpolled: dict[str, list[_Queue]] = {}
        self._next_check = -math.inf

    def __len__(self) -> int:
        """Returns how many executions are known to wait for unpolled task types."""
        return len(self._unpolled)

    async def check(self, workflow_id: str, started_at: float | None) -> bool:
        """Checks the tasks of an execution, and logs the types that nobody polls for.

        Args:
            workflow_id: The execution.
            started_at: When this client started it, in epoch seconds.

        Returns:
            False if there was no check, because the last one was too recent.
        """
        now = anyio.current_time()
        if now < self._next_check:
            return False
        self._next_check = now + self._check_interval
        try:
            execution = await self._workflow_client.get_workflow(workflow_id)
            if is_undecided(execution):
                logger.warning(
                    "All tasks of workflow %r (id %s) have ended, but the server has not decided what follows."
                    " It is asked to",
                    execution.workflow_name,
                    workflow_id,
                )
                await self._workflow_client.decide(workflow_id)
                return True
            now_there = server_time(execution, started_at)
            unpolled = {
                queue: task for queue, task in _waiting(execution) if await self._is_unpolled(queue, task, now_there)
            }
        except ConductorError as error:
            logger.debug("Could not check who polls for the tasks of workflow %s: %s", workflow_id, error)
            return True
        self._unpolled.pop(workflow_id, None)
        if unpolled:
            self._unpolled[workflow_id] = list(unpolled)
        for queue, task in unpolled.items():
            self._log(queue, task, execution)
        self._log_progress(execution, now_there)
        return True

    def pop_hint(self, workflow_id: str) -> str:
        """Returns what the last check of an execution found, as a sentence for an error, and forgets it."""
        queues = self._unpolled.pop(workflow_id, [])
        if not queues:
            return ""
        types = " and ".join(map(str, queues))
        return f" Nobody polls for tasks of type {types}: is a worker running, and connected to this server?"

    async def _is_unpolled(self, queue: _Queue, task: Task, server_time: float) -> bool:
        polls = await self._task_client.get_task_poll_data(queue.task_type)
        last_poll = max((poll.last_poll_time for poll in polls if (poll.domain or None) == queue.domain), default=0)
        return server_time - max(due(task), last_poll) >= self.grace * 1000

    def _log(self, queue: _Queue, task: Task, execution: Workflow) -> None:
        if queue in self._logged:
            return
        self._logged.add(queue)
        logger.warning(
            "Nobody polls for tasks of type %s: task %r of workflow %r (id %s) is waiting for a worker."
            " Is one running, and connected to this server?",
            queue,
            task.reference_task_name,
            execution.workflow_name,
            execution.workflow_id,
        )

    def _log_progress(self, execution: Workflow, now_there: float) -> None:
        """Says where an execution stands: once for each place where executions of a workflow can stand."""
        if execution.is_completed():
            return
        tasks = open_tasks(execution)
        place = (
            execution.workflow_name,
            *((without_iteration(each.reference_task_name), each.status) for each in tasks),
        )
        if place in self._logged_places:
            return
        self._logged_places.add(place)
        logger.warning(
            "Still waiting for workflow %r (id %s). %s",
            execution.workflow_name,
            execution.workflow_id,
            describe_progress(execution, now_there),
        )


def is_undecided(execution: Workflow) -> bool:
    """Returns whether the execution goes on although all of its tasks have ended.

    The server has stored a result and not decided what follows, because another thread or server held the lock, or
    because it was killed between the two. It comes back to the execution by itself only after a minute or more.
    """
    return (
        execution.status == WorkflowStatus.RUNNING
        and bool(execution.tasks)
        and all(task.is_completed() for task in execution.tasks)
    )


def _waiting(execution: Workflow) -> list[tuple[_Queue, Task]]:
    """Returns the tasks that wait for a worker: for each queue the one that was due first."""
    tasks = [
        task for task in execution.tasks if task.status == TaskStatus.SCHEDULED and task.task_type not in _RUN_BY_SERVER
    ]
    tasks.sort(key=due, reverse=True)
    return list({_Queue(task.task_type, task.domain or None): task for task in tasks}.items())


def server_time(execution: Workflow, started_at: float | None) -> float:
    """Returns the time on the server's clock, in epoch milliseconds: the clock of all times in executions.

    The start of the execution is known on both clocks, if this client made it; their difference is corrected then.
    """
    now = time.time() * 1000
    if started_at is None or not execution.start_time:
        return now
    return now - started_at * 1000 + execution.start_time

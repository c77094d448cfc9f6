"""Waiting for executions to end: when to look, and what to make of a server that does not answer.

There is no endpoint that waits for an execution that runs already, so a wait is a row of looks: soon at first, because
many workflows end at once, then ever more seldom. All waits of an executor share one `ExecutionWaiter`, which
bounds how many
look at the same time: ten thousand waits cost sleeping coroutines, not connections.
"""

from __future__ import annotations

import logging
import math
import random
import re
import time
from typing import TYPE_CHECKING

import anyio

from conductor_async.errors import (
    ConductorError,
    RateLimitedError,
    ServerError,
    TransportError,
    WaitTimeoutError,
)
from conductor_async.execution.events import TransitionTracker
from conductor_async.models import TaskStatus, TaskType

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Collection

    from conductor_async.execution.events import WorkflowEvent
    from conductor_async.models import Task, Workflow, WorkflowRun
    from conductor_async.resources import TaskClient, WorkflowClient

__all__ = ["ExecutionWaiter", "delay_after", "delay_in_outage", "ended_task"]

logger = logging.getLogger("conductor_async")

LOOKS_AT_ONCE = 32
_FIRST_DELAYS = (0.005, 0.01, 0.02, 0.04)
_LONGEST_DELAY = 5.0
_LOOKS_PER_SECOND = 2000
_OUTAGE_NOTED_EVERY = 60.0

# -- when ----------------------------------------------------------------------------------------------


def delay_after(looks: int, waited: float, waits: int = 1) -> float:
    """Seconds until the next look: 5, 10, 20, 40 ms, then 40 ms, then a tenth of the time waited so far, at most 5 s.

    Many waits at once look less often, so that all together make no more than 2,000 looks a second: that is half a core
    for the client, and each of 10,000 waits still looks every 5 s.

    Args:
        looks: How often was looked already.
        waited: Seconds since the wait began.
        waits: How many waits there are.
    """
    share = waits / _LOOKS_PER_SECOND
    if looks < len(_FIRST_DELAYS):
        return max(share, _FIRST_DELAYS[looks])
    return max(share, min(max(_FIRST_DELAYS[-1], waited / 10), _LONGEST_DELAY))


def delay_in_outage(failures: int, error: ConductorError) -> float:
    """Seconds until the next look at a server that has failed so often in a row, and last with `error`."""
    delay = min(0.25 * 2.0 ** min(failures, 10), _LONGEST_DELAY)
    if isinstance(error, RateLimitedError | ServerError) and error.retry_after is not None:
        return max(delay, min(error.retry_after, 60.0))
    return delay


def _jittered(delay: float) -> float:
    return delay * random.uniform(0.9, 1.0)  # noqa: S311 - spreads load, protects nothing


# -- what for ------------------------------------------------------------------------------------------


def ended_task(execution: Workflow | WorkflowRun, references: Collection[str]) -> Task | None:
    """The first task of these reference names whose last attempt has ended; any iteration counts for a plain name."""
    for task in execution.tasks:
        if task.is_completed() and not task.retried:
            name = task.reference_task_name
            if name in references or re.sub(r"(__\d+)+$", "", name) in references:
                return task
    return None


# -- waiting -------------------------------------------------------------------------------------------


class ExecutionWaiter:
    """What all waits of one executor share.

    Args:
        workflow: Looks at executions. It should not repeat failed requests: a wait looks again anyway.
        task: Looks at who polls.
    """

    def __init__(self, workflow: WorkflowClient, task: TaskClient) -> None:
        self._workflow = workflow
        self._looking = 0
        self._unpolled = UnpolledTypes(workflow, task)
        self._waits = 0
        self._outage_noted = -math.inf

    async def until_over(
        self,
        workflow_id: str,
        references: Collection[str] = (),
        *,
        timeout: float | None = None,
        started_at: float | None = None,
    ) -> Workflow:
        """The execution with its tasks, as soon as it has ended or one of the named tasks has.

        A server that cannot be reached, fails or asks for patience does not end the wait.

        Args:
            workflow_id: The execution.
            references: Reference names of tasks.
            timeout: Seconds; None waits for ever.
            started_at: When this client started the execution, in epoch seconds.

        Raises:
            WaitTimeoutError: The time was up; the execution goes on.
            NotFoundError: There is no such execution (any more).
        """
        self._waits += 1
        try:
            if timeout is None:
                return await self._until_over(workflow_id, references, started_at)
            with anyio.move_on_after(timeout):
                return await self._until_over(workflow_id, references, started_at)
        finally:
            self._waits -= 1
            unpolled = self._unpolled.take(workflow_id)
        raise WaitTimeoutError(
            f"Workflow {workflow_id} was not over in time. It goes on:"
            f" executor.handle({workflow_id!r}) can wait for it again.{_nobody_polls(unpolled)}",
            workflow_id=workflow_id,
        )

    async def events(self, workflow_id: str) -> AsyncGenerator[WorkflowEvent, None]:
        """What happens in the execution, until it has ended. Looks soon again after a change, then ever more seldom.

        A server that cannot be reached, fails or asks for patience does not end it.

        Raises:
            NotFoundError: There is no such execution (any more).
        """
        seen = TransitionTracker()
        looks = failures = 0
        changed = anyio.current_time()
        delay = 0.0
        self._waits += 1
        try:  # no cancel scope and no task group around the yield: the caller's code runs there
            while True:
                await anyio.sleep(_jittered(delay))
                if self._looking >= LOOKS_AT_ONCE:
                    delay = delay_after(2, 0, self._waits)
                    continue
                try:
                    execution = await self._look_at_all(workflow_id)
                except (TransportError, ServerError, RateLimitedError) as error:
                    delay = delay_in_outage(failures, error)
                    failures += 1
                    self._note_outage(workflow_id, error)
                    continue
                except ConductorError as error:
                    error.add_note(f"This ended the events of workflow {workflow_id}, not the workflow.")
                    raise
                failures = 0
                news = seen.transitions(execution)
                if news:
                    looks, changed = 0, anyio.current_time()
                for event in news:
                    yield event
                if execution.is_completed():
                    return
                delay = delay_after(looks, anyio.current_time() - changed, self._waits)
                looks += 1
        finally:
            self._waits -= 1

    async def _until_over(self, workflow_id: str, references: Collection[str], started_at: float | None) -> Workflow:
        begun = anyio.current_time()
        looks = failures = 0
        next_check = UnpolledTypes.PATIENCE
        delay = delay_after(0, 0, self._waits)
        while True:
            await anyio.sleep(_jittered(delay))
            if self._looking >= LOOKS_AT_ONCE:
                # Sleeps on instead of standing in line: a place in a queue would take more memory than all else.
                delay = delay_after(2, 0, self._waits)
                continue
            looks += 1
            try:
                execution = await self._look(workflow_id, references)
            except (TransportError, ServerError, RateLimitedError) as error:
                delay = delay_in_outage(failures, error)
                failures += 1
                self._note_outage(workflow_id, error)
                continue
            except ConductorError as error:
                error.add_note(f"This ended the wait for workflow {workflow_id}, not the workflow.")
                raise
            if execution is not None:
                return execution
            failures = 0
            waited = anyio.current_time() - begun
            delay = delay_after(looks, waited, self._waits)
            if waited >= next_check and await self._unpolled.name_them(workflow_id, started_at):
                next_check = waited + min(waited, 60.0)

    async def _look(self, workflow_id: str, references: Collection[str]) -> Workflow | None:
        """The execution if the wait is over."""
        self._looking += 1
        try:
            if references:
                execution = await self._workflow.get_workflow(workflow_id)
                return execution if execution.is_completed() or ended_task(execution, references) else None
            # The status costs the server and us a fraction of the whole execution.
            state = await self._workflow.get_workflow_status(workflow_id)
            return await self._workflow.get_workflow(workflow_id) if state.is_completed() else None
        finally:
            self._looking -= 1

    async def _look_at_all(self, workflow_id: str) -> Workflow:
        self._looking += 1
        try:
            return await self._workflow.get_workflow(workflow_id)
        finally:
            self._looking -= 1

    def _note_outage(self, workflow_id: str, error: ConductorError) -> None:
        now = anyio.current_time()
        if now - self._outage_noted >= _OUTAGE_NOTED_EVERY:
            self._outage_noted = now
            logger.warning(
                "The server does not answer; the wait for workflow %s (and others) goes on: %s", workflow_id, error
            )


class UnpolledTypes:
    """Says by name which task types executions wait for though nobody polls them: the worker that was not started."""

    PATIENCE = 10.0
    _BETWEEN_CHECKS = 1.0
    _RUN_BY_SERVER = frozenset(TaskType) - {TaskType.SIMPLE, TaskType.USER_DEFINED}

    def __init__(self, workflow: WorkflowClient, task: TaskClient) -> None:
        self._workflow = workflow
        self._task = task
        self._named: set[tuple[str, str | None]] = set()
        self._of: dict[str, list[str]] = {}
        self._next_check = -math.inf

    async def name_them(self, workflow_id: str, started_at: float | None) -> bool:
        """Whether the check could be made now; checks of many waits are spread."""
        now = anyio.current_time()
        if now < self._next_check:
            return False
        self._next_check = now + self._BETWEEN_CHECKS
        try:
            execution = await self._workflow.get_workflow(workflow_id)
            clock = _server_clock(execution, started_at)
            unpolled = {kind: task for kind, task in self._waiting(execution) if await self._is_unpolled(task, clock)}
        except ConductorError as error:
            logger.debug("Could not look who polls for the tasks of workflow %s: %s", workflow_id, error)
            return True
        self._of.pop(workflow_id, None)
        if unpolled:
            self._of[workflow_id] = [_named(*kind) for kind in unpolled]
        for kind, task in unpolled.items():
            self._warn(kind, task, execution)
        return True

    def take(self, workflow_id: str) -> list[str]:
        """The types that nobody polled for when this execution was checked last. Its wait is over."""
        return self._of.pop(workflow_id, [])

    def _waiting(self, execution: Workflow) -> list[tuple[tuple[str, str | None], Task]]:
        """The tasks that a worker has to take: of each type and domain the one that was due first."""
        tasks = [
            task
            for task in execution.tasks
            if task.status == TaskStatus.SCHEDULED and task.task_type not in self._RUN_BY_SERVER
        ]
        tasks.sort(key=_due, reverse=True)
        return list({(task.task_type, task.domain): task for task in tasks}.items())

    async def _is_unpolled(self, task: Task, clock: float) -> bool:
        since = max(_due(task), await self._last_poll(task.task_type, task.domain))
        return clock - since >= self.PATIENCE * 1000

    def _warn(self, kind: tuple[str, str | None], task: Task, execution: Workflow) -> None:
        if kind in self._named:
            return
        self._named.add(kind)
        logger.warning(
            "Nobody polls for tasks of type %s: task %r of workflow %r (id %s) waits for a worker."
            " Does one run, against this server?",
            _named(*kind),
            task.reference_task_name,
            execution.workflow_name,
            execution.workflow_id,
        )

    async def _last_poll(self, task_type: str, domain: str | None) -> int:
        polls = await self._task.get_task_poll_data(task_type)
        return max((poll.last_poll_time for poll in polls if (poll.domain or None) == (domain or None)), default=0)


def _due(task: Task) -> int:
    """When a worker could take it first, in epoch milliseconds."""
    return task.scheduled_time + task.start_delay_in_seconds * 1000


def _named(task_type: str, domain: str | None) -> str:
    return f"{task_type!r} in domain {domain!r}" if domain else repr(task_type)


def _nobody_polls(task_types: list[str]) -> str:
    if not task_types:
        return ""
    return f" Nobody polls for tasks of type {' and '.join(task_types)}: does a worker run, against this server?"


def _server_clock(execution: Workflow, started_at: float | None) -> float:
    """Now, by the server's clock, in epoch milliseconds; all times in executions are by that clock."""
    now = time.time() * 1000
    if started_at is None or not execution.start_time:
        return now
    return now - started_at * 1000 + execution.start_time

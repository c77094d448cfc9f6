"""Waiting for executions to end.

No endpoint waits for an execution that is already running, so a wait is a series of polls: frequent at first, because
many workflows end at once, then less and less. All waits of an executor share one `ExecutionWaiter`, which limits the
polls in progress: ten thousand waits cost sleeping coroutines, not connections.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Literal, TypeVar

import anyio

from conductor_async.errors import (
    ConductorError,
    RateLimitedError,
    ServerError,
    TransportError,
    WaitTimeoutError,
    WorkflowError,
)
from conductor_async.execution._poll_schedule import PollSchedule, delay_before_poll
from conductor_async.execution._progress import describe_progress
from conductor_async.execution._transitions import TransitionTracker
from conductor_async.execution._unpolled import server_time
from conductor_async.models import WorkflowRun
from conductor_async.resources._task_references import check_references, without_iteration

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence

    from conductor_async.execution._unpolled import UnpolledTaskTypes
    from conductor_async.execution.events import WorkflowEvent
    from conductor_async.models import Task, Workflow
    from conductor_async.resources import WorkflowClient

T = TypeVar("T")

logger = logging.getLogger("conductor_async")

MAX_CONCURRENT_POLLS = 32
_OUTAGE_LOG_INTERVAL = 60.0
_PROGRESS_TIMEOUT = 1.0


class ExecutionWaiter:
    """Waits for executions. One for all waits of an executor.

    Args:
        workflow_client: Polls the executions. It should not retry failed requests: the next poll does.
        unpolled: Finds out why an execution makes no progress.

    Attributes:
        waits: How many waits there are.
        polls_in_progress: How many of them are polling now.
    """

    def __init__(self, workflow_client: WorkflowClient, unpolled: UnpolledTaskTypes) -> None:
        self.waits: int = 0
        self.polls_in_progress: int = 0
        self._workflow_client = workflow_client
        self._unpolled = unpolled
        self._outage_logged_at = -math.inf

    async def wait_until_ended(
        self,
        workflow_id: str,
        references: Collection[str] = (),
        *,
        timeout: float | None = None,
        started_at: float | None = None,
    ) -> WorkflowRun:
        """Returns the run with its tasks as soon as it has ended, or one of the named tasks has.

        The wait goes on if the server cannot be reached, fails, or limits the rate.

        Args:
            workflow_id: The execution.
            references: Reference names of tasks.
            timeout: Seconds; None waits for ever.
            started_at: When this client started the execution, in epoch seconds.

        Raises:
            WaitTimeoutError: The time is up; the execution goes on.
            NotFoundError: There is no such execution (any more).
        """
        self.waits += 1
        try:
            if timeout is None:
                return await self._poll_until_ended(workflow_id, references, started_at)
            with anyio.move_on_after(timeout):
                return await self._poll_until_ended(workflow_id, references, started_at)
        except BaseException as error:
            if not isinstance(error, Exception):  # cancelled, by Ctrl-C for example
                again = f"executor.handle({workflow_id!r}) can wait for it again"
                error.add_note(f"Workflow {workflow_id} goes on: {again}.")
            raise
        finally:
            self.waits -= 1
            hint = self._unpolled.pop_hint(workflow_id)
        standing = await self.progress(workflow_id, started_at)
        raise WaitTimeoutError(
            f"Workflow {workflow_id} did not end in time. It goes on:"
            f" executor.handle({workflow_id!r}) can wait for it again.{standing}{hint}",
            workflow_id=workflow_id,
        )

    async def wait_for_open_task(self, workflow_id: str, task_reference_name: str, *, timeout: float) -> Task:
        """Returns a task as soon as it is SCHEDULED or IN_PROGRESS. In a loop, the plain name finds each iteration.

        Raises:
            ConfigurationError: The execution cannot have such a task.
            WorkflowError: The task, or the execution, has ended.
            WaitTimeoutError: The time is up.
        """
        schedule = PollSchedule(anyio.current_time())

        async def fetch() -> Task | Literal[False]:
            execution = await self._workflow_client.get_workflow(workflow_id)
            check_references(execution, [task_reference_name])
            return _open_task(execution, task_reference_name) or False

        with anyio.move_on_after(timeout):
            while True:
                if task := await self._poll("wait for a task of", workflow_id, schedule, fetch):
                    return task
                schedule.succeeded(anyio.current_time(), self.waits)
                await anyio.sleep(schedule.jittered_delay())
        raise WaitTimeoutError(
            f"Task {task_reference_name!r} of workflow {workflow_id} was not scheduled within {timeout:g} s."
            f"{await self.progress(workflow_id)}",
            workflow_id=workflow_id,
        )

    async def progress(self, workflow_id: str, started_at: float | None = None) -> str:
        """Returns where an execution stands, as sentences for an error; nothing if the server does not tell at once."""
        if self.polls_in_progress >= MAX_CONCURRENT_POLLS:
            return ""
        self.polls_in_progress += 1
        try:
            with anyio.move_on_after(_PROGRESS_TIMEOUT):
                execution = await self._workflow_client.get_workflow(workflow_id)
                return " " + describe_progress(execution, server_time(execution, started_at))
        except ConductorError as error:
            logger.debug("Could not find out where workflow %s stands: %s", workflow_id, error)
        finally:
            self.polls_in_progress -= 1
        return ""

    async def events(self, workflow_id: str) -> AsyncGenerator[WorkflowEvent, None]:
        """Yields what happens in an execution until it has ended: see `WorkflowHandle.events`.

        Polls are frequent again after each change.
        """
        tracker = TransitionTracker()
        schedule = PollSchedule(anyio.current_time())
        self.waits += 1
        try:  # no cancel scope and no task group around the yield: the caller's code runs there
            while True:
                await anyio.sleep(schedule.jittered_delay())
                execution = await self._poll(
                    "events of", workflow_id, schedule, lambda: self._workflow_client.get_workflow(workflow_id)
                )
                if execution is None:
                    continue
                events = tracker.transitions(execution)
                if events:
                    schedule.reset(anyio.current_time())
                for event in events:
                    yield event
                if execution.is_completed():
                    return
                schedule.succeeded(anyio.current_time(), self.waits)
        finally:
            self.waits -= 1

    async def _poll_until_ended(
        self, workflow_id: str, references: Collection[str], started_at: float | None
    ) -> WorkflowRun:
        schedule = PollSchedule(anyio.current_time(), delay_before_poll(0, 0.0, self.waits))
        next_check = self._unpolled.grace
        while True:
            await anyio.sleep(schedule.jittered_delay())
            execution = await self._poll(
                "wait for",
                workflow_id,
                schedule,
                lambda: self._fetch_if_ended(workflow_id, references, is_first=schedule.polls == 1),
            )
            if execution is None:
                continue
            if execution:
                return WorkflowRun.from_workflow(execution)
            waited = schedule.waited(anyio.current_time())
            schedule.succeeded(anyio.current_time(), self.waits)
            if waited >= next_check and await self._unpolled.check(workflow_id, started_at):
                next_check = waited + min(waited, 60.0)

    async def _poll(
        self, what: str, workflow_id: str, schedule: PollSchedule, fetch: Callable[[], Awaitable[T]]
    ) -> T | None:
        """Returns what `fetch` does; None if there was no response: the next poll tries again.

        Raises:
            ConductorError: The server rejected the poll, or the client is closed: the wait is over.
        """
        if self.polls_in_progress >= MAX_CONCURRENT_POLLS:
            # Sleeping again takes less memory than a place in a queue, which for most waits is more than all else.
            schedule.postponed(self.waits)
            return None
        schedule.polls += 1
        self.polls_in_progress += 1
        try:
            return await fetch()
        except (TransportError, ServerError, RateLimitedError) as error:
            schedule.failed(error)
            self._log_outage(what, workflow_id, error)
            return None
        except ConductorError as error:
            error.add_note(f"This ended the {what} workflow {workflow_id}, not the workflow.")
            raise
        finally:
            self.polls_in_progress -= 1

    async def _fetch_if_ended(
        self, workflow_id: str, references: Collection[str], *, is_first: bool
    ) -> Workflow | Literal[False]:
        """Returns the execution if it, or one of the named tasks, has ended. The first poll checks their names."""
        if references:
            execution = await self._workflow_client.get_workflow(workflow_id)
            if is_first:
                check_references(execution, references)
            return execution if execution.is_completed() or ended_task(execution, references) else False
        # The status costs the server and the client a fraction of the whole execution.
        state = await self._workflow_client.get_workflow_status(workflow_id)
        return await self._workflow_client.get_workflow(workflow_id) if state.is_completed() else False

    def _log_outage(self, what: str, workflow_id: str, error: ConductorError) -> None:
        now = anyio.current_time()
        if now - self._outage_logged_at >= _OUTAGE_LOG_INTERVAL:
            self._outage_logged_at = now
            logger.warning(
                "The server does not respond. The %s workflow %s goes on, and so do all other waits: %s",
                what,
                workflow_id,
                error,
            )


def task_references(wait_until_task_ref: str | Sequence[str] | None) -> frozenset[str]:
    """Returns the reference names of tasks to wait for. A string may name several, separated by commas."""
    names = wait_until_task_ref.split(",") if isinstance(wait_until_task_ref, str) else wait_until_task_ref or ()
    return frozenset(stripped for name in names if (stripped := name.strip()))


def ended_task(execution: Workflow | WorkflowRun, references: Collection[str]) -> Task | None:
    """Returns the first task with one of these reference names whose last attempt has ended.

    The plain reference name of a task in a loop matches each of its iterations.
    """
    for task in execution.tasks:
        if task.is_completed() and not task.retried:
            name = task.reference_task_name
            if name in references or without_iteration(name) in references:
                return task
    return None


def _open_task(execution: Workflow, task_reference_name: str) -> Task | None:
    """Returns the task with this reference name that is SCHEDULED or IN_PROGRESS; None if there may be one later.

    Raises:
        WorkflowError: There will be none: the task, or the execution, has ended.
    """
    named = [task for task in execution.tasks if task.reference_task_name == task_reference_name] or [
        task for task in execution.tasks if without_iteration(task.reference_task_name) == task_reference_name
    ]
    for task in reversed(named):
        if not task.is_completed():
            return task
    owner = f"workflow {execution.workflow_name!r} (id {execution.workflow_id})"
    if execution.is_completed():
        raise WorkflowError(
            f"Task {task_reference_name!r} of {owner} is not open: the workflow has ended {execution.status}.",
            execution=execution,
        )
    last = next((task for task in reversed(named) if not task.retried and not task.iteration), None)
    if last is not None and last.is_successful():
        raise WorkflowError(
            f"Task {task_reference_name!r} of {owner} is not open: it has ended {last.status}.", execution=execution
        )
    return None

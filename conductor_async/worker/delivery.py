"""Results on their way to the server: delivered until it has them, or says that nobody wants them any more."""

from __future__ import annotations

import logging
from enum import Enum
from typing import TYPE_CHECKING

import anyio

from conductor_async.errors import (
    APIError,
    AuthenticationError,
    ClientClosedError,
    ConductorError,
    EndpointNotAvailableError,
    NotFoundError,
    PayloadError,
    PermissionDeniedError,
    RateLimitedError,
    WrongEventLoopError,
)
from conductor_async.models import Task, TaskResult, TaskResultStatus
from conductor_async.worker.patience import Patience, Trouble

if TYPE_CHECKING:
    from conductor_async.resources import TaskClient

logger = logging.getLogger("conductor_async")

_SAME_ANSWER = 3
"""So often a result is refused with the same answer before the task is failed instead."""


class Next(Enum):
    """What to do after a delivery failed."""

    AGAIN = "wait and try again"
    COUNT = "the server refused it: try again, but not for ever"
    FAIL = "it cannot be sent: fail the task instead"
    DROP = "there is no such task or execution any more"
    GIVE_UP = "this client can send nothing any more"


def after(error: ConductorError) -> Next:
    """What a failed `POST /tasks` means for the result."""
    if isinstance(error, PayloadError):
        return Next.FAIL
    if isinstance(error, ClientClosedError | WrongEventLoopError):
        return Next.GIVE_UP
    if not isinstance(error, APIError):
        return Next.AGAIN
    if isinstance(error, NotFoundError) and error.status == 404:
        return Next.DROP
    if isinstance(error, AuthenticationError | PermissionDeniedError | RateLimitedError | EndpointNotAvailableError):
        return Next.AGAIN
    if error.retryable or error.status in (408, 502, 503, 504) or error.status < 400:
        return Next.AGAIN
    return Next.COUNT


def lacks_update_v2(error: ConductorError) -> bool:
    """Whether a failed update-v2 says that this server has no such endpoint."""
    return isinstance(error, EndpointNotAvailableError) or (isinstance(error, APIError) and error.status == 405)


class UpdateChoice:
    """Whether to deliver by update-v2, which also brings a next task if there is one: for one task type.

    Where there is one, that saves a poll. Where there is none, the server looks for one for a tenth of a second, and
    the slot waits with it. So it is used while it brings tasks; when it does not any more, every tenth delivery tries.
    """

    __slots__ = ("_since_probe", "rate")

    _WEIGHT = 0.2
    _WORTH_IT = 0.2
    _PROBE_EVERY = 10

    def __init__(self) -> None:
        self.rate = 0.5
        self._since_probe = 0

    def wants_v2(self) -> bool:
        """Whether the next delivery should ask for a task."""
        if self.rate >= self._WORTH_IT:
            return True
        self._since_probe += 1
        if self._since_probe < self._PROBE_EVERY:
            return False
        self._since_probe = 0
        return True

    def brought(self, task: bool) -> None:
        """Whether update-v2 brought one."""
        self.rate += self._WEIGHT * (task - self.rate)

    def backlog(self) -> None:
        """A poll filled all slots, so there is probably more."""
        self.rate = max(self.rate, 0.5)


class Delivery:
    """Delivers the results of all workers of a host. Shielded from cancellation, within `deadline` when the host stops.

    Args:
        tasks: Where to, with requests that are tried once: this knows better what to repeat, and for how long.
        stopping: Set when the host stops: no next task is wanted then.
    """

    def __init__(self, tasks: TaskClient, stopping: anyio.Event) -> None:
        self._tasks = tasks
        self._stopping = stopping
        self._trouble = Trouble("delivering results")
        self._under_way: set[anyio.CancelScope] = set()
        self._deadline = float("inf")
        self.has_v2 = True

    def end_at(self, deadline: float) -> None:
        """What is not delivered by then (on the event loop's clock) is given up."""
        self._deadline = deadline
        for scope in self._under_way:
            scope.deadline = min(scope.deadline, deadline)

    async def deliver(
        self, result: TaskResult, choice: UpdateChoice | None = None, *, within: float = float("inf")
    ) -> Task | None:
        """Delivers a result.

        Args:
            result: What to deliver.
            choice: Take a next task along if this says so. None: never.
            within: Seconds after which it is given up.

        Returns:
            The next task, if the server handed one out along the way.
        """
        deadline = min(self._deadline, anyio.current_time() + within)
        with anyio.CancelScope(shield=True, deadline=deadline) as scope:
            self._under_way.add(scope)
            try:
                if choice is not None and self.has_v2 and not self._stopping.is_set() and choice.wants_v2():
                    return await self._by_v2(result, choice)
                await self._by_v1(result)
                return None
            finally:
                self._under_way.discard(scope)
        _given_up(result, "the host stopped, and the server did not take it in time")
        return None

    async def _by_v2(self, result: TaskResult, choice: UpdateChoice) -> Task | None:
        try:
            task = await self._tasks.update_task_v2(result)
        except ConductorError as error:
            if lacks_update_v2(error):
                self._v2_is_missing()
            elif not isinstance(error, NotFoundError) and after(error) in (Next.AGAIN, Next.COUNT):
                self._trouble.failed(error)
                await self._pause(Patience().after(error))
            # Whatever it was, this result goes by v1: that may be repeated, and hands nothing out that could be lost.
            if await self._by_v1(result) and isinstance(error, NotFoundError):
                self._v2_is_missing()  # v1 knew the task, so what was not found was the endpoint
            return None
        choice.brought(task is not None)
        self._trouble.works()
        return task

    def _v2_is_missing(self) -> None:
        if self.has_v2:
            self.has_v2 = False
            logger.info("This server has no POST /tasks/update-v2: results are delivered by POST /tasks from now on")

    async def _by_v1(self, result: TaskResult) -> bool:
        """Delivers by `POST /tasks`, however long that takes. False: nobody wants the result, or it was given up."""
        patience = Patience()
        refusals = _Refusals()
        failed_instead = False
        while True:
            try:
                await self._tasks.update_task(result)
            except ConductorError as error:
                step = after(error)
                if step is Next.GIVE_UP:
                    _given_up(result, str(error))
                    raise
                if step is Next.DROP:
                    logger.warning(
                        "The result of task %s is dropped, because the server has no such task any more: %s",
                        result.task_id,
                        error,
                    )
                    return False
                if step is Next.COUNT and refusals.seen(error) >= _SAME_ANSWER:
                    step = Next.FAIL
                    if await self._has_ended(result):
                        return True
                if step is Next.FAIL:
                    if failed_instead:
                        _given_up(result, str(error))
                        return False
                    failed_instead = True
                    refusals = _Refusals()
                    result = _failed_because(result, error)
                    continue
                self._trouble.failed(error)
                await self._pause(patience.after(error))
            else:
                self._trouble.works()
                return True

    async def _has_ended(self, result: TaskResult) -> bool:
        """Whether the server has the result although it said no: it does that when what follows the task fails."""
        try:
            return (await self._tasks.get_task(result.task_id)).is_completed()
        except ConductorError:
            return False

    async def _pause(self, seconds: float) -> None:
        if self._stopping.is_set():
            await anyio.sleep(min(seconds, 1.0))  # there is little time left
            return
        with anyio.move_on_after(seconds):
            await self._stopping.wait()


class _Refusals:
    """Counts refusals with the same answer."""

    def __init__(self) -> None:
        self._answer: object = None
        self._count = 0

    def seen(self, error: ConductorError) -> int:
        answer = (error.status, error.message) if isinstance(error, APIError) else str(error)
        self._count = self._count + 1 if answer == self._answer else 1
        self._answer = answer
        return self._count


def _failed_because(result: TaskResult, error: ConductorError) -> TaskResult:
    """The result in place of one that the server cannot have."""
    logger.error("Task %s is failed, because its result cannot be delivered: %s", result.task_id, error)
    failed = TaskResult(
        task_id=result.task_id, workflow_instance_id=result.workflow_instance_id, worker_id=result.worker_id
    )
    failed.status = TaskResultStatus.FAILED_WITH_TERMINAL_ERROR
    failed.reason_for_incompletion = f"The worker's result could not be delivered: {error}"
    return failed


def _given_up(result: TaskResult, why: str) -> None:
    logger.critical(
        "The %s result of task %s (execution %s) is lost: %s. It is handed out again after its response timeout",
        result.status,
        result.task_id,
        result.workflow_instance_id,
        why,
    )

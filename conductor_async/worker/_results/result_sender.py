"""Results on their way to the server: delivered until it has them, or says that nobody wants them any more."""

from __future__ import annotations

import logging
from enum import Enum
from typing import TYPE_CHECKING

import anyio

from conductor_async.clock import sleep_unless
from conductor_async.errors import (
    AmbiguousOutcomeError,
    APIError,
    AuthenticationError,
    ClientClosedError,
    ConductorError,
    ConnectionFailedError,
    EndpointNotAvailableError,
    NotFoundError,
    PayloadError,
    PermissionDeniedError,
    RateLimitedError,
    ResponseDecodeError,
    ServerError,
    TransportError,
    WrongEventLoopError,
)
from conductor_async.models import TaskResultStatus
from conductor_async.worker._backoff import Backoff, FailureLog
from conductor_async.worker.events import ResultDelivered, ResultDropped, ResultFailed, ResultLost

if TYPE_CHECKING:
    from conductor_async.clock import Clock
    from conductor_async.models import Task, TaskResult
    from conductor_async.resources import TaskClient, WorkflowClient
    from conductor_async.worker._circuit_breaker import CircuitBreaker
    from conductor_async.worker._in_flight.tasks import UpdateLock
    from conductor_async.worker._results.encoded_result import EncodedResult, ResultEncoder
    from conductor_async.worker._results.outbox import Outbox
    from conductor_async.worker._results.update_v2_policy import UpdateV2Policy
    from conductor_async.worker.events import Listeners

logger = logging.getLogger("conductor_async")

_SAME_ANSWER = 3
"""So often a result is refused with the same answer before the task is failed instead."""

_SLOW = 10.0
"""Seconds. What took longer to deliver may have come too late: the server does not say."""


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


def may_have_arrived(error: ConductorError) -> bool:
    """Whether the server may have a result although delivering it failed so."""
    lost = isinstance(error, TransportError) and not isinstance(error, ConnectionFailedError)
    return lost or may_have_handed_out(error)


def may_have_handed_out(error: ConductorError) -> bool:
    """Whether a poll or an update-v2 that failed so may have taken a task from the queue."""
    return isinstance(error, AmbiguousOutcomeError | ResponseDecodeError | ServerError) or (
        isinstance(error, APIError) and error.status in (408, 502, 504)
    )


class ResultSender:
    """Delivers the results of all workers of a host. Shielded from cancellation, within `deadline` when the host stops.

    Args:
        tasks: Where to, with requests that are tried once: this knows better what to repeat, and for how long.
        workflow: Has the server go on, with requests that are tried once.
        packing: Makes what is sent.
        outage: Knows whether the server can be reached.
        stopping: Set when the host stops: no next task is wanted then.
        clock: The host's time.
        worker_id: Whose events these are.
        listeners: Who is told.
        outbox: Keeps results until they are delivered, if there is one.
    """

    def __init__(
        self,
        tasks: TaskClient,
        workflow: WorkflowClient,
        packing: ResultEncoder,
        outage: CircuitBreaker,
        *,
        stopping: anyio.Event,
        clock: Clock,
        worker_id: str,
        listeners: Listeners,
        outbox: Outbox | None = None,
    ) -> None:
        self._tasks = tasks
        self._workflow = workflow
        self._packing = packing
        self._outage = outage
        self._stopping = stopping
        self._clock = clock
        self._worker_id = worker_id
        self._listeners = listeners
        self._outbox = outbox
        self._trouble = FailureLog("delivering results")
        self._under_way: set[anyio.CancelScope] = set()
        self._deadline = float("inf")
        self.has_v2 = True

    @property
    def undelivered(self) -> int:
        """How many results are on their way."""
        return len(self._under_way)

    def end_at(self, deadline: float) -> None:
        """What is not delivered by then (on the event loop's clock) is given up."""
        self._deadline = deadline
        for scope in self._under_way:
            scope.deadline = min(scope.deadline, deadline)

    async def deliver(
        self,
        result: TaskResult,
        task_type: str,
        choice: UpdateV2Policy | None = None,
        *,
        within: float = float("inf"),
        way: UpdateLock | None = None,
    ) -> tuple[Task | None, ConductorError | None]:
        """Delivers a result.

        Args:
            result: What to deliver.
            task_type: The task's name.
            choice: Take a next task along if this says so. None: never.
            within: Seconds after which it is given up.
            way: The task's, held while a request is under way (see `InFlightTask`).

        Returns:
            The next task, if the server handed one out along the way; and the error after which it may have handed one
            out that did not arrive.
        """
        deadline = self._deadline
        if within < float("inf"):
            deadline = min(deadline, anyio.current_time() + within)
        parcel: EncodedResult | None = None
        with anyio.CancelScope(shield=True, deadline=deadline) as scope:
            self._under_way.add(scope)
            try:
                parcel = await self._packing.pack(result, task_type)
                parcel.since = self._clock.now()
                parcel.way = way or parcel.way
                if self._outbox is not None and parcel.is_final:
                    await self._outbox.keep(parcel)
                if choice is not None and self.has_v2 and not self._stopping.is_set() and choice.wants_v2():
                    return await self._by_v2(parcel, choice)
                await self._by_v1(parcel)
                return None, None
            finally:
                self._under_way.discard(scope)
        self._lost(parcel, result, task_type, "the host stopped, and the server did not take it in time")
        return None, None

    async def deliver_kept(self, parcel: EncodedResult) -> None:
        """Delivers what the outbox had from an earlier run."""
        with anyio.CancelScope(shield=True, deadline=self._deadline) as scope:
            self._under_way.add(scope)
            try:
                parcel.since = self._clock.now()
                await self._by_v1(parcel, again=True)
            finally:
                self._under_way.discard(scope)

    # -- update-v2 ---------------------------------------------------------------------------------

    async def _by_v2(self, parcel: EncodedResult, choice: UpdateV2Policy) -> tuple[Task | None, ConductorError | None]:
        parcel.tries += 1
        try:
            async with parcel.way:
                task = await self._tasks._update_v2(parcel.content)
        except ConductorError as error:
            self._outage.failed(error)
            if lacks_update_v2(error):
                self._v2_is_missing()
            elif not isinstance(error, NotFoundError) and after(error) in (Next.AGAIN, Next.COUNT):
                self._failed(parcel, error)
                await self._pause(Backoff().after(error))
            # Whatever it was, this result goes by v1: that may be repeated, and hands nothing out that could be lost.
            if await self._by_v1(parcel, again=may_have_arrived(error)) and isinstance(error, NotFoundError):
                self._v2_is_missing()  # v1 knew the task, so what was not found was the endpoint
            return None, error if may_have_handed_out(error) else None
        choice.brought(task is not None)
        self._delivered(parcel)
        return task, None

    def _v2_is_missing(self) -> None:
        if self.has_v2:
            self.has_v2 = False
            logger.info("This server has no POST /tasks/update-v2: results are delivered by POST /tasks from now on")

    # -- POST /tasks -------------------------------------------------------------------------------

    async def _by_v1(self, parcel: EncodedResult, *, again: bool = False) -> bool:
        """Delivers by `POST /tasks`, however long that takes. False: nobody wants the result, or it was given up.

        Args:
            parcel: What to deliver.
            again: The server may have it already.
        """
        patience = Backoff()
        refusals = _Refusals()
        replaced = False
        while True:
            await self._outage.over()
            parcel.tries += 1
            try:
                async with parcel.way:
                    await self._tasks._update(parcel.content)
            except ConductorError as error:
                self._outage.failed(error)
                step = after(error)
                if step is Next.GIVE_UP:
                    self._lost(parcel, parcel.result, parcel.task_type, str(error))
                    raise
                if step is Next.DROP:
                    self._dropped(parcel, error)
                    return False
                if step is Next.COUNT:
                    if await self._has_ended(parcel.result):
                        self._delivered(parcel)
                        return True
                    if refusals.seen(error) >= _SAME_ANSWER:
                        step = Next.FAIL
                if step is Next.FAIL:
                    if replaced:
                        self._lost(parcel, parcel.result, parcel.task_type, str(error))
                        return False
                    replaced = True
                    refusals = _Refusals()
                    parcel.replace(f"The worker's result could not be delivered: {error}")
                    continue
                again = again or may_have_arrived(error)
                self._failed(parcel, error)
                await self._pause(patience.after(error))
            else:
                if again and parcel.is_final:
                    await self._go_on(parcel)
                if self._clock.now() - parcel.since > _SLOW:
                    await self._verify(parcel)
                self._delivered(parcel)
                return True

    async def _go_on(self, parcel: EncodedResult) -> None:
        """Has the server go on with the execution.

        If it died when it had stored a result and not yet decided what follows, it takes the same result again without
        a word, and without deciding: the execution would stand still for up to the response timeout.
        """
        try:
            await self._workflow.decide(parcel.result.workflow_instance_id)
        except ConductorError as error:
            logger.debug("Execution %s was not decided: %s", parcel.result.workflow_instance_id, error)

    async def _has_ended(self, result: TaskResult) -> bool:
        """Whether the server has the result although it said no: it does that when what follows the task fails."""
        if result.status == TaskResultStatus.IN_PROGRESS:
            return False
        try:
            return (await self._tasks._get_task(result.task_id)).is_completed()
        except ConductorError:
            return False

    async def _verify(self, parcel: EncodedResult) -> None:
        """Says so if a result came too late: the server takes it without a word, and ignores it."""
        if not parcel.is_final:
            return
        try:
            task = await self._tasks._get_task(parcel.result.task_id)
        except ConductorError:
            return
        if task.status != parcel.result.status:
            logger.warning(
                "The %s result of task %s came too late, after %.0f s: the task is %s. Other attempts go on without it",
                parcel.result.status,
                task.task_id,
                self._clock.now() - parcel.since,
                task.status,
            )

    async def _pause(self, seconds: float) -> None:
        if self._stopping.is_set():
            await self._clock.sleep(min(seconds, 1.0))  # there is little time left
        else:
            await sleep_unless(self._stopping, seconds, self._clock)

    # -- what became of it -------------------------------------------------------------------------

    def _delivered(self, parcel: EncodedResult) -> None:
        self._outage.works()
        self._trouble.works()
        if self._outbox is not None:
            self._outbox.done(parcel)
        if self._listeners:
            seconds = self._clock.now() - parcel.since
            self._listeners.tell(
                ResultDelivered(
                    self._worker_id, parcel.task_type, parcel.result, seconds, len(parcel.content), parcel.tries
                )
            )

    def _failed(self, parcel: EncodedResult, error: ConductorError) -> None:
        self._trouble.failed(error)
        if self._listeners:
            self._listeners.tell(ResultFailed(self._worker_id, parcel.task_type, parcel.result, error, parcel.tries))

    def _dropped(self, parcel: EncodedResult, error: ConductorError) -> None:
        logger.warning(
            "The result of task %s is dropped, because the server has no such task any more: %s",
            parcel.result.task_id,
            error,
        )
        if self._outbox is not None:
            self._outbox.done(parcel)
        if self._listeners:
            self._listeners.tell(ResultDropped(self._worker_id, parcel.task_type, parcel.result, error))

    def _lost(self, parcel: EncodedResult | None, result: TaskResult, task_type: str, why: str) -> None:
        kept = parcel is not None and parcel.row is not None
        logger.critical(
            "The %s result of task %s (execution %s) %s: %s. %s",
            result.status,
            result.task_id,
            result.workflow_instance_id,
            "is not delivered" if kept else "is lost",
            why,
            "The outbox has it, for the next start" if kept else "It is handed out again after its response timeout",
        )
        if self._listeners:
            self._listeners.tell(ResultLost(self._worker_id, task_type, result, why, kept))


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

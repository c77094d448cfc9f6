"""Sends results until the server has them, or says that nobody wants them any more."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

import anyio

from conductor_async.clock import sleep_until_set
from conductor_async.errors import ClientClosedError, ConductorError, NotFoundError, WrongEventLoopError
from conductor_async.worker._failures import FailureBackoff, may_have_handed_out
from conductor_async.worker._results.delivery_failures import (
    DeliveryDecision,
    RejectionCount,
    classify,
    lacks_update_v2,
    may_have_arrived,
)

if TYPE_CHECKING:
    from collections.abc import Generator

    from conductor_async.clock import Clock
    from conductor_async.models import Task, TaskResult
    from conductor_async.resources import WorkflowClient
    from conductor_async.resources._worker_api import WorkerApi
    from conductor_async.worker._circuit_breaker import CircuitBreaker
    from conductor_async.worker._results.delivery_report import DeliveryReport
    from conductor_async.worker._results.encoded_result import EncodedResult, ResultEncoder
    from conductor_async.worker._results.outbox import Outbox
    from conductor_async.worker._results.ownership import Ownership
    from conductor_async.worker._results.update_lock import UpdateLock
    from conductor_async.worker._results.update_v2_policy import UpdateV2Policy

logger = logging.getLogger("conductor_async")

_MAX_REJECTIONS = 3
"""Rejections with the same response after which the task is failed instead."""

_SLOW = 10.0
"""Seconds. A result that took longer may have come too late: the server does not say so."""

_LONGEST_DELAY_WHILE_STOPPING = 1.0


class ResultSender:
    """Sends the results of all workers of a host. Cancellation does not reach it; the deadline of a stop does.

    Args:
        api: Sends one request at a time, without retries: what to repeat, and for how long, is decided here.
        workflows: Triggers decisions.
        encoder: Encodes the results.
        ownership: Tells whether a task is still this host's.
        circuit_breaker: While it is open, results wait.
        report: Is told what becomes of results.
        stopping: Set when the host stops: from then on no next task is wanted.
        clock: The host's clock.
        outbox: Keeps results in a file until they are delivered, if there is one.

    Attributes:
        has_v2: Whether the server has update-v2, as far as we know.
    """

    def __init__(
        self,
        api: WorkerApi,
        workflows: WorkflowClient,
        encoder: ResultEncoder,
        ownership: Ownership,
        circuit_breaker: CircuitBreaker,
        report: DeliveryReport,
        *,
        stopping: anyio.Event,
        clock: Clock,
        outbox: Outbox | None = None,
    ) -> None:
        self._api = api
        self._workflows = workflows
        self._encoder = encoder
        self._ownership = ownership
        self._circuit_breaker = circuit_breaker
        self._report = report
        self._stopping = stopping
        self._clock = clock
        self._outbox = outbox
        self._sending: set[anyio.CancelScope] = set()
        self._deadline = float("inf")
        self.has_v2 = True

    @property
    def undelivered(self) -> int:
        """How many results are on their way."""
        return len(self._sending)

    def set_deadline(self, deadline: float) -> None:
        """Gives up whatever is not delivered by then, on the event loop's clock."""
        self._deadline = deadline
        for scope in self._sending:
            scope.deadline = min(scope.deadline, deadline)

    async def send(
        self,
        result: TaskResult,
        task_type: str,
        policy: UpdateV2Policy | None = None,
        *,
        poll_count: int,
        timeout: float | None = None,
        update_lock: UpdateLock | None = None,
    ) -> tuple[Task | None, ConductorError | None]:
        """Sends a result, and returns when the server has it or it was given up.

        Args:
            result: The result.
            task_type: The task's name.
            policy: Takes the next task along if it says so. None: never.
            poll_count: The number of the poll that brought the task.
            timeout: Seconds after which the result is given up.
            update_lock: The lock of the task, held while a request is under way.

        Returns:
            The next task, if the response brought one; and the error after which the server may have handed out a task
            that did not arrive.
        """
        deadline = self._deadline if timeout is None else min(self._deadline, anyio.current_time() + timeout)
        encoded: EncodedResult | None = None
        with anyio.CancelScope(shield=True, deadline=deadline) as scope, self._counted(scope):
            encoded = await self._encoder.encode(result, task_type)
            encoded.since = self._clock.now()
            encoded.poll_count = poll_count
            encoded.update_lock = update_lock or encoded.update_lock
            if self._outbox is not None and encoded.is_final:
                await self._outbox.add(encoded)
            if policy is not None and encoded.is_final and self._may_use_v2(policy):
                return await self._send_v2(encoded, policy)
            await self._send_v1(encoded)
            return None, None
        in_outbox = encoded is not None and encoded.row is not None
        why = "the host stopped, and the server did not accept it in time"
        self._report.lost(result, task_type, why, in_outbox=in_outbox)
        return None, None

    async def send_from_outbox(self, encoded: EncodedResult) -> None:
        """Sends a result that an earlier run left in the outbox."""
        with anyio.CancelScope(shield=True, deadline=self._deadline) as scope, self._counted(scope):
            encoded.since = self._clock.now()
            await self._send_v1(encoded, resent=True)

    @contextmanager
    def _counted(self, scope: anyio.CancelScope) -> Generator[None]:
        self._sending.add(scope)
        try:
            yield
        finally:
            self._sending.discard(scope)

    def _may_use_v2(self, policy: UpdateV2Policy) -> bool:
        return self.has_v2 and not self._stopping.is_set() and policy.use_v2()

    # -- update-v2 ---------------------------------------------------------------------------------

    async def _send_v2(
        self, encoded: EncodedResult, policy: UpdateV2Policy
    ) -> tuple[Task | None, ConductorError | None]:
        encoded.attempts += 1
        try:
            async with encoded.update_lock:
                task = await self._api.update_v2(encoded.content)
        except ConductorError as error:
            self._circuit_breaker.record_failure(error)
            if lacks_update_v2(error):
                self._note_that_v2_is_missing()
            elif classify(error) in (DeliveryDecision.RETRY, DeliveryDecision.RETRY_LIMITED) and not isinstance(
                error, NotFoundError
            ):
                self._report.failed(encoded, error)
                await self._sleep(FailureBackoff().delay_after(error))
            # By v1 from here on, whatever the error: it can be repeated, and hands out nothing that could be lost.
            delivered = await self._send_v1(encoded, resent=may_have_arrived(error))
            if delivered and isinstance(error, NotFoundError):
                self._note_that_v2_is_missing()  # v1 knew the task: what update-v2 did not find was itself
            return None, error if may_have_handed_out(error) else None
        policy.record(brought_task=task is not None)
        self._report.delivered(encoded)
        return task, None

    def _note_that_v2_is_missing(self) -> None:
        if self.has_v2:
            self.has_v2 = False
            logger.info("This server has no POST /tasks/update-v2. From now on, results are sent by POST /tasks")

    # -- POST /tasks -------------------------------------------------------------------------------

    async def _send_v1(self, encoded: EncodedResult, *, resent: bool = False) -> bool:
        """Sends by `POST /tasks`, however long that takes. Returns whether the server has the result.

        Args:
            encoded: What to send.
            resent: Whether the server may have it already.
        """
        backoff = FailureBackoff()
        rejections = RejectionCount()
        delay = 0.0
        while True:
            await self._circuit_breaker.wait_until_closed()
            try:
                async with encoded.update_lock:
                    if resent and not encoded.is_final and not await self._is_still_ours(encoded, delay):
                        self._report.delivered(encoded)
                        return True
                    encoded.attempts += 1
                    await self._api.update(encoded.content)
            except ConductorError as error:
                self._circuit_breaker.record_failure(error)
                match await self._decide(encoded, error, rejections):
                    case DeliveryDecision.DELIVERED:
                        self._report.delivered(encoded)
                        return True
                    case DeliveryDecision.FAIL_TASK:
                        encoded.replace_by_failure(f"The worker's result could not be delivered: {error}")
                        rejections.reset()
                    case DeliveryDecision.DROP:
                        self._report.dropped(encoded, error)
                        return False
                    case DeliveryDecision.GIVE_UP:
                        self._give_up(encoded, error)
                        return False
                    case _:
                        resent = resent or may_have_arrived(error)
                        self._report.failed(encoded, error)
                        delay = backoff.delay_after(error)
                        if encoded.is_final or not resent:
                            await self._sleep(delay)
            else:
                await self._after_success(encoded, resent=resent)
                return True

    async def _is_still_ours(self, encoded: EncodedResult, delay: float) -> bool:
        """Returns whether a result that does not end its task, and may have arrived, is still to be sent.

        It sleeps first, with the lock held: a lease extension could undo what the server is about to store.
        """
        await self._sleep(delay)
        result = encoded.result
        return await self._ownership.is_ours(result.task_id, result.worker_id, encoded.poll_count)

    async def _decide(
        self, encoded: EncodedResult, error: ConductorError, rejections: RejectionCount
    ) -> DeliveryDecision:
        """Returns what to do after this failure, given the earlier ones and what the server says of the task."""
        decision = classify(error)
        if decision is DeliveryDecision.RETRY_LIMITED:
            if await self._has_ended(encoded):
                return DeliveryDecision.DELIVERED
            if rejections.add(error) >= _MAX_REJECTIONS:
                decision = DeliveryDecision.FAIL_TASK
        if decision is DeliveryDecision.FAIL_TASK and encoded.is_replacement:
            return DeliveryDecision.GIVE_UP
        return decision

    def _give_up(self, encoded: EncodedResult, error: ConductorError) -> None:
        self._report.lost(encoded.result, encoded.task_type, str(error), in_outbox=encoded.row is not None)
        if isinstance(error, ClientClosedError | WrongEventLoopError):
            raise error  # this ends the host: no request of it can succeed any more

    async def _after_success(self, encoded: EncodedResult, *, resent: bool) -> None:
        if encoded.is_final:
            if resent:
                await self._trigger_decision(encoded)
            if self._clock.now() - encoded.since > _SLOW:
                await self._check_that_it_was_in_time(encoded)
        self._report.delivered(encoded)

    async def _trigger_decision(self, encoded: EncodedResult) -> None:
        """Makes the server go on with the execution.

        If it died after it stored a result and before it decided what follows, it accepts the same result again without
        deciding: the execution would stand still for up to the response timeout.
        """
        try:
            await self._workflows.decide(encoded.result.workflow_instance_id)
        except ConductorError as error:
            logger.debug("Execution %s could not be decided: %s", encoded.result.workflow_instance_id, error)

    async def _has_ended(self, encoded: EncodedResult) -> bool:
        """Returns whether the server has the result although it reported an error: what follows the task had failed."""
        if not encoded.is_final:
            return False
        try:
            return (await self._api.get_task(encoded.result.task_id)).is_completed()
        except ConductorError:
            return False

    async def _check_that_it_was_in_time(self, encoded: EncodedResult) -> None:
        try:
            task = await self._api.get_task(encoded.result.task_id)
        except ConductorError:
            return
        if task.status != encoded.result.status:
            self._report.late(encoded, task.status)

    async def _sleep(self, seconds: float) -> None:
        if self._stopping.is_set():
            await self._clock.sleep(min(seconds, _LONGEST_DELAY_WHILE_STOPPING))
        else:
            await sleep_until_set(self._stopping, seconds, self._clock)

"""What becomes of results, told to whoever needs to know: circuit breaker, outbox, log and listeners."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from conductor_async.worker._failures import FailureLog
from conductor_async.worker.events import ResultDelivered, ResultDeliveryFailed, ResultDropped, ResultLost

if TYPE_CHECKING:
    from conductor_async.clock import Clock
    from conductor_async.errors import ConductorError
    from conductor_async.models import TaskResult
    from conductor_async.worker._circuit_breaker import CircuitBreaker
    from conductor_async.worker._listeners import Listeners
    from conductor_async.worker._results.encoded_result import EncodedResult
    from conductor_async.worker._results.outbox import Outbox

logger = logging.getLogger("conductor_async")


class DeliveryReport:
    """Reports what became of each result, and of each try to deliver it.

    Args:
        circuit_breaker: Learns whether the server answers.
        clock: The host's clock.
        worker_id: The worker id of its events.
        listeners: Receive its events.
        outbox: Forgets results that the server has or will never accept.
    """

    def __init__(
        self,
        circuit_breaker: CircuitBreaker,
        clock: Clock,
        worker_id: str,
        listeners: Listeners,
        outbox: Outbox | None,
    ) -> None:
        self._circuit_breaker = circuit_breaker
        self._clock = clock
        self._worker_id = worker_id
        self._listeners = listeners
        self._outbox = outbox
        self._failures = FailureLog("delivering results")

    def delivered(self, encoded: EncodedResult) -> None:
        """The server has the result."""
        self._circuit_breaker.record_success()
        self._failures.record_success()
        if self._outbox is not None:
            self._outbox.remove(encoded)
        if self._listeners:
            seconds = self._clock.now() - encoded.since
            self._listeners.emit(
                ResultDelivered(
                    self._worker_id, encoded.task_type, encoded.result, seconds, len(encoded.content), encoded.attempts
                )
            )

    def failed(self, encoded: EncodedResult, error: ConductorError) -> None:
        """A try failed, and another one follows."""
        self._failures.record_failure(error)
        if self._listeners:
            self._listeners.emit(
                ResultDeliveryFailed(self._worker_id, encoded.task_type, encoded.result, error, encoded.attempts)
            )

    def dropped(self, encoded: EncodedResult, error: ConductorError) -> None:
        """The task is gone, so nobody needs the result."""
        logger.warning(
            "The result of task %s is dropped, because the server has no such task any more: %s",
            encoded.result.task_id,
            error,
        )
        if self._outbox is not None:
            self._outbox.remove(encoded)
        if self._listeners:
            self._listeners.emit(ResultDropped(self._worker_id, encoded.task_type, encoded.result, error))

    def lost(self, result: TaskResult, task_type: str, why: str, *, in_outbox: bool) -> None:
        """The host gives the result up."""
        logger.critical(
            "The %s result of task %s (execution %s) %s: %s. %s",
            result.status,
            result.task_id,
            result.workflow_instance_id,
            "is not delivered" if in_outbox else "is lost",
            why.rstrip("."),
            "The outbox keeps it for the next start"
            if in_outbox
            else "The server hands the task out again after its response timeout",
        )
        if self._listeners:
            self._listeners.emit(ResultLost(self._worker_id, task_type, result, why, in_outbox))

    def late(self, encoded: EncodedResult, status: str) -> None:
        """The server accepted the result without a word and ignored it, because the task has ended otherwise."""
        logger.warning(
            "The %s result of task %s came too late, after %.0f s: the task is already %s, so the result has no effect",
            encoded.result.status,
            encoded.result.task_id,
            self._clock.now() - encoded.since,
            status,
        )

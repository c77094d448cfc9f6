"""Whether a task is still this host's.

A result that does not end its task puts the task back into its queue, whoever has it. So before one is sent that the
server may have carried out already, the server is asked: in the meantime, the task may have been polled again.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from conductor_async.errors import (
    ClientClosedError,
    ConductorError,
    EndpointNotAvailableError,
    NotFoundError,
    WrongEventLoopError,
)
from conductor_async.worker._failures import FailureBackoff

if TYPE_CHECKING:
    from conductor_async.clock import Clock
    from conductor_async.models import Task
    from conductor_async.resources._worker_api import WorkerApi
    from conductor_async.worker._circuit_breaker import CircuitBreaker

logger = logging.getLogger("conductor_async")


def is_held(now: Task, worker_id: str | None, poll_count: int) -> bool:
    """Returns whether the worker has the task, as the server shows it now, by the poll of this number."""
    return now.status == "IN_PROGRESS" and now.worker_id == worker_id and now.poll_count <= poll_count


class Ownership:
    """Asks the server whether tasks are still this host's, until it says so.

    Args:
        api: Fetches the tasks.
        circuit_breaker: While it is open, nothing is asked.
        clock: The host's clock.
    """

    def __init__(self, api: WorkerApi, circuit_breaker: CircuitBreaker, clock: Clock) -> None:
        self._api = api
        self._circuit_breaker = circuit_breaker
        self._clock = clock

    async def is_ours(self, task_id: str, worker_id: str | None, poll_count: int) -> bool:
        """Returns whether the worker still has the task by that poll, however long it takes to find out.

        Raises:
            ConductorError: Nothing can be asked any more: the client is closed, or bound to another event loop.
        """
        backoff = FailureBackoff()
        while True:
            await self._circuit_breaker.wait_until_closed()
            try:
                return is_held(await self._api.get_task(task_id), worker_id, poll_count)
            except (ClientClosedError, WrongEventLoopError):
                raise
            except EndpointNotAvailableError as error:
                # Left alone: it may wait for its response timeout. Taken away, it could run twice at the same time.
                logger.warning("Whether task %s is still this host's cannot be found out: %s", task_id, error)
                return False
            except ConductorError as error:
                if isinstance(error, NotFoundError) and error.status == 404:
                    return False
                self._circuit_breaker.record_failure(error)
                await self._clock.sleep(backoff.delay_after(error))

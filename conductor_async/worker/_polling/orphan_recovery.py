"""Finds orphaned tasks, which the server handed out in a response that never arrived, and hands them back.

The server counts a task as taken as soon as it is polled. If the response is lost, nobody works on the task until its
response timeout has passed, by default after an hour. So when a request failed that may have brought tasks, the host
lists the tasks in progress under its own worker id, which no other process has, and hands back those it does not know.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio

from conductor_async.errors import (
    APIError,
    ClientClosedError,
    ConductorError,
    EndpointNotAvailableError,
    WrongEventLoopError,
)
from conductor_async.resources._worker_api import hand_back
from conductor_async.worker._failures import FailureBackoff
from conductor_async.worker.events import OrphanRecoveryFailed, TaskHandedBack

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from conductor_async.clock import Clock
    from conductor_async.models import Task
    from conductor_async.resources import TaskClient
    from conductor_async.worker._circuit_breaker import CircuitBreaker
    from conductor_async.worker._in_flight.tasks import InFlightTasks
    from conductor_async.worker._listeners import Listeners
    from conductor_async.worker._polling.poll_tracker import PollTracker
    from conductor_async.worker._results.ownership import Ownership
    from conductor_async.worker._results.result_sender import ResultSender

logger = logging.getLogger("conductor_async")

_MARGIN = 1.0
"""Seconds. A poll whose client is gone stays open at the server as long as it was asked to wait, and some more."""

_PAGE_SIZE = 1000
_MAX_REJECTIONS = 5
"""Rejections of the list with the same status, in a row, after which a search is given up."""

_CONCURRENT_HAND_BACKS = 8

_TRANSIENT = frozenset({408, 429, 502, 503, 504})
"""Statuses that say nothing about the list: they are waited out."""

_CHECK_INTERVAL = 0.05
"""Seconds from one look at this process's own state to the next."""


class OrphanRecovery:
    """Finds tasks that the server handed out to this host, and that the host does not have.

    Args:
        ownership: Tells whether a task is still this host's.
        tasks: Lists tasks.
        in_flight: The tasks that the host has.
        sender: Hands tasks back.
        circuit_breaker: While it is open, searches wait.
        clock: The host's clock.
        listeners: Receive its events.
    """

    def __init__(
        self,
        ownership: Ownership,
        tasks: TaskClient,
        in_flight: InFlightTasks,
        sender: ResultSender,
        circuit_breaker: CircuitBreaker,
        *,
        clock: Clock,
        listeners: Listeners,
    ) -> None:
        self._ownership = ownership
        self._tasks = tasks
        self._in_flight = in_flight
        self._sender = sender
        self._circuit_breaker = circuit_breaker
        self._clock = clock
        self._listeners = listeners
        self._searches = 0
        self._search_group: TaskGroup | None = None
        self._has_list = True
        self._warned = False
        self._hand_backs = anyio.CapacityLimiter(_CONCURRENT_HAND_BACKS)

    async def run(self) -> None:
        """Searches when a request is suspected, until cancelled."""
        async with anyio.create_task_group() as self._search_group:
            await anyio.sleep_forever()

    async def finish(self) -> None:
        """Returns when all searches have ended."""
        while self._searches:
            await self._clock.sleep(_CHECK_INTERVAL)

    def suspect(self, polls: PollTracker, error: ConductorError, server_wait: float) -> None:
        """Starts a search, because a request failed that may have brought tasks.

        Args:
            polls: The poller's requests.
            error: How it failed.
            server_wait: Seconds for which the server may still hand tasks out to it.
        """
        until = self._clock.now() + server_wait + _MARGIN
        is_searching = polls.suspected_until is not None
        polls.suspected_until = max(until, polls.suspected_until or 0.0)
        if is_searching or self._search_group is None or not self._has_list:
            return
        logger.debug("A poll for %r may have brought a task that did not arrive: %s", polls.task_type, error)
        if not self._searches:
            self._in_flight.remember_removed()
        self._searches += 1
        self._search_group.start_soon(self._search, polls)

    async def _search(self, polls: PollTracker) -> None:
        """Searches at once, and again when the server has surely ended all suspected requests."""
        found_out = False
        try:
            while not found_out:
                listed_at = self._clock.now()
                has_listed = await self._hand_back_orphans(polls)
                until = polls.suspected_until or 0.0  # more requests may have failed meanwhile
                if listed_at < until:
                    await self._clock.sleep(max(0.0, until - self._clock.now()))
                elif has_listed:
                    found_out = True
                else:
                    break
        except* (ClientClosedError, WrongEventLoopError):
            pass  # nothing can be asked any more; whoever delivers results reports that
        finally:
            polls.suspected_until = None
            self._searches -= 1
            if not self._searches:
                self._in_flight.forget_removed()
            if not found_out:
                self._give_up(polls)

    async def _hand_back_orphans(self, polls: PollTracker) -> bool:
        """Returns whether the server could list the tasks."""
        listed = await self._list_own(polls)
        orphans = [task for task in listed or () if task.task_id not in self._in_flight]
        if orphans:
            # They may be in a response that is still on its way.
            number = polls.last_sent
            while not polls.has_ended(number):
                await self._clock.sleep(_CHECK_INTERVAL)
        # Concurrently: a host that stops has little time for it, and one response may be slow.
        async with anyio.create_task_group() as group:
            for task in orphans:
                group.start_soon(self._hand_back, polls, task)
        return listed is not None

    async def _hand_back(self, polls: PollTracker, task: Task) -> None:
        async with self._hand_backs:
            # The list may be old.
            if task.task_id in self._in_flight or not await self._ownership.is_ours(
                task.task_id, task.worker_id, task.poll_count
            ):
                return
            reason = "the response that should have brought it was lost"
            logger.warning("Task %s (%s) is handed back: %s", task.task_id, polls.task_type, reason)
            if self._listeners:
                self._listeners.emit(TaskHandedBack(polls.worker_id, task, reason))
            result = hand_back(task, worker_id=polls.worker_id)
            await self._sender.send(result, polls.task_type, poll_count=task.poll_count)

    async def _list_own(self, polls: PollTracker) -> list[Task] | None:
        """Returns the tasks that this poller works on, however long the list takes. None: the server rejects it."""
        backoff = FailureBackoff()
        rejections: list[int] = []
        while self._has_list:
            await self._circuit_breaker.wait_until_closed()
            try:
                return await self._list_pages(polls)
            except EndpointNotAvailableError as error:
                self._has_list = False
                self._warn_once("This server cannot list its tasks", error)
            except ConductorError as error:
                if isinstance(error, ClientClosedError | WrongEventLoopError):
                    raise
                self._circuit_breaker.record_failure(error)
                rejections = _in_a_row(rejections, error)
                if len(rejections) >= _MAX_REJECTIONS:
                    self._warn_once("The server refuses to list its tasks", error)
                    break
                await self._clock.sleep(backoff.delay_after(error))
        return None

    async def _list_pages(self, polls: PollTracker) -> list[Task]:
        own: list[Task] = []
        start = 0
        while True:
            page = await self._tasks.get_pending_tasks(polls.task_type, start, _PAGE_SIZE)
            own += [task for task in page if task.status == "IN_PROGRESS" and task.worker_id == polls.worker_id]
            if len(page) < _PAGE_SIZE:
                return own
            start += _PAGE_SIZE

    def _warn_once(self, what: str, error: ConductorError) -> None:
        if not self._warned:
            self._warned = True
            logger.warning("%s, so a task whose response is lost waits for its response timeout: %s", what, error)

    def _give_up(self, polls: PollTracker) -> None:
        logger.info(
            "Whether lost responses brought tasks of %r is unknown. Such tasks wait for their response timeout",
            polls.task_type,
        )
        if self._listeners:
            self._listeners.emit(OrphanRecoveryFailed(polls.worker_id, polls.task_type))


def _in_a_row(rejections: list[int], error: ConductorError) -> list[int]:
    """Returns the statuses of equal rejections in a row, this failure included."""
    if not isinstance(error, APIError) or error.status in _TRANSIENT:
        return []
    return [*(status for status in rejections if status == error.status), error.status]

"""Tasks that were handed out in an answer that never came: found, and handed back.

The server counts a task as taken as soon as it is polled. If the answer is lost, nobody works on it until its response
timeout is over, an hour by default. So after such a failure the host looks for tasks in progress under its own worker
id, which no other process has, and gives back those that it does not know.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio

from conductor_async.clock import sleep_unless
from conductor_async.errors import (
    APIError,
    ClientClosedError,
    ConductorError,
    EndpointNotAvailableError,
    NotFoundError,
    WrongEventLoopError,
)
from conductor_async.worker._backoff import Backoff
from conductor_async.worker._function.outcome import hand_back
from conductor_async.worker.events import SearchGivenUp, TaskHandedBack

if TYPE_CHECKING:
    from types import TracebackType

    from anyio.abc import TaskGroup

    from conductor_async.clock import Clock
    from conductor_async.models import Task
    from conductor_async.resources import TaskClient
    from conductor_async.worker._circuit_breaker import CircuitBreaker
    from conductor_async.worker._in_flight.tasks import InFlightTasks
    from conductor_async.worker._results.result_sender import ResultSender
    from conductor_async.worker.events import Listeners

logger = logging.getLogger("conductor_async")

_MARGIN = 1.0
"""Seconds. A poll that nobody listens to any more goes on at the server for as long as it was asked to wait."""

_PAGE = 1000
_REFUSALS = 5
"""So often in a row the list is refused with the same status before a search is given up."""

_AT_ONCE = 8
"""So many tasks are handed back at the same time."""

_PASSING = frozenset({408, 429, 502, 503, 504})
"""Statuses that say nothing of the list: they are waited out."""


class PollTracker:
    """Requests of one poller that may bring tasks: which are under way."""

    __slots__ = ("_last", "_under_way", "suspected_until", "task_type", "worker_id")

    def __init__(self, task_type: str, worker_id: str) -> None:
        self.task_type = task_type
        self.worker_id = worker_id
        self.suspected_until: float | None = None
        self._last = 0
        self._under_way: set[int] = set()

    def one(self) -> _Request:
        """Held while a request is under way, and until the tasks that it brought are held."""
        self._last += 1
        return _Request(self._under_way, self._last)

    def last(self) -> int:
        """The number of the last request that was sent."""
        return self._last

    def is_over(self, number: int) -> bool:
        """Whether all requests up to this one have ended."""
        return not self._under_way or min(self._under_way) > number


class _Request:
    """One of them."""

    __slots__ = ("_number", "_under_way")

    def __init__(self, under_way: set[int], number: int) -> None:
        self._under_way = under_way
        self._number = number

    def __enter__(self) -> None:
        self._under_way.add(self._number)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._under_way.discard(self._number)


class OrphanRecovery:
    """Finds tasks that were handed out to this host, and that it does not have.

    Args:
        tasks: Where to look.
        held: What the host has.
        delivery: Hands back.
        outage: Knows whether the server can be reached.
        clock: The host's time.
        listeners: Who is told.
    """

    def __init__(
        self,
        tasks: TaskClient,
        held: InFlightTasks,
        delivery: ResultSender,
        outage: CircuitBreaker,
        *,
        clock: Clock,
        listeners: Listeners,
    ) -> None:
        self._tasks = tasks
        self._held = held
        self._delivery = delivery
        self._outage = outage
        self._clock = clock
        self._listeners = listeners
        self._searches = 0
        self._searchers: TaskGroup | None = None
        self._has_list = True
        self._said = False
        self._at_once = anyio.CapacityLimiter(_AT_ONCE)

    async def run(self) -> None:
        """Searches when it is told to, until cancelled."""
        async with anyio.create_task_group() as self._searchers:
            await anyio.sleep_forever()

    async def finish(self) -> None:
        """Returns when what is suspected has been looked for."""
        while self._searches:
            await self._clock.sleep(0.05)

    def suspect(self, asking: PollTracker, error: ConductorError, waits_at_server: float) -> None:
        """A request that may have brought tasks failed. The server may hand some out to it for so long yet."""
        until = self._clock.now() + waits_at_server + _MARGIN
        searching = asking.suspected_until is not None
        asking.suspected_until = max(until, asking.suspected_until or 0.0)
        if not searching and self._searchers is not None and self._has_list:
            logger.debug("A poll for %r may have brought a task that did not arrive: %s", asking.task_type, error)
            if not self._searches:
                self._held.remember()
            self._searches += 1
            self._searchers.start_soon(self._search, asking)

    async def _search(self, asking: PollTracker) -> None:
        """Looks at once, and again when the server has surely ended all that was suspected."""
        found_out = False
        try:
            while not found_out:
                looked_at = self._clock.now()
                told = await self._hand_back_unknown(asking)
                until = asking.suspected_until or 0.0  # more may have failed meanwhile
                if looked_at < until:
                    await self._clock.sleep(max(0.0, until - self._clock.now()))
                elif told:
                    found_out = True
                else:
                    break
        except* (ClientClosedError, WrongEventLoopError):
            pass  # nothing can be asked any more, and those who deliver say so
        finally:
            asking.suspected_until = None
            self._searches -= 1
            if not self._searches:
                self._held.forget()
            if not found_out:
                self._given_up(asking)

    async def _hand_back_unknown(self, asking: PollTracker) -> bool:
        """Whether the server could tell what there is."""
        found = await self._ours(asking)
        unknown = [task for task in found or () if task.task_id not in self._held]
        if unknown:
            # They may be in an answer that is on its way.
            number = asking.last()
            while not asking.is_over(number):
                await self._clock.sleep(0.05)
        # Side by side: a host that stops has little time for it, and one answer may be slow.
        async with anyio.create_task_group() as group:
            for task in unknown:
                group.start_soon(self._hand_back, asking, task)
        return found is not None

    async def _hand_back(self, asking: PollTracker, task: Task) -> None:
        async with self._at_once:
            if task.task_id in self._held or not await self._is_still_ours(task):
                return
            reason = "the answer that should have brought it was lost"
            logger.warning("Task %s is handed back: %s", task.task_id, reason)
            if self._listeners:
                self._listeners.tell(TaskHandedBack(asking.worker_id, task, reason))
            await self._delivery.deliver(hand_back(task, asking.worker_id), asking.task_type)

    async def _is_still_ours(self, task: Task) -> bool:
        try:
            now = await self._tasks._get_task(task.task_id)
        except NotFoundError:
            return False
        except ConductorError:
            return True  # the list said so
        return (now.status, now.worker_id, now.poll_count) == (task.status, task.worker_id, task.poll_count)

    async def _ours(self, asking: PollTracker) -> list[Task] | None:
        """The tasks that the server says this poller works on, however long that takes. None: it refuses to."""
        patience = Backoff()
        refusals: list[int] = []
        while self._has_list:
            await self._outage.over()
            try:
                return await self._list(asking)
            except EndpointNotAvailableError as error:
                self._has_list = False
                self._not_told("This server does not list its tasks", error)
            except ConductorError as error:
                if isinstance(error, ClientClosedError | WrongEventLoopError):
                    raise
                self._outage.failed(error)
                refusals = _in_a_row(refusals, error)
                if len(refusals) >= _REFUSALS:
                    self._not_told("The server refuses to list its tasks", error)
                    break
                await sleep_unless(anyio.Event(), patience.after(error), self._clock)
        return None

    async def _list(self, asking: PollTracker) -> list[Task]:
        ours: list[Task] = []
        start = 0
        while True:
            page = await self._tasks.get_pending_tasks(asking.task_type, start, _PAGE)
            ours += [task for task in page if task.status == "IN_PROGRESS" and task.worker_id == asking.worker_id]
            if len(page) < _PAGE:
                return ours
            start += _PAGE

    def _not_told(self, what: str, error: ConductorError) -> None:
        if not self._said:
            self._said = True
            logger.warning("%s, so one whose answer is lost waits for its response timeout: %s", what, error)

    def _given_up(self, asking: PollTracker) -> None:
        logger.info("Whether lost answers brought tasks of %r could not be found out", asking.task_type)
        if self._listeners:
            self._listeners.tell(SearchGivenUp(asking.worker_id, asking.task_type))


def _in_a_row(refusals: list[int], error: ConductorError) -> list[int]:
    """The statuses of refusals in a row, with this failure, if it is another one like them."""
    if not isinstance(error, APIError) or error.status in _PASSING:
        return []
    return [*(each for each in refusals if each == error.status), error.status]

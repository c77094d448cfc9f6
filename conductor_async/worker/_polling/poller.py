"""Polls for the tasks of one worker: reserves slots first, then asks for tasks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from conductor_async.clock import sleep_until_set
from conductor_async.errors import ClientClosedError, ConductorError, WrongEventLoopError
from conductor_async.worker._failures import FailureBackoff, FailureLog
from conductor_async.worker._health import PollerHealth
from conductor_async.worker._in_flight.task_runner import TaskRunner
from conductor_async.worker._polling.limits import Slots
from conductor_async.worker._polling.poll_tracker import PollTracker
from conductor_async.worker.events import PollCompleted, PollFailed, PollSkipped, PollStarted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anyio.abc import TaskGroup

    from conductor_async.models import Task
    from conductor_async.worker._host_state import HostState
    from conductor_async.worker.decorator import AnyWorker

_SHORTEST_INTERVAL = 0.1
"""Seconds at least from one empty poll to the next, for servers that answer without waiting."""

_YOUTH = 60.0
"""Seconds after which a host polls for as long as it may. Tests, scripts and notebooks have left it by then."""

_POLL_TIMEOUT_IN_YOUTH = 1.0


def delay_after_empty_poll(server_wait: float, took: float, interval: float) -> float:
    """Returns the seconds until the next poll, after one that brought nothing.

    Args:
        server_wait: Seconds that the server was asked to wait for a task.
        took: Seconds until it answered.
        interval: The worker's poll interval.
    """
    return max(0.0, max(interval, min(server_wait, _SHORTEST_INTERVAL)) - took)


class Poller:
    """Polls for the tasks of one worker, and has its task runner run them.

    When idle, it waits at the server for one task. When it gets one, it takes whatever else is ready without waiting.
    It never cancels a poll under way: the server would count the task that the poll brings as taken.

    Args:
        worker: The worker.
        host: What all pollers of the host share.

    Attributes:
        task_type: What it polls for.
        worker_id: The worker id that it polls with.
    """

    def __init__(self, worker: AnyWorker, host: HostState) -> None:
        options = worker.options
        self.task_type = worker.task_definition_name
        self._host = host
        self._clock = host.clock
        self._listeners = host.listeners
        self.worker_id = self._worker_id = options.worker_id or host.worker_id
        self._slots = Slots(options.concurrency)
        self._polls = PollTracker(self.task_type, self._worker_id)
        self._runner = TaskRunner(worker, self._worker_id, host, self._slots, self._polls)
        self._domain = options.domain
        self._interval = options.poll_interval
        self._poll_timeout = options.poll_timeout or host.poll_timeout
        self._created_at = anyio.current_time()
        self._paused = options.paused
        self._backoff = FailureBackoff()
        self._failures = FailureLog(f"polling for {self.task_type!r}")
        self._state = "waiting"
        self._error: ConductorError | None = None
        self._answered_at: float | None = None
        self._poll_scope: anyio.CancelScope | None = None

    async def run(self) -> None:
        """Polls until the host stops. Returns when the server has the results of all tasks that were polled."""
        with self._clock.attach(self.task_type, self._domain):
            async with anyio.create_task_group() as running:
                while await self._wait_until_ready():
                    delay = await self._poll(running)
                    if delay > 0:
                        self._state = "failing" if self._error is not None else "waiting"
                        await sleep_until_set(self._host.stopping, delay, self._clock)
                self._state = "stopped"

    def stop(self) -> None:
        """Makes a poller that waits for a slot notice that the host stops."""
        self._slots.notify()

    @property
    def is_polling(self) -> bool:
        """Whether a poll is under way."""
        return self._poll_scope is not None

    def abandon_poll(self) -> bool:
        """Cancels the poll under way. Returns whether there was one."""
        if self._poll_scope is None:
            return False
        self._poll_scope.cancel()
        return True

    def health(self) -> PollerHealth:
        """Returns its state, how many tasks it has in flight, and how the last poll went."""
        is_unreachable = self._host.circuit_breaker.is_open and self._state != "stopped"
        return PollerHealth(
            task_type=self.task_type,
            domain=self._domain,
            state="unreachable" if is_unreachable else self._state,
            running=self._runner.in_flight,
            slots=self._slots.count,
            last_poll=None if self._answered_at is None else self._clock.now() - self._answered_at,
            error=None if self._error is None else str(self._error),
        )

    # -- when --------------------------------------------------------------------------------------

    async def _wait_until_ready(self) -> bool:
        """Returns True when there is a slot and a server to poll for; False when the host stops."""
        stopping = self._host.stopping
        if self._paused:
            self._skip("paused")
            await stopping.wait()
        while not stopping.is_set():
            if self._host.circuit_breaker.is_open:
                await self._host.circuit_breaker.wait_until_closed(stopping)
            elif self._slots.free <= 0:
                self._skip("full")
                await self._slots.changed()
            elif self._host.slots.free <= 0:
                self._skip("full")
                await self._host.slots.changed()
            else:
                return True
        return False

    def _skip(self, state: str) -> None:
        self._state = state
        if self._listeners:
            self._listeners.emit(PollSkipped(self._worker_id, self.task_type, self._domain, state == "paused"))

    # -- polling -----------------------------------------------------------------------------------

    async def _poll(self, running: TaskGroup) -> float:
        """Polls when it is this poller's turn, and starts the tasks. Returns the seconds until the next poll."""
        self._state = "waiting"
        async with self._host.poll_limiter:
            if self._host.stopping.is_set():
                return 0.0
            self._state = "polling"
            began = self._clock.now()
            server_wait = self._server_wait()
            brought = await self._poll_for(1, server_wait, running)
            if brought:
                await self._take_backlog(running)
        if self._error is not None:
            return self._backoff.delay_after(self._error)
        if brought:
            return 0.0
        return delay_after_empty_poll(server_wait, self._clock.now() - began, self._interval)

    def _server_wait(self) -> float:
        """Returns how long the next poll may wait at the server. A host that stops has to wait for it."""
        is_young = anyio.current_time() - self._created_at < _YOUTH
        timeout = min(self._poll_timeout, _POLL_TIMEOUT_IN_YOUTH) if is_young else self._poll_timeout
        return self._host.poll_limiter.share_of(timeout)

    async def _take_backlog(self, running: TaskGroup) -> None:
        """Takes the tasks that are ready now, while there are slots for them."""
        host = self._host
        while (free := min(self._slots.free, host.slots.free)) > 0 and not host.stopping.is_set():
            if await self._poll_for(free, 0.0, running) < free:
                return
            self._runner.update_v2_policy.record_backlog()

    async def _poll_for(self, count: int, server_wait: float, running: TaskGroup) -> int:
        """Polls once and starts the tasks. Returns how many there were: none after a failure."""
        # The request counts as under way until its tasks are in flight, or orphan recovery would hand them back.
        with self._polls.request():
            tasks = await self._request(count, server_wait)
            for task in tasks:
                self._runner.start(task, running)
        return len(tasks)

    async def _request(self, count: int, server_wait: float) -> Sequence[Task]:
        """Returns up to `count` tasks, with a slot reserved for each; none after a failure."""
        self._slots.reserve(count)
        tasks: Sequence[Task] = ()
        began = self._clock.now()
        if self._listeners:
            self._listeners.emit(PollStarted(self._worker_id, self.task_type, self._domain, count))
        try:
            with anyio.CancelScope() as self._poll_scope, self._clock.polling(self.task_type, self._domain):
                tasks = await self._host.api.poll(self.task_type, self._worker_id, count, server_wait, self._domain)
                self._completed(count, tasks, began)
        except (ClientClosedError, WrongEventLoopError):
            raise
        except ConductorError as error:
            self._failed(error, count, server_wait, began)
        finally:
            self._poll_scope = None
            if unused := count - len(tasks):
                self._slots.release(unused)
        return tasks

    def _completed(self, count: int, tasks: Sequence[Task], began: float) -> None:
        now = self._answered_at = self._clock.now()
        self._error = None
        self._failures.record_success()
        self._backoff.reset()
        self._host.circuit_breaker.record_success()
        if self._listeners:
            self._listeners.emit(
                PollCompleted(self._worker_id, self.task_type, self._domain, count, len(tasks), now - began)
            )

    def _failed(self, error: ConductorError, count: int, server_wait: float, began: float) -> None:
        self._error = error
        self._failures.record_failure(error)
        self._host.circuit_breaker.record_failure(error)
        self._runner.suspect_orphans(error, server_wait)
        if self._listeners:
            seconds = self._clock.now() - began
            self._listeners.emit(PollFailed(self._worker_id, self.task_type, self._domain, count, seconds, error))

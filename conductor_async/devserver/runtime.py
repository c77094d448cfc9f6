"""Runs an engine on the event loop: performs the work that it hands out, drives its time, wakes those who wait."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import anyio
import anyio.to_thread

from conductor_async.devserver.detached_tasks import DetachedTaskGroup
from conductor_async.devserver.time_driver import TimeDriver
from conductor_async.devserver.waiters import OpenPolls, Waiters

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator
    from contextlib import AbstractContextManager

    from conductor_async.devserver.virtual_clock import VirtualClock
    from conductor_async.engine import Engine, ExternalWork
    from conductor_async.engine.sandbox.job import Job
    from conductor_async.models import JsonObject

__all__ = ["Outcome", "Runtime"]

logger: logging.Logger = logging.getLogger("conductor_async")

_MAX_CATCH_UP_SECONDS = 2
"""Real seconds that a request waits for the work that it caused. Some of that work never ends."""

_MAX_WAITING_JOBS = 16
"""Threads that wait for scripts. There are fewer processes that run them."""


class Outcome(NamedTuple):
    """How a task that the engine handed out has ended."""

    status: str
    output: JsonObject | None = None
    reason: str | None = None


class Runtime:
    """Runs an engine on the event loop.

    Args:
        engine: The engine. Its clock must be `clock`.
        clock: The clock.
        perform: Performs work that the engine hands out. Returning None leaves the task as it is, until its timeouts
            end it.

    Attributes:
        engine: The engine.
        clock: The clock.
        closing: Whether requests are answered at once instead of waiting.
        open_polls: The polls that wait.
    """

    def __init__(
        self, engine: Engine, clock: VirtualClock, perform: Callable[[ExternalWork], Awaitable[Outcome | None]]
    ) -> None:
        self.engine = engine
        self.clock = clock
        self.closing: bool = False
        self._perform = perform
        self._tasks = DetachedTaskGroup()
        self._progress = anyio.Event()
        self._job_limiter = anyio.CapacityLimiter(_MAX_WAITING_JOBS)
        self._time = TimeDriver(engine, clock, self.settle)
        self._queue_waiters = Waiters()
        self.open_polls: OpenPolls = OpenPolls()
        self.withdraw_polls: Callable[[str | None], None] = self.open_polls.withdraw
        self._execution_waiters = Waiters()
        engine.on_queued = self._on_queued
        engine.on_change = self._on_change

    # -- life --------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Starts driving the engine's time."""
        await self._tasks.open()
        self._tasks.start_soon(self._time.run)

    def release_waiters(self) -> None:
        """Has all waiting requests answered now; later ones do not wait until `closing` is False again."""
        self.closing = True
        self._progress.set()
        self._queue_waiters.wake_all()
        self._execution_waiters.wake_all()

    async def aclose(self) -> None:
        """Has waiting requests answered, and ends everything that runs here.

        Raises:
            BaseException: What one of the tasks here raised.
        """
        self.release_waiters()
        await self._tasks.aclose()

    # -- what requests tell it ---------------------------------------------------------------------

    def record_activity(self) -> None:
        """Notes that something happened that a skip of time must not overtake."""
        self._time.record_activity()

    def finish_request(self, *, is_read: bool, is_poll: bool) -> None:
        """Follows up on a request that was handled.

        Args:
            is_read: Whether it cannot have changed anything.
            is_poll: Whether it asked for tasks.
        """
        if not is_read:
            self._time.record_activity()
        if not is_poll:
            self._time.record_query()
        self.settle()

    def settle(self) -> None:
        """Follows up on a possible change of the engine: starts the work that it hands out, plans its next timer."""
        engine = self.engine
        if engine.external_work:
            work, engine.external_work[:] = list(engine.external_work), ()
            for each in work:
                self._time.begin_external_work()
                self._tasks.start_soon(self._run_external_work, each)
        for key, job in engine.take_jobs():
            self._time.begin_external_work()
            self._tasks.start_soon(self._finish_job, key, job)
        due = engine.next_due()
        if due is not None:
            self._time.plan(due)
        self._progress.set()

    async def _finish_job(self, key: str, job: Job) -> None:
        try:
            await self.wait_for_job(job)
        finally:
            self._time.end_external_work()
        self.engine.finish_job(key, job)
        self.settle()

    async def wait_for_job(self, job: Job) -> None:
        """Returns when a script has ended."""
        await anyio.to_thread.run_sync(job.wait, abandon_on_cancel=True, limiter=self._job_limiter)

    async def catch_up(self, left_before: set[str]) -> None:
        """Returns when the work that a command left is done, except for what others left before it.

        The command has then done what it does on the real server before it answers. Work that does not end is left
        after a time.
        """
        mine = self.engine.unfinished() - left_before
        if not mine:
            return
        self.settle()
        with anyio.move_on_after(_MAX_CATCH_UP_SECONDS):
            while not self.closing and mine & self.engine.unfinished():
                self._progress = anyio.Event()
                await self._progress.wait()

    async def _run_external_work(self, work: ExternalWork) -> None:
        try:
            outcome = await self._perform(work)
        except Exception as error:
            # The boundary of one task: what it meets must not end the engine.
            logger.exception("The embedded Conductor failed to carry out task %s, which is failed", work.task_id)
            outcome = Outcome("FAILED", reason=f"{type(error).__name__}: {error}")
        finally:
            self._time.end_external_work()
        if outcome is None:
            return
        try:
            self.engine.complete_external(
                work.task_id, status=outcome.status, output=outcome.output, reason=outcome.reason
            )
        except Exception:
            # The boundary of one task: a defect in one execution must not end the work of the others.
            logger.exception("The embedded Conductor failed to end task %s; its execution may hang", work.task_id)
        self.settle()

    # -- waiting for the engine --------------------------------------------------------------------

    @contextmanager
    def task_queued(self, task_type: str, domain: str | None) -> Generator[anyio.Event]:
        """Yields an event that is set when a task of this type becomes ready."""
        with self._queue_waiters.event(f"{domain}:{task_type}" if domain else task_type) as event:
            yield event

    @contextmanager
    def execution_changed(self, workflow_id: str) -> Generator[anyio.Event]:
        """Yields an event that is set when the execution, or one of its sub-workflows, changes."""
        with self._execution_waiters.event(workflow_id) as event:
            yield event

    def _on_queued(self, queue: str) -> None:
        self._time.record_activity()
        self._queue_waiters.wake(queue)

    def _on_change(self, workflow_id: str) -> None:
        self._time.record_activity()
        current: str | None = workflow_id
        while self._execution_waiters and current is not None:  # who waits for a parent waits for its children, too
            self._execution_waiters.wake(current)
            current = self.engine.workflows.get_parent(current)

    # -- time --------------------------------------------------------------------------------------

    async def advance(self, seconds: float) -> None:
        """Moves time forward. See `TimeDriver.advance`."""
        await self._time.advance(seconds)

    def waiting_for_engine(self) -> AbstractContextManager[None]:
        """Held by external work while it only waits for the engine: then it is no reason not to skip time."""
        return self._time.idle()

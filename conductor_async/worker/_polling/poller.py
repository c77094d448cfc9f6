"""Polling for one task type: slots first, then tasks for them."""

from __future__ import annotations

import logging
from contextvars import copy_context
from typing import TYPE_CHECKING

import anyio

from conductor_async.clock import sleep_unless
from conductor_async.errors import ClientClosedError, ConductorError, WrongEventLoopError
from conductor_async.worker._backoff import Backoff, FailureLog
from conductor_async.worker._function.in_context import InContext
from conductor_async.worker._function.outcome import hand_back, hand_back_with_progress, refusal
from conductor_async.worker._function.runner import Runner
from conductor_async.worker._health import PollerHealth
from conductor_async.worker._in_flight.tasks import InFlightTask
from conductor_async.worker._polling.orphan_recovery import PollTracker
from conductor_async.worker._polling.quarantine import reason_against
from conductor_async.worker._polling.slots import Slots
from conductor_async.worker._results.result_sender import may_have_handed_out
from conductor_async.worker._results.update_v2_policy import UpdateV2Policy
from conductor_async.worker.events import (
    PollCompleted,
    PollFailed,
    PollSkipped,
    PollStarted,
    TaskAbandoned,
    TaskHandedBack,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anyio.abc import TaskGroup

    from conductor_async.models import Task, TaskResult
    from conductor_async.worker._host_state import HostState
    from conductor_async.worker.decorator import AnyWorker

logger = logging.getLogger("conductor_async")

_SHORTEST_IDLE = 0.1
"""Seconds at least from one empty poll to the next, for servers that answer without waiting."""

_TIME_TO_HAND_BACK = 10.0
"""Seconds to hand a task back when the host falls over."""

_CALL_BACK_UNREADABLE = 60
"""Seconds until a task whose input could not be fetched is handed out again."""


def pause_after_empty(asked_for: float, took: float, interval: float) -> float:
    """Seconds until the next poll, after one that found nothing.

    Args:
        asked_for: Seconds that the server was asked to wait for a task.
        took: Seconds until it answered.
        interval: The worker's poll interval.
    """
    return max(0.0, max(interval, min(asked_for, _SHORTEST_IDLE)) - took)


class Poller:
    """Polls for the tasks of one worker and runs them, as many at once as it has slots.

    Idle, it waits at the server for one task. When it gets one, it takes what else is ready, without waiting. A poll
    under way is never cancelled: the server would count the task it brings as taken.

    Args:
        worker: The worker.
        service: What all pollers of a host share.
    """

    def __init__(self, worker: AnyWorker, service: HostState) -> None:
        options = worker.options
        self._service = service
        self._clock = service.clock
        self._listeners = service.listeners
        self.task_type = worker.task_definition_name
        self._domain = options.domain
        self._interval = options.poll_interval
        self._poll_timeout = service.turns.wait_at_server(options.poll_timeout or service.poll_timeout)
        self._leased = options.lease_extend_enabled
        self._paused = options.paused
        self._is_async = worker.is_async
        self._slots = Slots(options.concurrency)
        self._in_hand = 0
        self._choice = UpdateV2Policy()
        self._patience = Backoff()
        self._trouble = FailureLog(f"polling for {self.task_type!r}")
        self._state = "waiting"
        self._error: ConductorError | None = None
        self._answered_at: float | None = None
        self._poll_scope: anyio.CancelScope | None = None
        self._worker_id = options.worker_id or service.worker_id
        self._asking = PollTracker(self.task_type, self._worker_id)
        # Under an id that other processes may have too, nobody can tell whose the tasks are.
        self._id_is_ours = options.worker_id is None
        self._variables = copy_context()
        self._runner = Runner(worker, self._worker_id, self._clock, self._listeners)

    async def run(self) -> None:
        """Polls until the host stops; returns when all that was polled is done and delivered."""
        with self._clock.attach(self.task_type, self._domain):
            async with anyio.create_task_group() as running:
                while await self._may_poll():
                    pause = await self._poll(running)
                    if pause > 0:
                        self._state = "failing" if self._error is not None else "waiting"
                        await sleep_unless(self._service.stopping, pause, self._clock)
                self._state = "stopped"

    def stop(self) -> None:
        """Looks at `stopping`, if it waits for a slot."""
        self._slots.wake()

    def abandon_poll(self) -> bool:
        """Gives up the poll under way. Whether there is one."""
        if self._poll_scope is None:
            return False
        self._poll_scope.cancel()
        return True

    def health(self) -> PollerHealth:
        """How it is."""
        unreachable = self._service.outage.is_on and self._state != "stopped"
        return PollerHealth(
            task_type=self.task_type,
            domain=self._domain,
            state="unreachable" if unreachable else self._state,
            running=self._in_hand,
            slots=self._slots.count,
            last_poll=None if self._answered_at is None else self._clock.now() - self._answered_at,
            error=None if self._error is None else str(self._error),
        )

    # -- polling ---------------------------------------------------------------------------------

    async def _may_poll(self) -> bool:
        """Waits until it may. False: the host stops."""
        service = self._service
        stopping = service.stopping
        if self._paused:
            self._skip("paused")
            await stopping.wait()
        while not stopping.is_set():
            if service.outage.is_on:
                await service.outage.over(stopping)
            elif self._slots.free <= 0:
                self._skip("full")
                await self._slots.changed()
            elif service.slots.free <= 0:
                self._skip("full")
                await service.slots.changed()
            else:
                return True
        return False

    def _skip(self, state: str) -> None:
        self._state = state
        if self._listeners:
            self._listeners.tell(PollSkipped(self._worker_id, self.task_type, self._domain, state == "paused"))

    async def _poll(self, running: TaskGroup) -> float:
        """Polls in its turn, and starts what comes. Seconds until the next poll."""
        self._state = "waiting"
        async with self._service.turns:
            if self._service.stopping.is_set():
                return 0.0
            self._state = "polling"
            began = self._clock.now()
            with self._asking.one():
                tasks = await self._ask(1, self._poll_timeout)
                self._start(tasks, running)
            if tasks:
                await self._sweep(running)
        if self._error is not None:
            return self._patience.after(self._error)
        if tasks:
            return 0.0
        return pause_after_empty(self._poll_timeout, self._clock.now() - began, self._interval)

    async def _sweep(self, running: TaskGroup) -> None:
        """Takes what else is ready now, while there are slots for it."""
        while (free := min(self._slots.free, self._service.slots.free)) > 0 and not self._service.stopping.is_set():
            with self._asking.one():
                tasks = await self._ask(free, 0)
                self._start(tasks, running)
            if len(tasks) < free:
                return
            self._choice.backlog()

    async def _ask(self, count: int, timeout: float) -> Sequence[Task]:
        """What the server has, at most `count`; a slot stays reserved for each. After a failure: nothing."""
        self._slots.reserve(count)
        tasks: Sequence[Task] = ()
        began = self._clock.now()
        if self._listeners:
            self._listeners.tell(PollStarted(self._worker_id, self.task_type, self._domain, count))
        try:
            with anyio.CancelScope() as self._poll_scope, self._clock.polling(self.task_type, self._domain):
                tasks = await self._service.tasks._batch_poll(
                    self.task_type, self._worker_id, count, timeout, self._domain
                )
                self._worked(count, tasks, began)
        except (ClientClosedError, WrongEventLoopError):
            raise
        except ConductorError as error:
            self._failed(error, count, timeout, began)
        finally:
            self._poll_scope = None
            if unused := count - len(tasks):
                self._slots.release(unused)
        return tasks

    def _worked(self, count: int, tasks: Sequence[Task], began: float) -> None:
        now = self._answered_at = self._clock.now()
        self._error = None
        self._trouble.works()
        self._patience.reset()
        self._service.outage.works()
        if self._listeners:
            self._listeners.tell(
                PollCompleted(self._worker_id, self.task_type, self._domain, count, len(tasks), now - began)
            )

    def _failed(self, error: ConductorError, count: int, timeout: float, began: float) -> None:
        self._error = error
        self._trouble.failed(error)
        self._service.outage.failed(error)
        self._may_have_lost(error, timeout)
        if self._listeners:
            seconds = self._clock.now() - began
            self._listeners.tell(PollFailed(self._worker_id, self.task_type, self._domain, count, seconds, error))

    def _may_have_lost(self, error: ConductorError, waits_at_server: float) -> None:
        if self._id_is_ours and may_have_handed_out(error):
            self._service.lost.suspect(self._asking, error, waits_at_server)

    # -- working -----------------------------------------------------------------------------------

    def _start(self, tasks: Sequence[Task], running: TaskGroup) -> None:
        """Begins them. A slot is reserved for each."""
        for task in tasks:
            self._begin(self._take(task), running)

    def _take(self, task: Task) -> InFlightTask:
        held = InFlightTask(task, self._worker_id, is_async=self._is_async)
        self._service.held.add(held)
        self._in_hand += 1
        return held

    def _begin(self, held: InFlightTask, running: TaskGroup) -> None:
        """Runs it, or hands it back if the host stops or has its hands full."""
        if self._service.stopping.is_set():
            running.start_soon(self._give_back, held, "the host stops")
        elif self._service.slots.free <= 0:
            running.start_soon(self._give_back, held, "the host has as many tasks as it may run at once")
        else:
            self._service.slots.reserve(1)
            running.start_soon(self._work, held, running)

    async def _work(self, held: InFlightTask, running: TaskGroup) -> None:
        """Works a task off, and then what its result brings, one after the other."""
        while True:
            # With the poller's context variables, not with those of the task whose result brought this one.
            following = await InContext(self._variables.copy(), self._work_off(held))
            if following is None:
                return
            if self._service.stopping.is_set() or not held.tidy:
                self._service.slots.release()
                self._begin(following, running)
                return
            held = following

    async def _work_off(self, held: InFlightTask) -> InFlightTask | None:
        """Runs the function, and delivers what comes of it. The next task, for the same slot, if there is one."""
        service = self._service
        following: InFlightTask | None = None
        service.watch.hold(held)
        if self._leased:
            service.leases.hold(held)
        try:
            with self._clock.working(self.task_type, self._domain):
                if (result := await self._result_of(held)) is not None:
                    with self._asking.one():
                        if (task := await self._deliver(held, result)) is not None:
                            following = self._take(task)
        except anyio.get_cancelled_exc_class():
            # The host falls over, or its time is up: what is under way can still go to another worker.
            await self._hand_back(held, "the host ends", within=_TIME_TO_HAND_BACK)
            raise
        finally:
            service.watch.release(held)
            service.leases.release(held)
            service.held.remove(held)
            self._in_hand -= 1
            if following is None:
                self._slots.release()
                service.slots.release()
        return following

    async def _result_of(self, held: InFlightTask) -> TaskResult | None:
        """Runs it. None: there is nothing to deliver, because it was handed back, or nobody wants it."""
        task = held.task
        if (reason := reason_against(self._service.quarantine, task)) is not None:
            return refusal(task, self._worker_id, reason)
        outside = task.external_input_payload_storage_path or task.external_output_payload_storage_path
        if outside and not await self._fill(held):
            return None
        began = self._clock.now()
        result = await self._runner.run(held)
        self._service.watch.release(held)
        if held.abandoned:
            self._abandoned(held, began)
            return None
        if result is None:
            await self._hand_back(held, held.context.cancelled or "the host stops")
        return result

    async def _deliver(self, held: InFlightTask, result: TaskResult) -> Task | None:
        """The next task, if the server handed one out when it got the result."""
        following, error = await self._service.delivery.deliver(result, self.task_type, self._choice, way=held.way)
        if error is not None:
            self._may_have_lost(error, 0.0)
        return following

    async def _fill(self, held: InFlightTask) -> bool:
        """Fetches what the server keeps outside. A task whose input cannot be had is handed back, never run without."""
        try:
            await self._service.tasks._fill(held.task)
        except (ClientClosedError, WrongEventLoopError):
            raise
        except ConductorError as error:
            reason = f"its input cannot be had: {error}"
            logger.warning("Task %s (%s) is handed back: %s", held.task.task_id, self.task_type, reason)
            await self._hand_back(held, reason, after=_CALL_BACK_UNREADABLE)
            return False
        return True

    def _abandoned(self, held: InFlightTask, began: float) -> None:
        reason = held.context.cancelled or ""
        logger.info("What came of task %s is not delivered: %s", held.task.task_id, reason)
        if self._listeners:
            self._listeners.tell(TaskAbandoned(self._worker_id, held.task, reason, self._clock.now() - began))

    async def _hand_back(
        self, held: InFlightTask, reason: str, *, after: int = 0, within: float = float("inf")
    ) -> None:
        if self._listeners:
            self._listeners.tell(TaskHandedBack(self._worker_id, held.task, reason))
        if after:
            result = hand_back(held.task, self._worker_id, after=after, reason=reason)
        else:
            result = hand_back_with_progress(held.context, self._worker_id)
        await self._service.delivery.deliver(result, self.task_type, within=within, way=held.way)

    async def _give_back(self, held: InFlightTask, reason: str) -> None:
        """Hands back what was not begun."""
        try:
            await self._hand_back(held, reason)
        finally:
            self._service.held.remove(held)
            self._in_hand -= 1
            self._slots.release()

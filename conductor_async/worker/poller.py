"""Polling for one task type: slots first, then tasks for them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio

from conductor_async.errors import ClientClosedError, ConductorError, WrongEventLoopError
from conductor_async.worker.delivery import UpdateChoice
from conductor_async.worker.outcome import hand_back
from conductor_async.worker.patience import Patience, Trouble
from conductor_async.worker.runner import Runner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anyio.abc import TaskGroup

    from conductor_async.models import Task
    from conductor_async.resources import TaskClient
    from conductor_async.worker.decorator import AnyWorker
    from conductor_async.worker.delivery import Delivery
    from conductor_async.worker.lease import Leases

logger = logging.getLogger("conductor_async")

_SHORTEST_IDLE = 0.1
"""Seconds at least from one empty poll to the next, for servers that answer without waiting."""

_TIME_TO_HAND_BACK = 10.0
"""Seconds to hand a task back when the host falls over."""


class Slots:
    """How many more tasks may run. Slots are reserved before a poll, so that there is one for each task it brings."""

    __slots__ = ("_changed", "free")

    def __init__(self, count: int) -> None:
        self.free = count
        self._changed = anyio.Event()

    def reserve(self, count: int) -> None:
        """Takes slots, which must be free."""
        self.free -= count

    def release(self, count: int = 1) -> None:
        """Gives slots back."""
        self.free += count
        self.wake()

    def wake(self) -> None:
        """Has `changed()` return."""
        self._changed.set()
        self._changed = anyio.Event()

    async def changed(self) -> None:
        """Returns when slots were released."""
        await self._changed.wait()


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
        worker_id: Who the server is told has the task, unless the worker says so.
        poll_timeout: Seconds that a poll waits at the server, unless the worker says so.
        tasks: Where to poll, with requests that are tried once.
        delivery: Where results go.
        leases: Keeps long tasks.
        stopping: Set when the host stops.
    """

    def __init__(
        self,
        worker: AnyWorker,
        *,
        worker_id: str,
        poll_timeout: float,
        tasks: TaskClient,
        delivery: Delivery,
        leases: Leases,
        stopping: anyio.Event,
    ) -> None:
        options = worker.options
        self._task_type = worker.task_definition_name
        self._domain = options.domain
        self._worker_id = options.worker_id or worker_id
        self._interval = options.poll_interval
        self._poll_timeout = options.poll_timeout or poll_timeout
        self._leased = options.lease_extend_enabled
        self._tasks = tasks
        self._delivery = delivery
        self._leases = leases
        self._stopping = stopping
        self._slots = Slots(options.concurrency)
        self._choice = UpdateChoice()
        self._patience = Patience()
        self._trouble = Trouble(f"polling for {self._task_type!r}")
        self.runner = Runner(worker, self._worker_id)

    async def run(self) -> None:
        """Polls until the host stops; returns when all that was polled is done and delivered."""
        async with anyio.create_task_group() as running:
            while await self._a_slot_is_free():
                started = anyio.current_time()
                tasks = await self._poll(1, self._poll_timeout)
                self._start(tasks, running)
                if tasks:
                    await self._sweep(running)
                else:
                    took = anyio.current_time() - started
                    await self._pause(pause_after_empty(self._poll_timeout, took, self._interval))

    def stop(self) -> None:
        """Looks at `stopping`, if it waits for a slot."""
        self._slots.wake()

    # -- polling ---------------------------------------------------------------------------------

    async def _a_slot_is_free(self) -> bool:
        """Waits for one. False: the host stops."""
        while not self._stopping.is_set():
            if self._slots.free > 0:
                return True
            await self._slots.changed()
        return False

    async def _sweep(self, running: TaskGroup) -> None:
        """Takes what else is ready now, while there are slots for it."""
        while (free := self._slots.free) > 0 and not self._stopping.is_set():
            tasks = await self._poll(free, 0)
            self._start(tasks, running)
            if len(tasks) < free:
                return
            self._choice.backlog()

    async def _poll(self, count: int, timeout: float) -> Sequence[Task]:
        """What the server has, at most `count`; a slot stays reserved for each. After a failure: nothing, and later."""
        self._slots.reserve(count)
        tasks: Sequence[Task] = ()
        try:
            tasks = await self._tasks.batch_poll_tasks(self._task_type, self._worker_id, count, timeout, self._domain)
        except (ClientClosedError, WrongEventLoopError):
            raise  # it will never work again
        except ConductorError as error:
            self._trouble.failed(error)
            await self._pause(self._patience.after(error))
        else:
            self._trouble.works()
            self._patience.reset()
        finally:
            if unused := count - len(tasks):
                self._slots.release(unused)
        return tasks

    async def _pause(self, seconds: float) -> None:
        if seconds > 0:
            with anyio.move_on_after(seconds):
                await self._stopping.wait()

    # -- working -----------------------------------------------------------------------------------

    def _start(self, tasks: Sequence[Task], running: TaskGroup) -> None:
        """Runs them, or hands them back if the host stops meanwhile. A slot is reserved for each."""
        work = self._hand_back if self._stopping.is_set() else self._work
        for task in tasks:
            running.start_soon(work, task, running)

    async def _work(self, task: Task, running: TaskGroup) -> None:
        lease = self._leases.hold(task, self._worker_id) if self._leased else None
        following: Task | None = None
        try:
            following = await self._delivery.deliver(await self.runner.run(task), self._choice)
        except anyio.get_cancelled_exc_class():
            # The host falls over, or its time is up: what is under way can still go to another worker.
            await self._delivery.deliver(hand_back(task, self._worker_id), within=_TIME_TO_HAND_BACK)
            raise
        finally:
            self._leases.release(lease)
            if following is None:
                self._slots.release()
        if following is not None:
            self._start([following], running)

    async def _hand_back(self, task: Task, running: TaskGroup) -> None:  # called as _work is
        try:
            await self._delivery.deliver(hand_back(task, self._worker_id))
        finally:
            self._slots.release()

"""Leases: while a task runs for long, the server is told that its worker is alive."""

from __future__ import annotations

import logging
import random
from typing import TYPE_CHECKING

import anyio

from conductor_async.errors import ConductorError, NotFoundError
from conductor_async.models import TaskResult, TaskResultStatus

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from conductor_async.models import Task
    from conductor_async.resources import TaskClient

logger = logging.getLogger("conductor_async")

_PART = 1 / 3
"""So much of the response timeout passes from one extension to the next: two may fail before the task is lost."""


class Lease:
    """The lease of one task: extended until released."""

    __slots__ = ("due", "every", "task", "worker_id")

    def __init__(self, task: Task, worker_id: str, now: float) -> None:
        self.task = task
        self.worker_id = worker_id
        self.every = task.response_timeout_seconds * _PART
        self.due = now + self.every * (0.9 + 0.1 * random.random())  # noqa: S311

    def extension(self) -> TaskResult:
        """What says that the worker is alive."""
        return TaskResult(
            workflow_instance_id=self.task.workflow_instance_id,
            task_id=self.task.task_id,
            worker_id=self.worker_id,
            status=TaskResultStatus.IN_PROGRESS,
            extend_lease=True,
        )


class Leases:
    """Extends the leases of all tasks that a host has, each at a third of its response timeout.

    Args:
        tasks: Where to.
    """

    def __init__(self, tasks: TaskClient) -> None:
        self._tasks = tasks
        self._held: set[Lease] = set()
        self._sooner = anyio.Event()
        self._awake_at = float("inf")

    def hold(self, task: Task, worker_id: str) -> Lease | None:
        """Extends the task's lease from now on; None if the server expects no sign of life."""
        if task.response_timeout_seconds <= 0:
            return None
        lease = Lease(task, worker_id, anyio.current_time())
        self._held.add(lease)
        if lease.due < self._awake_at:
            self._sooner.set()
        return lease

    def release(self, lease: Lease | None) -> None:
        """The server has the task's result."""
        if lease is not None:
            self._held.discard(lease)

    async def run(self) -> None:
        """Extends what is due, until cancelled."""
        async with anyio.create_task_group() as extensions:
            while True:
                self._extend_what_is_due(extensions)
                self._awake_at = min((lease.due for lease in self._held), default=float("inf"))
                with anyio.CancelScope(deadline=self._awake_at):
                    await self._sooner.wait()
                if self._sooner.is_set():
                    self._sooner = anyio.Event()

    def _extend_what_is_due(self, extensions: TaskGroup) -> None:
        now = anyio.current_time()
        for lease in self._held:
            if lease.due <= now:
                lease.due = now + lease.every
                extensions.start_soon(self._extend, lease)

    async def _extend(self, lease: Lease) -> None:
        try:
            await self._tasks.update_task(lease.extension())
        except NotFoundError as error:
            logger.warning("The lease of task %s cannot be extended: %s", lease.task.task_id, error)
            self._held.discard(lease)
        except ConductorError as error:
            logger.warning("The lease of task %s was not extended, the next try follows: %s", lease.task.task_id, error)
            lease.due = min(lease.due, anyio.current_time() + max(1.0, lease.every / 4))
            self._sooner.set()

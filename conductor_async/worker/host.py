"""`WorkerHost`: runs workers in this process, on the caller's event loop."""

from __future__ import annotations

import logging
import os
import secrets
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

import anyio
from anyio import AsyncContextManagerMixin

from conductor_async.config import RetryPolicy, seconds, worker_environment
from conductor_async.errors import ConfigurationError
from conductor_async.worker.decorator import LONGEST_POLL, WorkerTask, checked_poll_timeout
from conductor_async.worker.delivery import Delivery
from conductor_async.worker.events import Listeners
from conductor_async.worker.lease import Leases
from conductor_async.worker.overrides import overridden
from conductor_async.worker.poller import Poller
from conductor_async.worker.registration import register

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Sequence
    from datetime import timedelta
    from typing import Self

    from conductor_async.client import ConductorClient
    from conductor_async.worker.decorator import AnyWorker
    from conductor_async.worker.events import Listener

logger = logging.getLogger("conductor_async")

_REQUEST_TIMEOUT = 10.0
"""Seconds for a request of a host, beside a poll's wait. A poll given up too soon leaves a task without an owner."""

_TIME_TO_DELIVER = 10.0
"""Seconds that results get when the grace period is over."""

_ONCE = RetryPolicy(max_attempts=1)


class WorkerHost(AsyncContextManagerMixin):
    """Runs workers while the context is open, or while `run()` is awaited.

    ```python
    async with WorkerHost(conductor, [greet, charge]):
        run = await workflow.execute({"name": "Ada"})
    ```

    Leaving it (normally, by an exception or by cancellation) stops polling, waits for polls under way, hands back what
    was not started, gives what runs `grace` seconds, then cancels it and hands it back, delivers every result, and
    returns. Until then the client must stay open. A host may be entered again when it was left.

    Args:
        conductor: The client to use. It is not closed.
        workers: Functions decorated with `@worker_task`, each task type and domain once.
        grace: Seconds (or a timedelta) that running tasks get when the host stops. Delivering may take 10 more.
        poll_timeout: Seconds (or a timedelta), at most 5, that a poll waits at the server for a task, where the worker
            does not say. Stopping waits for it.
        worker_id: Who the server is told has the tasks, where the worker does not say. By default host name, process id
            and a random part.
        listeners: Called with each event (see `conductor_async.worker.events`), on the event loop.

    Raises:
        ConfigurationError: Something is no worker, or two are for the same tasks.
    """

    def __init__(
        self,
        conductor: ConductorClient,
        workers: Iterable[AnyWorker],
        *,
        grace: float | timedelta = 30.0,
        poll_timeout: float | timedelta = LONGEST_POLL,
        worker_id: str | None = None,
        listeners: Iterable[Listener] = (),
    ) -> None:
        self._conductor = conductor
        self._listeners = Listeners(listeners)
        self._workers = _checked(workers)
        self._grace = seconds(grace, "grace", positive=False)
        self._poll_timeout = checked_poll_timeout(poll_timeout)
        self.worker_id = worker_id or f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._stopping: anyio.Event | None = None

    def __repr__(self) -> str:
        names = ", ".join(worker.task_definition_name for worker in self._workers)
        return f"<WorkerHost {self.worker_id} for {names}>"

    @property
    def workers(self) -> tuple[AnyWorker, ...]:
        """The workers, with the options that the environment gave them."""
        return self._workers

    async def run(self) -> None:
        """Runs the workers until it is cancelled or `stop()` is called; returns when all is delivered.

        Raises:
            ConductorError: A task definition could not be registered.
        """
        async with self as host:
            if host._stopping is not None:
                await host._stopping.wait()

    def stop(self) -> None:
        """Begins to stop, as leaving the context does, and returns at once. To be called on the event loop."""
        if self._stopping is not None:
            self._stopping.set()

    @asynccontextmanager
    async def __asynccontextmanager__(self) -> AsyncGenerator[Self]:
        for worker in self._workers:
            worker.arguments.resolve()
        await register(self._workers, self._conductor.metadata)
        self._warn_of_few_connections()
        self._stopping = anyio.Event()
        raised: BaseException | None = None
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._serve, self._stopping)
                try:
                    yield self
                except BaseException as error:
                    raised = error
                    raise
                finally:
                    self._stopping.set()
        except BaseExceptionGroup as errors:
            # What the caller raised comes out as it was, not in a group of one.
            if errors.exceptions != (raised,):
                raise _innermost(errors) from None
        if raised is not None:
            raise raised

    async def _serve(self, stopping: anyio.Event) -> None:
        """Polls and works until `stopping`, and what follows from it. Cancellation from outside does not reach it."""
        one_try = self._conductor.with_options(
            timeout=min(self._conductor.configuration.timeout, _REQUEST_TIMEOUT), retry=_ONCE
        )
        delivery = Delivery(one_try.task, stopping)
        leases = Leases(one_try.task)
        pollers = [
            Poller(
                worker,
                worker_id=self.worker_id,
                poll_timeout=self._poll_timeout,
                tasks=one_try.task,
                delivery=delivery,
                leases=leases,
                stopping=stopping,
            )
            for worker in self._workers
        ]
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as service:
                service.start_soon(leases.run)
                async with anyio.create_task_group() as work:
                    service.start_soon(self._wind_down, stopping, pollers, delivery, work.cancel_scope)
                    for poller in pollers:
                        work.start_soon(poller.run)
                service.cancel_scope.cancel()

    async def _wind_down(
        self, stopping: anyio.Event, pollers: Sequence[Poller], delivery: Delivery, work: anyio.CancelScope
    ) -> None:
        """What happens when the host stops, by the clock. All of it ends as soon as the work does."""
        await stopping.wait()
        delivery.end_at(anyio.current_time() + self._grace + _TIME_TO_DELIVER)
        for poller in pollers:
            poller.stop()
        await anyio.sleep(self._grace)
        for poller in pollers:
            poller.runner.cancel_all("the worker host is stopping")
        await anyio.sleep(_TIME_TO_DELIVER)
        logger.warning(
            "The worker host stops with work under way, because its time is up: polls or functions that do not end"
        )
        work.cancel()

    def _warn_of_few_connections(self) -> None:
        needed = sum(1 + worker.options.concurrency for worker in self._workers)
        there = self._conductor.configuration.limits.max_connections
        if needed > there:
            logger.warning(
                "The workers may need %d connections at once, and the client has %d: results may wait for polls to end."
                " Give it more: Configuration(limits=Limits(max_connections=%d))",
                needed,
                there,
                needed + 10,
            )


def _checked(workers: Iterable[AnyWorker]) -> tuple[AnyWorker, ...]:
    if isinstance(workers, WorkerTask):
        raise ConfigurationError("a WorkerHost takes a list of workers: WorkerHost(conductor, [your_worker])")
    checked = tuple(workers)
    if not checked:
        raise ConfigurationError("a WorkerHost needs at least one worker")
    for worker in checked:
        if not isinstance(worker, WorkerTask):
            raise ConfigurationError(f'{worker!r} is not a worker: decorate it with @worker_task("its_task_type")')
    checked = overridden(checked, worker_environment())
    seen: set[tuple[str, str | None]] = set()
    for worker in checked:
        key = (worker.task_definition_name, worker.options.domain)
        if key in seen:
            domain = f" in domain {key[1]!r}" if key[1] else ""
            raise ConfigurationError(
                f"two workers are for the tasks of {key[0]!r}{domain}: keep one, with more concurrency"
            )
        seen.add(key)
    return checked


def _innermost(error: BaseException) -> BaseException:
    """The one error in nested groups of one, or the group that has several."""
    if isinstance(error, BaseExceptionGroup):
        parts = cast("tuple[BaseException, ...]", error.exceptions)
        return _innermost(parts[0]) if len(parts) == 1 else cast("BaseException", error)
    return error

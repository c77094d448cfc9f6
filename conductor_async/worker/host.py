"""`WorkerHost`: runs workers in this process, on the caller's event loop."""

from __future__ import annotations

import logging
import os
import secrets
import socket
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, cast

import anyio
from anyio import AsyncContextManagerMixin

from conductor_async.client import ConductorClient
from conductor_async.clock import clock_here, sleep_unless
from conductor_async.config import RetryPolicy, seconds, worker_environment
from conductor_async.errors import ConfigurationError
from conductor_async.resources import TaskClient, WorkflowClient
from conductor_async.worker._circuit_breaker import CircuitBreaker
from conductor_async.worker._event_loop import call_soon_from_anywhere
from conductor_async.worker._function.log_handler import TaskLogHandler
from conductor_async.worker._function.task_log import checked_log_level
from conductor_async.worker._health import HostHealth
from conductor_async.worker._host_state import HostState
from conductor_async.worker._in_flight.cancellation_watcher import CancellationWatcher
from conductor_async.worker._in_flight.lease_extender import LeaseExtender
from conductor_async.worker._in_flight.tasks import InFlightTasks
from conductor_async.worker._loop_monitor import LoopMonitor
from conductor_async.worker._overrides import overridden
from conductor_async.worker._polling.orphan_recovery import OrphanRecovery
from conductor_async.worker._polling.poller import Poller
from conductor_async.worker._polling.slots import PollLimiter, Slots
from conductor_async.worker._registration import register
from conductor_async.worker._results.encoded_result import ResultEncoder
from conductor_async.worker._results.result_sender import ResultSender
from conductor_async.worker._signals import owned
from conductor_async.worker.decorator import LONGEST_POLL, WorkerTask, checked_poll_timeout
from conductor_async.worker.events import HostStarted, HostStopped, HostStopping, Listeners

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable
    from datetime import timedelta
    from typing import Self

    from anyio.abc import TaskGroup

    from conductor_async._http.call import Api
    from conductor_async.worker._polling.quarantine import Quarantine
    from conductor_async.worker._results.outbox import Outbox
    from conductor_async.worker.decorator import AnyWorker
    from conductor_async.worker.events import Listener, WorkerEvent

logger = logging.getLogger("conductor_async")

_REQUEST_TIMEOUT = 10.0
"""Seconds for a request of a host, beside a poll's wait. A poll given up too soon leaves a task without an owner."""

_TIME_TO_DELIVER = 10.0
"""Seconds that results get when the grace period is over."""

_MORE_CONNECTIONS = 16
"""Beside those for polls and results: for leases, for looking after tasks, for handing back."""

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
            and a random part. One of your own has to be unique: tasks of lost answers are found by it and handed back.
        max_running: How many tasks may run at once in all, beside what each worker allows. By default as
            many as these allow together.
        max_idle_polls: How many polls wait at the server at once. More workers than that take turns.
        max_result_size: Bytes of output as JSON that the server takes; a larger one fails the task for good. By default
            3 MiB, or 10 MiB if the server has a storage for large payloads.
        outbox: A file for results until they are delivered: those of a process that is killed are delivered by the next
            one that has the file. By default they are in memory.
        task_log_level: What functions log with the standard library, from this level on, is added to their tasks' logs:
            `"INFO"`. By default nothing, unless a worker says so.
        quarantine: Called with each task before it is run. When it returns a reason, the task is failed for good with
            it, and not run: for one that was handed out again and again (`task.poll_count`), because it kills its
            process. By default every task is run.
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
        max_running: int | None = None,
        max_idle_polls: int = 50,
        max_result_size: int | None = None,
        outbox: str | os.PathLike[str] | None = None,
        task_log_level: int | str | None = None,
        quarantine: Quarantine | None = None,
        listeners: Iterable[Listener] = (),
    ) -> None:
        if not isinstance(conductor, ConductorClient):
            raise ConfigurationError(
                f"a WorkerHost works for a ConductorClient, not {conductor!r}: an EmbeddedConductor, a LocalServer and"
                " a WorkflowEnvironment have one as .client"
            )
        self._conductor = conductor
        self._listeners = Listeners(listeners)
        self._workers = _checked(workers)
        self._grace = seconds(grace, "grace", positive=False)
        self._poll_timeout = checked_poll_timeout(poll_timeout)
        self.worker_id = worker_id or f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._max_running = _at_least_one(max_running, "max_running")
        self._max_idle_polls = _at_least_one(max_idle_polls, "max_idle_polls") or 1
        self._max_result_size = _at_least_one(max_result_size, "max_result_size")
        self._outbox: Outbox | None = None
        if outbox is not None:
            from conductor_async.worker._results import outbox as kept  # imports sqlite3: only where it is used

            self._outbox = kept.Outbox(outbox)
        self._quarantine = quarantine
        self._task_log_level = checked_log_level(task_log_level)
        self._guardian = LoopMonitor(self._workers, self.worker_id, self._listeners)
        self._stopping: anyio.Event | None = None
        self._hurry: anyio.Event | None = None
        self._service: HostState | None = None
        self._pollers: tuple[Poller, ...] = ()

    def __repr__(self) -> str:
        names = ", ".join(worker.task_definition_name for worker in self._workers)
        return f"<WorkerHost {self.worker_id} for {names}>"

    @property
    def workers(self) -> tuple[AnyWorker, ...]:
        """The workers, with the options that the environment gave them."""
        return self._workers

    async def run(self, *, signals: bool = False) -> None:
        """Runs the workers until it is cancelled or `stop()` is called; returns when all is delivered.

        Args:
            signals: Stop at SIGINT and SIGTERM, too; at the second one, at once. The handlers that were there
                before are put back in the end.

        Raises:
            ConductorError: A task definition could not be registered.
            ConfigurationError: `signals` is asked for in another thread than the main one.
        """
        with owned(call_soon_from_anywhere(), self._signalled) if signals else nullcontext():
            async with self as host:
                if host._stopping is not None:
                    await host._stopping.wait()

    def _signalled(self) -> None:
        again = self._stopping is not None and self._stopping.is_set()
        logger.warning("A second signal: the worker host stops at once" if again else "A signal: the worker host stops")
        self.stop(at_once=again)

    def stop(self, *, at_once: bool = False) -> None:
        """Begins to stop, as leaving the context does, and returns at once. To be called on the event loop.

        Args:
            at_once: Do not wait for what runs: cancel it and hand it back. Polls under way are given up; a task
                that one of them brings waits for its response timeout.
        """
        if self._stopping is not None:
            self._stopping.set()
        if at_once and self._hurry is not None:
            self._hurry.set()

    def health(self) -> HostHealth:
        """How it is: its pollers, what runs, how late the event loop is, when the server was last heard of."""
        service, guardian = self._service, self._guardian
        slots = sum(worker.options.concurrency for worker in self._workers)
        state = "running" if service is not None else "stopped"
        contact = None
        if service is not None:
            state = "stopping" if service.stopping.is_set() else state
            if service.outage.last_contact is not None:
                contact = service.clock.now() - service.outage.last_contact
        return HostHealth(
            state=state,
            worker_id=self.worker_id,
            pollers=tuple(poller.health() for poller in self._pollers),
            running=0 if service is None else len(service.held),
            slots=min(slots, self._max_running or slots),
            loop_lag=guardian.lag,
            longest_loop_lag=guardian.longest_lag,
            last_contact=contact,
            undelivered=0 if service is None else service.delivery.undelivered,
        )

    # -- running -----------------------------------------------------------------------------------

    @asynccontextmanager
    async def __asynccontextmanager__(self) -> AsyncGenerator[Self]:
        stopping = self._stopping = anyio.Event()  # from now on, a signal has an effect
        self._hurry = anyio.Event()
        for worker in self._workers:
            worker.arguments.resolve()
        await register(self._workers, self._conductor.metadata)
        self._conductor._api.open()  # before the loop is watched: on a cold start, that blocks it
        if self._outbox is not None:
            await self._outbox.open()
        raised: BaseException | None = None
        try:
            with self._guardian.on_guard(), TaskLogHandler(self._workers, self._task_log_level):
                async with anyio.create_task_group() as group:
                    group.start_soon(self._serve, stopping, self._hurry)
                    try:
                        yield self
                    except BaseException as error:
                        raised = error
                        raise
                    finally:
                        stopping.set()
        except BaseExceptionGroup as errors:
            # What the caller raised comes out as it was, not in a group of one.
            if errors.exceptions != (raised,):
                raise _innermost(errors) from None
        if raised is not None:
            raise raised

    async def _serve(self, stopping: anyio.Event, hurry: anyio.Event) -> None:
        """Polls and works until `stopping`, and what follows from it. Cancellation from outside does not reach it."""
        with anyio.CancelScope(shield=True):
            async with self._conductor._api.apart(self._connections()) as lines:
                service = self._service = self._parts(lines, stopping)
                self._pollers = tuple(Poller(worker, service) for worker in self._workers)
                self._tell(HostStarted(self.worker_id, tuple(each.task_definition_name for each in self._workers)))
                try:
                    await self._run_parts(service, hurry)
                finally:
                    self._service = None
                    if self._outbox is not None:
                        await self._outbox.aclose()
                    self._tell(HostStopped(self.worker_id))

    async def _run_parts(self, service: HostState, hurry: anyio.Event) -> None:
        async with anyio.create_task_group() as beside:
            for part in (service.leases, service.watch, service.lost, service.outage):
                beside.start_soon(part.run)
            async with anyio.create_task_group() as work:
                beside.start_soon(self._wind_down, service, hurry, work.cancel_scope)
                if self._outbox is not None:
                    beside.start_soon(self._outbox.run)
                    await self._deliver_what_is_left(service.delivery, self._outbox, work)
                for poller in self._pollers:
                    work.start_soon(poller.run)
            with anyio.move_on_after(_TIME_TO_DELIVER):
                await service.lost.finish()
            beside.cancel_scope.cancel()

    async def _deliver_what_is_left(self, delivery: ResultSender, outbox: Outbox, work: TaskGroup) -> None:
        left = await outbox.left()
        if left:
            logger.warning(
                "The outbox %s has %d results of an earlier run: they are delivered now", outbox.path, len(left)
            )
        for parcel in left:
            work.start_soon(delivery.deliver_kept, parcel)

    async def _wind_down(self, service: HostState, hurry: anyio.Event, work: anyio.CancelScope) -> None:
        """What happens when the host stops, by the clock. All of it ends as soon as the work does."""
        await service.stopping.wait()
        self._tell(HostStopping(self.worker_id, at_once=hurry.is_set()))
        service.delivery.end_at(anyio.current_time() + self._grace + _TIME_TO_DELIVER)
        for poller in self._pollers:
            poller.stop()
        service.slots.wake()
        if await sleep_unless(hurry, self._grace, service.clock):
            self._abandon_polls(service)
        for held in service.held:
            held.end("the worker host is stopping", wait_for_thread=False)
        await service.clock.sleep(_TIME_TO_DELIVER)
        logger.warning(
            "The worker host stops with work under way, because its time is up: polls or functions that do not end"
        )
        work.cancel()

    def _abandon_polls(self, service: HostState) -> None:
        self._tell(HostStopping(self.worker_id, at_once=True))
        service.delivery.end_at(anyio.current_time() + _TIME_TO_DELIVER)
        abandoned = [poller.task_type for poller in self._pollers if poller.abandon_poll()]
        if abandoned:
            logger.warning(
                "The worker host stops at once, and gives up polls under way: a task that one of them brings waits for"
                " its response timeout. They are for %s",
                ", ".join(abandoned),
            )

    # -- its parts ---------------------------------------------------------------------------------

    def _connections(self) -> int:
        """As many as can be needed at once, so that nothing ever waits for a poll to end."""
        slots = sum(worker.options.concurrency for worker in self._workers)
        return (
            min(len(self._workers), self._max_idle_polls) + min(slots, self._max_running or slots) + _MORE_CONNECTIONS
        )

    def _parts(self, lines: Api, stopping: anyio.Event) -> HostState:
        api = lines.with_options(timeout=min(lines.timeout, _REQUEST_TIMEOUT), retry=_ONCE)
        tasks, workflow, clock, listeners = TaskClient(api), WorkflowClient(api), clock_here(api.clock), self._listeners
        slots = sum(worker.options.concurrency for worker in self._workers)
        held = InFlightTasks()
        outage = CircuitBreaker(api, clock, self.worker_id, listeners)
        delivery = ResultSender(
            tasks,
            workflow,
            ResultEncoder(tasks, self._max_result_size),
            outage,
            stopping=stopping,
            clock=clock,
            worker_id=self.worker_id,
            listeners=listeners,
            outbox=self._outbox,
        )
        return HostState(
            worker_id=self.worker_id,
            poll_timeout=self._poll_timeout,
            stopping=stopping,
            clock=clock,
            listeners=listeners,
            tasks=tasks,
            slots=Slots(min(slots, self._max_running or slots)),
            turns=PollLimiter(self._max_idle_polls, len(self._workers)),
            held=held,
            outage=outage,
            delivery=delivery,
            leases=LeaseExtender(tasks, outage, clock, listeners),
            watch=CancellationWatcher(tasks, workflow, outage, clock, listeners),
            lost=OrphanRecovery(tasks, held, delivery, outage, clock=clock, listeners=listeners),
            quarantine=self._quarantine,
        )

    def _tell(self, event: WorkerEvent) -> None:
        if self._listeners:
            self._listeners.tell(event)


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


def _at_least_one(value: int | None, name: str) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise ConfigurationError(f"{name} must be a whole number of at least 1, not {value!r}")
    return value


def _innermost(error: BaseException) -> BaseException:
    """The one error in nested groups of one, or the group that has several."""
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        return _innermost(group.exceptions[0]) if len(group.exceptions) == 1 else group
    return error

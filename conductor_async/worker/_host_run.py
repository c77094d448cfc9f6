"""One run of a host: from its first poll until the server has the last result."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio

from conductor_async.clock import RealClock, sleep_until_set
from conductor_async.errors import ConductorError
from conductor_async.resources import TaskClient, WorkflowClient
from conductor_async.worker._circuit_breaker import CircuitBreaker
from conductor_async.worker._host_state import HostState
from conductor_async.worker._in_flight.cancellation_watcher import CancellationWatcher
from conductor_async.worker._in_flight.lease_extender import LeaseExtender
from conductor_async.worker._in_flight.tasks import InFlightTasks
from conductor_async.worker._polling.limits import PollLimiter, Slots
from conductor_async.worker._polling.orphan_recovery import OrphanRecovery
from conductor_async.worker._polling.poller import Poller
from conductor_async.worker._results.delivery_report import DeliveryReport
from conductor_async.worker._results.encoded_result import ResultEncoder
from conductor_async.worker._results.ownership import Ownership
from conductor_async.worker._results.result_sender import ResultSender
from conductor_async.worker.events import HostStarted, HostStopped, HostStopping

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from conductor_async.resources._worker_api import WorkerApi
    from conductor_async.worker._in_flight.quarantine import Quarantine
    from conductor_async.worker._listeners import Listeners
    from conductor_async.worker._results.outbox import Outbox
    from conductor_async.worker.decorator import AnyWorker

logger = logging.getLogger("conductor_async")

TIME_TO_DELIVER = 10.0
"""Seconds that results get after the grace period."""

_TIME_TO_END = 5.0
"""Seconds that a cancelled function gets to end, of those for delivery. Then its task is handed back without it."""

_TIME_FOR_POLLS = 1.0
"""Seconds that polls under way get when the host stops at once: what they bring is handed back."""

_SPARE_CONNECTIONS = 16
"""Connections beside those for polls and tasks: for hand-backs of what was not started, and for searches."""


_WITHDRAWAL_INTERVAL = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class HostOptions:
    """What a `WorkerHost` was made with: see there."""

    workers: tuple[AnyWorker, ...]
    worker_id: str
    listeners: Listeners
    grace: float
    poll_timeout: float
    max_running: int | None
    max_idle_polls: int
    max_result_size: int | None
    outbox: Outbox | None
    quarantine: Quarantine | None

    @property
    def slots(self) -> int:
        """How many tasks may run at once: what all workers allow together, or the host if that is less."""
        slots = sum(worker.options.concurrency for worker in self.workers)
        return min(slots, self.max_running or slots)

    @property
    def connections(self) -> int:
        """How many connections can be needed at once, so that no request ever waits for a poll to end."""
        # For each task in flight two: one for its lease or its result, which are never sent together, and one to look
        # whether it is still wanted.
        return min(len(self.workers), self.max_idle_polls) + 2 * self.slots + _SPARE_CONNECTIONS


class HostRun:
    """One run of a host.

    Args:
        options: The host's options.
        api: Sends requests to the server, each tried once.
        stopping: Set when the host is to stop.
        force_stop: Set when it is not to wait for what runs.

    Attributes:
        state: The parts that the workers share.
        pollers: One for each worker.
    """

    def __init__(self, options: HostOptions, api: WorkerApi, stopping: anyio.Event, force_stop: anyio.Event) -> None:
        self._options = options
        self._force_stop = force_stop
        self.state = _host_state(options, api, stopping)
        self.pollers = tuple(Poller(worker, self.state) for worker in options.workers)

    async def run(self) -> None:
        """Polls and runs tasks until `stopping` is set, and returns when the server has all results."""
        options = self._options
        listeners, outbox = options.listeners, options.outbox
        if listeners:
            names = tuple(worker.task_definition_name for worker in options.workers)
            listeners.emit(HostStarted(options.worker_id, names))
        try:
            await self._run_parts()
        finally:
            if outbox is not None:
                await outbox.aclose()
            if listeners:
                listeners.emit(HostStopped(options.worker_id))

    async def _run_parts(self) -> None:
        # Two groups: results of the work still need leases and the circuit breaker, and these never end by themselves.
        state, outbox = self.state, self._options.outbox
        async with anyio.create_task_group() as background:
            background.start_soon(state.lease_extender.run)
            background.start_soon(state.cancellation_watcher.run)
            background.start_soon(state.orphan_recovery.run)
            background.start_soon(state.circuit_breaker.run)
            async with anyio.create_task_group() as work:
                background.start_soon(self._wind_down, work.cancel_scope, background)
                if outbox is not None:
                    background.start_soon(outbox.run)
                    await self._send_from_outbox(outbox, work)
                for poller in self.pollers:
                    work.start_soon(poller.run)
            with anyio.move_on_after(TIME_TO_DELIVER):
                await state.orphan_recovery.finish()
            background.cancel_scope.cancel()

    async def _send_from_outbox(self, outbox: Outbox, work: TaskGroup) -> None:
        results = await outbox.read()
        if results:
            logger.warning(
                "The outbox %s has %d results of an earlier run. They are delivered now", outbox.path, len(results)
            )
        for encoded in results:
            work.start_soon(self.state.result_sender.send_from_outbox, encoded)

    # -- stopping ----------------------------------------------------------------------------------

    async def _wind_down(self, work: anyio.CancelScope, background: TaskGroup) -> None:
        """Ends the work in steps once the host stops. Whatever ends by itself before ends all of this, too."""
        state, grace = self.state, self._options.grace
        await state.stopping.wait()
        self._emit_stopping(at_once=self._force_stop.is_set())
        state.result_sender.set_deadline(anyio.current_time() + grace + TIME_TO_DELIVER)
        for poller in self.pollers:
            poller.stop()
        state.slots.notify()
        background.start_soon(self._withdraw_polls)
        if await sleep_until_set(self._force_stop, grace, state.clock):
            background.start_soon(self._stop_at_once)
        for in_flight in state.in_flight:
            in_flight.cancel("the worker host is stopping", wait_for_thread=False)
        await state.clock.sleep(_TIME_TO_END)
        for in_flight in state.in_flight:
            if (position := in_flight.leave_behind()) is not None:
                logger.error(
                    "Worker %r has not ended in the %g s since it was cancelled. It is left behind, and task %s is"
                    " handed back. Let CancelledError out of the function, which is at %s",
                    in_flight.context.task_def_name,
                    _TIME_TO_END,
                    in_flight.task.task_id,
                    position,
                )
        await state.clock.sleep(TIME_TO_DELIVER - _TIME_TO_END)
        logger.warning(
            "The worker host stops although polls or functions have not ended: the grace period of %g s and %g s more"
            " are over",
            grace,
            TIME_TO_DELIVER,
        )
        work.cancel()

    async def _withdraw_polls(self) -> None:
        """Has a dev server answer the open polls now. On a real server, the polls end when their time is up."""
        while worker_ids := {poller.worker_id for poller in self.pollers if poller.is_polling}:
            try:
                for worker_id in worker_ids:
                    await self.state.api.withdraw_polls(worker_id)
            except ConductorError as error:
                logger.debug("Open polls cannot be withdrawn, and end by themselves: %s", error)
                return
            await anyio.sleep(_WITHDRAWAL_INTERVAL)  # a poll may have been on its way to the server

    async def _stop_at_once(self) -> None:
        self._emit_stopping(at_once=True)
        self.state.result_sender.set_deadline(anyio.current_time() + TIME_TO_DELIVER)
        await anyio.sleep(_TIME_FOR_POLLS)
        abandoned = [poller.task_type for poller in self.pollers if poller.abandon_poll()]
        if abandoned:
            logger.warning(
                "The worker host stops at once and abandons its polls for %s. A task that one of them brings waits for"
                " its response timeout",
                ", ".join(abandoned),
            )

    def _emit_stopping(self, *, at_once: bool) -> None:
        if self._options.listeners:
            self._options.listeners.emit(HostStopping(self._options.worker_id, at_once=at_once))


def _host_state(options: HostOptions, api: WorkerApi, stopping: anyio.Event) -> HostState:
    tasks, workflows = TaskClient(api.api), WorkflowClient(api.api)
    clock = api.clock or RealClock.of_running_loop()
    worker_id, listeners = options.worker_id, options.listeners
    in_flight = InFlightTasks()
    circuit_breaker = CircuitBreaker(api, clock, worker_id, listeners)
    ownership = Ownership(api, circuit_breaker, clock)
    result_sender = ResultSender(
        api,
        workflows,
        ResultEncoder(tasks, options.max_result_size),
        ownership,
        circuit_breaker,
        DeliveryReport(circuit_breaker, clock, worker_id, listeners, options.outbox),
        stopping=stopping,
        clock=clock,
        outbox=options.outbox,
    )
    return HostState(
        worker_id=worker_id,
        poll_timeout=options.poll_timeout,
        stopping=stopping,
        clock=clock,
        listeners=listeners,
        api=api,
        slots=Slots(options.slots),
        poll_limiter=PollLimiter(options.max_idle_polls, len(options.workers)),
        in_flight=in_flight,
        circuit_breaker=circuit_breaker,
        result_sender=result_sender,
        lease_extender=LeaseExtender(api, circuit_breaker, clock, listeners),
        cancellation_watcher=CancellationWatcher(api, workflows, circuit_breaker, clock, listeners),
        orphan_recovery=OrphanRecovery(
            ownership, tasks, in_flight, result_sender, circuit_breaker, clock=clock, listeners=listeners
        ),
        quarantine=options.quarantine,
    )

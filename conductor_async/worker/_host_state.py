"""What all pollers of a running host share, and what runs beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import anyio

    from conductor_async.clock import Clock
    from conductor_async.resources import TaskClient
    from conductor_async.worker._circuit_breaker import CircuitBreaker
    from conductor_async.worker._in_flight.cancellation_watcher import CancellationWatcher
    from conductor_async.worker._in_flight.lease_extender import LeaseExtender
    from conductor_async.worker._in_flight.tasks import InFlightTasks
    from conductor_async.worker._polling.orphan_recovery import OrphanRecovery
    from conductor_async.worker._polling.quarantine import Quarantine
    from conductor_async.worker._polling.slots import PollLimiter, Slots
    from conductor_async.worker._results.result_sender import ResultSender
    from conductor_async.worker.events import Listeners


@dataclass(frozen=True, slots=True)
class HostState:
    """The parts of a host while it runs.

    Attributes:
        worker_id: Who the server is told has the tasks: unique to this host.
        poll_timeout: Seconds that a poll waits at the server, where a worker does not say.
        stopping: Set when the host stops.
        clock: Its time.
        listeners: Who is told what happens.
        tasks: The server's tasks, with requests that are tried once.
        slots: How many tasks the host may run.
        turns: How many polls may wait at the server.
        held: The tasks in hand.
        outage: Whether the server can be reached.
        delivery: Where results go.
        leases: Keeps long tasks.
        watch: Ends tasks that nobody wants any more.
        lost: Finds tasks whose answers were lost.
        quarantine: Says which tasks are failed for good instead of run, and why.
    """

    worker_id: str
    poll_timeout: float
    stopping: anyio.Event
    clock: Clock
    listeners: Listeners
    tasks: TaskClient
    slots: Slots
    turns: PollLimiter
    held: InFlightTasks
    outage: CircuitBreaker
    delivery: ResultSender
    leases: LeaseExtender
    watch: CancellationWatcher
    lost: OrphanRecovery
    quarantine: Quarantine | None

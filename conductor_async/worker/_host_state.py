"""What the workers of a running host share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import anyio

    from conductor_async.clock import Clock
    from conductor_async.resources._worker_api import WorkerApi
    from conductor_async.worker._circuit_breaker import CircuitBreaker
    from conductor_async.worker._in_flight.cancellation_watcher import CancellationWatcher
    from conductor_async.worker._in_flight.lease_extender import LeaseExtender
    from conductor_async.worker._in_flight.quarantine import Quarantine
    from conductor_async.worker._in_flight.tasks import InFlightTasks
    from conductor_async.worker._listeners import Listeners
    from conductor_async.worker._polling.limits import PollLimiter, Slots
    from conductor_async.worker._polling.orphan_recovery import OrphanRecovery
    from conductor_async.worker._results.result_sender import ResultSender


@dataclass(frozen=True, slots=True)
class HostState:
    """The parts of a host while it runs.

    Attributes:
        worker_id: The worker id of this host, which no other process has.
        poll_timeout: Seconds that a poll waits at the server, if the worker does not say.
        stopping: Set when the host stops.
        clock: The host's clock.
        listeners: Receive events.
        api: Sends requests to the server, each tried once.
        slots: Slots for the tasks of all workers together.
        poll_limiter: Limits the polls that wait at the server.
        in_flight: The tasks in flight.
        circuit_breaker: Knows whether the server can be reached.
        result_sender: Sends results.
        lease_extender: Extends the leases of long tasks.
        cancellation_watcher: Cancels functions whose results are no longer wanted.
        orphan_recovery: Finds tasks whose responses were lost.
        quarantine: Decides which tasks fail for good instead of being run.
    """

    worker_id: str
    poll_timeout: float
    stopping: anyio.Event
    clock: Clock
    listeners: Listeners
    api: WorkerApi
    slots: Slots
    poll_limiter: PollLimiter
    in_flight: InFlightTasks
    circuit_breaker: CircuitBreaker
    result_sender: ResultSender
    lease_extender: LeaseExtender
    cancellation_watcher: CancellationWatcher
    orphan_recovery: OrphanRecovery
    quarantine: Quarantine | None

"""What all pollers of a running host share, and what runs beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import anyio

    from conductor_async.clock import Clock
    from conductor_async.resources import TaskClient
    from conductor_async.worker.delivery.delivery import Delivery
    from conductor_async.worker.events import Listeners
    from conductor_async.worker.holding.held import HeldTasks
    from conductor_async.worker.holding.lease import Leases
    from conductor_async.worker.holding.watching import Watch
    from conductor_async.worker.outage import Outage
    from conductor_async.worker.polling.lost import LostTasks
    from conductor_async.worker.polling.quarantine import Quarantine
    from conductor_async.worker.polling.slots import Slots, Turns


@dataclass(frozen=True, slots=True)
class Service:
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
    turns: Turns
    held: HeldTasks
    outage: Outage
    delivery: Delivery
    leases: Leases
    watch: Watch
    lost: LostTasks
    quarantine: Quarantine | None

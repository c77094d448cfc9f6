"""The state of a host: what `WorkerHost.health()` returns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PollerHealth:
    """The state of one poller.

    Attributes:
        task_type: What it polls for.
        domain: The domain that it polls in, if any.
        state: `polling`, `full` (all slots are taken), `waiting` (for its turn or its interval), `paused`,
            `unreachable` (the server cannot be reached), `failing` (the last poll failed), or `stopped`.
        running: How many tasks it has in flight.
        slots: How many it may have.
        last_poll: Seconds since the server last answered a poll; None if it never did.
        error: Why the last poll failed, if it did.
    """

    task_type: str
    domain: str | None
    state: str
    running: int
    slots: int
    last_poll: float | None
    error: str | None

    @property
    def is_live(self) -> bool:
        """Whether it polls, or will as soon as it may."""
        return self.state in ("polling", "full", "waiting")


@dataclass(frozen=True, slots=True)
class HostHealth:
    """The state of a host.

    Attributes:
        state: `running`, `stopping` or `stopped`.
        worker_id: The name under which the server keeps the tasks of this host.
        pollers: The state of each poller.
        running: How many tasks are in flight.
        slots: How many may be: over all workers, or `max_running` if that is less.
        loop_lag: Seconds that the event loop took to answer the last check, at most half a second ago.
        longest_loop_lag: The most seconds that it took.
        last_contact: Seconds since the server last answered; None if it never did.
        undelivered: How many results are on their way to the server.
    """

    state: str
    worker_id: str
    pollers: tuple[PollerHealth, ...]
    running: int
    slots: int
    loop_lag: float
    longest_loop_lag: float
    last_contact: float | None
    undelivered: int

    @property
    def is_healthy(self) -> bool:
        """Whether it runs, each poller polls or is paused, and the event loop answers within a second."""
        return (
            self.state == "running"
            and self.loop_lag < 1.0
            and all(poller.is_live or poller.state == "paused" for poller in self.pollers)
        )

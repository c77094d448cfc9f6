"""How a host is: what `WorkerHost.health()` returns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PollerHealth:
    """One poller of a host.

    Attributes:
        task_type: What it polls for.
        domain: In which domain, if in one.
        state: `polling`, `full` (all slots are taken), `waiting` (its turn, or its interval), `paused`, `unreachable`
            (the server is), `failing` (the last poll did), or `stopped`.
        running: How many tasks it has in hand.
        slots: How many it may have.
        last_poll: Seconds since a poll was answered; None if none was yet.
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
        """Whether it polls, or will when it may."""
        return self.state in ("polling", "full", "waiting")


@dataclass(frozen=True, slots=True)
class HostHealth:
    """A host.

    Attributes:
        state: `running`, `stopping` or `stopped`.
        worker_id: Who the server is told has the tasks.
        pollers: Each of its pollers.
        running: How many tasks are in hand.
        slots: How many may be: of all workers together, or of the host if that is less.
        loop_lag: Seconds that the event loop took to answer when it was asked last, half a second ago or less.
        longest_loop_lag: The most that it took.
        last_contact: Seconds since the server answered; None if it has not yet.
        undelivered: Results on their way to the server.
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
        """Whether it runs and can reach the server, each poller polls (unless it is paused), and the loop is free."""
        return (
            self.state == "running"
            and self.loop_lag < 1.0
            and all(poller.is_live or poller.state == "paused" for poller in self.pollers)
        )

"""A circuit breaker: while the server cannot be reached, one request at a time probes it and all others wait."""

from __future__ import annotations

import logging
import random
from typing import TYPE_CHECKING

import anyio

from conductor_async.clock import sleep_until_set
from conductor_async.errors import (
    APIError,
    ClientClosedError,
    ConductorError,
    ConnectionFailedError,
    ServerError,
    WrongEventLoopError,
)
from conductor_async.worker.events import ServerRecovered, ServerUnreachable

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from conductor_async.clock import Clock
    from conductor_async.resources._worker_api import WorkerApi
    from conductor_async.worker._listeners import Listeners

logger = logging.getLogger("conductor_async")

_THRESHOLD = 5
"""Failures in a row that open the circuit."""

_PROBE_INTERVAL = (1.0, 1.6)
_LATER_PROBE_INTERVAL = (15.0, 30.0)
_LATER = 300.0
"""Seconds from one probe to the next: at first, and once the circuit has been open for `_LATER`."""

_RAMP_UP = 2.0
"""Seconds over which the waiting requests are spread when the server is back."""


def is_unreachable(error: ConductorError) -> bool:
    """Returns whether a failure says that no server is there: nothing listens, or a gateway says that nothing does."""
    return isinstance(error, ConnectionFailedError) or (
        isinstance(error, ServerError) and error.status in (502, 503, 504)
    )


class CircuitBreaker:
    """Knows whether the server can be reached, from the outcome of all requests of a host.

    Args:
        api: Probes the server.
        clock: The host's clock.
        worker_id: The worker id of its events.
        listeners: Receive its events.

    Attributes:
        last_success: When the server last answered, on the host's clock; None if it has not yet.
    """

    def __init__(self, api: WorkerApi, clock: Clock, worker_id: str, listeners: Listeners) -> None:
        self._api = api
        self._clock = clock
        self._worker_id = worker_id
        self._listeners = listeners
        self._failures = 0
        self._opened = anyio.Event()
        self._closed: anyio.Event | None = None
        """Set when an open circuit closes; None while it is closed."""
        self.last_success: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether the server counts as unreachable."""
        return self._closed is not None

    def record_success(self) -> None:
        """The server answered."""
        self.last_success = self._clock.now()
        self._failures = 0
        if self._closed is not None:
            self._closed.set()

    def record_failure(self, error: ConductorError) -> None:
        """A request failed. An error that the server itself answered shows that it can be reached."""
        if not is_unreachable(error):
            if isinstance(error, APIError):
                self.record_success()
            return
        self._failures += 1
        if self._failures == _THRESHOLD and self._closed is None:
            logger.warning(
                "The server cannot be reached (%s). Workers pause, and one request every second or more probes it until"
                " it is back",
                error,
            )
            self._closed = anyio.Event()
            self._opened.set()
            if self._listeners:
                self._listeners.emit(ServerUnreachable(self._worker_id, error))

    async def wait_until_closed(self, stopping: anyio.Event | None = None) -> None:
        """Returns when the server can be reached. Those who wait return over two seconds, not all at the same moment.

        Args:
            stopping: Return as well when this is set.
        """
        if (closed := self._closed) is None:
            return
        async with anyio.create_task_group() as either:
            if stopping is not None:
                either.start_soon(_cancel_when, stopping, either)
            await closed.wait()
            either.cancel_scope.cancel()
        if closed.is_set():
            # Squared: a few go first, so that a server that is only just up is not run over.
            await sleep_until_set(stopping or anyio.Event(), _RAMP_UP * random.random() ** 2, self._clock)  # noqa: S311

    async def run(self) -> None:
        """Probes the server while the circuit is open, until cancelled."""
        while True:
            await self._opened.wait()
            assert self._closed is not None
            since = self._clock.now()
            while not await self._probe():
                least, most = _LATER_PROBE_INTERVAL if self._clock.now() - since > _LATER else _PROBE_INTERVAL
                await sleep_until_set(self._closed, random.uniform(least, most), self._clock)  # noqa: S311
            seconds = self._clock.now() - since
            self._opened = anyio.Event()
            closed, self._closed = self._closed, None
            closed.set()
            logger.warning("The server is back after %.1f s", seconds)
            if self._listeners:
                self._listeners.emit(ServerRecovered(self._worker_id, seconds))

    async def _probe(self) -> bool:
        """Returns whether the server is back: it answers now, or has answered another request meanwhile."""
        if self._closed is not None and self._closed.is_set():
            return True
        try:
            await self._api.ping()
        except (ClientClosedError, WrongEventLoopError):
            return True  # the requests that wait run into the same error, and report it
        except ConductorError as error:
            if not isinstance(error, APIError) or is_unreachable(error):
                return False
        self.record_success()
        return True


async def _cancel_when(event: anyio.Event, group: TaskGroup) -> None:
    await event.wait()
    group.cancel_scope.cancel()

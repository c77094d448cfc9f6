"""When the server cannot be reached, one asks whether it is back, and everybody else waits for the answer."""

from __future__ import annotations

import logging
import random
from typing import TYPE_CHECKING

import anyio

from conductor_async._http.routes import route
from conductor_async.clock import sleep_unless
from conductor_async.errors import (
    APIError,
    ClientClosedError,
    ConductorError,
    ConnectionFailedError,
    ServerError,
    WrongEventLoopError,
)
from conductor_async.worker.events import ServerBack, ServerLost

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from conductor_async._http.call import Api
    from conductor_async.clock import Clock
    from conductor_async.worker.events import Listeners

logger = logging.getLogger("conductor_async")

_FAILURES = 5
"""So many in a row, and the server counts as gone."""

_SOON = (1.0, 1.6)
_LATER = (15.0, 30.0)
_LONG = 300.0
"""Seconds between two looks: at first and when it has been gone for so long."""

_RAMP = 2.0
"""Seconds in which all come back to a server that is back."""


def is_gone(error: ConductorError) -> bool:
    """Whether a failure says that there is no server: nobody listens, or a proxy says that nobody does."""
    return isinstance(error, ConnectionFailedError) or (
        isinstance(error, ServerError) and error.status in (502, 503, 504)
    )


class CircuitBreaker:
    """Knows whether the server can be reached, by what all requests of a host tell it.

    Args:
        api: Whom to ask whether it is back.
        clock: The host's time.
        worker_id: Whose events these are.
        listeners: Who is told.
    """

    def __init__(self, api: Api, clock: Clock, worker_id: str, listeners: Listeners) -> None:
        self._api = api
        self._clock = clock
        self._worker_id = worker_id
        self._listeners = listeners
        self._failures = 0
        self._over: anyio.Event | None = None
        self._asked = anyio.Event()
        self.last_contact: float | None = None

    @property
    def is_on(self) -> bool:
        """Whether the server counts as gone."""
        return self._over is not None

    def works(self) -> None:
        """The server answered."""
        self.last_contact = self._clock.now()
        self._failures = 0
        if self._over is not None:
            self._over.set()

    def failed(self, error: ConductorError) -> None:
        """A request failed."""
        if not is_gone(error):
            if isinstance(error, APIError):
                self.works()
            return
        self._failures += 1
        if self._failures == _FAILURES and self._over is None:
            logger.warning(
                "The server cannot be reached: workers wait, and one request in a second or more looks for it: %s",
                error,
            )
            self._over = anyio.Event()
            self._asked.set()
            if self._listeners:
                self._listeners.tell(ServerLost(self._worker_id, error))

    async def over(self, stopping: anyio.Event | None = None) -> None:
        """Returns when the server can be reached: all who wait within two seconds, not all at the same moment.

        Args:
            stopping: Or when this is set.
        """
        if (over := self._over) is None:
            return
        async with anyio.create_task_group() as either:
            if stopping is not None:
                either.start_soon(_cancel_when, stopping, either)
            await over.wait()
            either.cancel_scope.cancel()
        if over.is_set():
            await sleep_unless(stopping or anyio.Event(), _RAMP * random.random() ** 2, self._clock)  # noqa: S311

    async def run(self) -> None:
        """Looks for a lost server, until cancelled."""
        while True:
            await self._asked.wait()
            assert self._over is not None
            since = self._clock.now()
            while not await self._is_back():
                least, most = _LATER if self._clock.now() - since > _LONG else _SOON
                await sleep_unless(self._over, random.uniform(least, most), self._clock)  # noqa: S311
            seconds = self._clock.now() - since
            self._asked = anyio.Event()
            over, self._over = self._over, None
            over.set()
            logger.warning("The server is back, after %.1f s", seconds)
            if self._listeners:
                self._listeners.tell(ServerBack(self._worker_id, seconds))

    async def _is_back(self) -> bool:
        if self._over is not None and self._over.is_set():
            return True
        try:
            await self._api.call("GET", route("/version"), returns=str, or_none=True)
        except (ClientClosedError, WrongEventLoopError):
            return True  # those who wait are to find that out
        except ConductorError as error:
            if not isinstance(error, APIError) or is_gone(error):
                return False
        self.works()
        return True


async def _cancel_when(event: anyio.Event, group: TaskGroup) -> None:
    await event.wait()
    group.cancel_scope.cancel()

"""Connections to one server: sends requests, reads complete responses, and says what went wrong with a request."""

from __future__ import annotations

import logging
import re
import warnings
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel

from conductor_async._http.decompression import UnreadableResponseError
from conductor_async._http.retries import RetryBudget
from conductor_async._http.transport.factory import make_transport
from conductor_async._http.transport.interface import NotSentError, SendError, TransportTimeoutError
from conductor_async._http.transport.quoting import checked_url
from conductor_async._text import LONGEST_TEXT, escaped
from conductor_async.errors import (
    ClientClosedError,
    ConnectionFailedError,
    RequestTimeoutError,
    ResponseDecodeError,
    TransportError,
    WrongEventLoopError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    import httpx

    from conductor_async._http.transport.interface import Response, Transport
    from conductor_async.config import Configuration

logger = logging.getLogger("conductor_async")

_CLOSE_TIMEOUT = 5.0  # seconds

_CLOSED = "The client is closed. Make a new one, or keep it open for as long as you use it."
_CLOSED_MEANWHILE = "The client was closed while this call was in progress."


class Session:
    """Connections to one server, opened by the first request and bound to the event loop that makes it.

    A client and all that `with_options` makes of it share one session.

    Args:
        configuration: How to talk to the server.
        http_client: Sends all requests through this client, and never closes it.
        url: The server, if it is another one than the configuration's.
        max_connections: The most connections, if other than the configuration's.
        budget: The retry budget, if it is shared with another session.

    Attributes:
        budget: The retry budget of all calls over this session.
        injected_transport: Sends all requests through this transport of httpx. Set it before the first request.
    """

    def __init__(
        self,
        configuration: Configuration,
        http_client: httpx.AsyncClient | None = None,
        *,
        url: str | None = None,
        max_connections: int | None = None,
        budget: RetryBudget | None = None,
    ) -> None:
        self.budget = budget or RetryBudget(configuration.retry.budget)
        self.injected_transport: httpx.AsyncBaseTransport | None = None
        self._configuration = configuration
        self._http_client = http_client
        self._url = url or configuration.server_api_url
        self._max_connections = max_connections or configuration.limits.max_connections
        self._transport: Transport | None = None
        self._loop: object = None
        self._closed = False
        self._in_flight: set[anyio.CancelScope] = set()
        self._dedicated: set[Session] = set()

    def check_open(self) -> None:
        """Raises a ClientClosedError if the session is closed."""
        if self._closed:
            raise ClientClosedError(_CLOSED)

    def open(self) -> None:
        """Imports the HTTP library and makes the SSL context, which otherwise slows the first request down.

        Raises:
            ClientClosedError: The session is closed.
            ConfigurationError: The certificates cannot be loaded.
        """
        self._open_transport()

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, *, timeout: float
    ) -> Response:
        """Sends one request and returns the complete response, whatever its status.

        Raises:
            ClientClosedError: The session is closed, or was closed meanwhile.
            ConnectionFailedError: The request was provably not sent.
            RequestTimeoutError: The response was not complete within `timeout` seconds.
            TransportError: The connection broke; the server may have processed the request.
            ResponseDecodeError: The response is too large, or not compressed as it says.
        """
        transport = self._open_transport()
        connect_timeout = min(timeout, self._configuration.connect_timeout)
        try:
            with anyio.move_on_after(timeout) as scope:
                self._in_flight.add(scope)
                try:
                    return await transport.send(method, url, headers, content or b"", connect_timeout=connect_timeout)
                finally:
                    self._in_flight.discard(scope)
        except SendError as error:
            if self._closed:
                raise ClientClosedError(_CLOSED_MEANWHILE) from error.__cause__
            raise _transport_error(error, method, url) from _without_frames(error.__cause__)
        except UnreadableResponseError as error:
            raise ResponseDecodeError(
                f"{_target(method, url)}: the response {error}", status=error.status, method=method
            ) from error.__cause__
        except RuntimeError as error:
            if self._closed:  # what the HTTP libraries raise when their connections are closed under a request
                raise ClientClosedError(_CLOSED_MEANWHILE) from error
            raise
        if self._closed:
            raise ClientClosedError(_CLOSED_MEANWHILE)
        raise RequestTimeoutError(f"{_target(method, url)}: no complete response within {timeout:g} s")

    async def fetch_external(self, url: str, *, timeout: float) -> Response:
        """Fetches a URL of another server: over a connection of its own, without the client's headers.

        Raises:
            ConductorError: As `send`.
        """
        self._check_usable()
        try:
            url = checked_url(url)
        except ValueError as error:
            raise ResponseDecodeError(f"it is not a valid URL ({error})", method="GET") from error
        external = Session(self._configuration, url=url, max_connections=1)
        try:
            headers = {"Accept": "*/*", "Accept-Encoding": "gzip"}
            return await external.send("GET", url, headers, None, timeout=timeout)
        finally:
            with anyio.CancelScope(shield=True):
                await external.aclose()

    @asynccontextmanager
    async def dedicated(self, max_connections: int) -> AsyncGenerator[Session]:
        """A session of its own to the same server, with the same retry budget; closed with this one at the latest.

        A session over an injected client or transport yields itself: these are the only way to the server.
        """
        self.check_open()
        if self._http_client is not None or self.injected_transport is not None:
            yield self
            return
        other = Session(self._configuration, max_connections=max_connections, budget=self.budget)
        self._dedicated.add(other)
        try:
            yield other
        finally:
            self._dedicated.discard(other)
            await other.aclose()

    def __del__(self) -> None:
        transport = getattr(self, "_transport", None)
        if transport is not None and self._http_client is None and self.injected_transport is None:
            transport.abandon()  # first: the HTTP library would warn of connections that nobody knows here
            url = self._configuration.server_api_url
            text = f"A ConductorClient of {url} was not closed: use `async with`, or call `aclose()` when done."
            logger.warning(text)
            warnings.warn(text, ResourceWarning, source=self, stacklevel=2)

    async def aclose(self) -> None:
        """Closes the connections. Idempotent. Requests in flight end with a ClientClosedError."""
        self._closed = True
        for other in tuple(self._dedicated):
            await other.aclose()
        if self._loop is anyio.lowlevel.current_token().native_token:
            # Requests that wait for a connection too: the pools would let them wait on, or cancel them from within.
            for scope in tuple(self._in_flight):
                scope.cancel()
        transport, self._transport = self._transport, None
        if transport is not None:
            with anyio.move_on_after(_CLOSE_TIMEOUT, shield=True):  # cancelled or not, no connection stays open
                await transport.aclose()

    def _open_transport(self) -> Transport:
        self._check_usable()
        if self._transport is None:
            self._transport = self._new_transport()
        return self._transport

    def _new_transport(self) -> Transport:
        if self._http_client is None and self.injected_transport is None:
            return make_transport(self._configuration, self._url, self._max_connections)
        # Imports httpx, which takes a while: only where it is used.
        from conductor_async._http.transport.httpx import HttpxClientTransport, HttpxTransport

        max_size = self._configuration.max_response_size
        if self._http_client is not None:
            return HttpxClientTransport(self._http_client, max_size)
        assert self.injected_transport is not None
        return HttpxTransport(self.injected_transport, max_size)

    def _check_usable(self) -> None:
        self.check_open()
        if self._http_client is not None and self._http_client.is_closed:
            raise ClientClosedError("The http_client given to this client is closed.")
        loop = anyio.lowlevel.current_token().native_token
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise WrongEventLoopError(
                f"This client was first used on {self._loop!r} and is now used on {loop!r}. Its connections belong to"
                " the first: make one client per event loop, inside it (asyncio.run() makes a new loop each time)."
            )


def _without_frames(cause: BaseException | None) -> BaseException | None:
    """Drops the frames inside of the HTTP library from a cause and its causes, some sixty lines when printed.

    None if it would print all of what the server sent.
    """
    each = cause
    while each is not None:
        each.__traceback__, each = None, each.__cause__
    return cause if len(str(cause)) <= LONGEST_TEXT else None


def _transport_error(error: SendError, method: str, url: str) -> TransportError:
    target, reason = _target(method, url), escaped(str(error))  # the libraries' texts show what the server sent
    if isinstance(error, NotSentError):
        return ConnectionFailedError(
            f"{target}: the server could not be reached ({reason}). Nothing was sent", method=method
        )
    if isinstance(error, TransportTimeoutError):
        return RequestTimeoutError(f"{target}: no response in time ({reason})", method=method)
    return TransportError(f"{target}: the connection broke before the response was complete ({reason})", method=method)


def _target(method: str, url: str) -> str:
    # Without the query, which may hold inputs.
    return f"{method} {re.sub(r'//[^/]*@', '//', url.partition('?')[0])}"

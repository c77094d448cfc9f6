"""One session with the server: sends requests, reads whole answers, and says what went wrong with a request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel

from conductor_async._http.decompression import UnreadableError
from conductor_async._http.transport.factory import checked_url, make_transport
from conductor_async._http.transport.interface import NotSentError, SendError, TransportTimeoutError
from conductor_async.errors import (
    ClientClosedError,
    ConnectionFailedError,
    RequestTimeoutError,
    ResponseDecodeError,
    TransportError,
    WrongEventLoopError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from conductor_async._http.transport.interface import Response, Transport
    from conductor_async.config import Configuration

#: Seconds that closing may take, at the most.
_CLOSING = 5.0

_CLOSED = "The client was closed while this call was under way."


class Session:
    """Connections to one server, opened at the first request and bound to the event loop that makes it.

    Args:
        configuration: How to talk to the server.
        http_client: Go through this client, which is its owner's.
        transport: Or through this transport of httpx's.
        connections: How many there may be, if not as many as the configuration says.
    """

    def __init__(
        self,
        configuration: Configuration,
        http_client: httpx.AsyncClient | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        connections: int | None = None,
    ) -> None:
        self._configuration = configuration
        self._connections = connections or configuration.limits.max_connections
        self._injected = http_client
        self._transport = transport
        self._wire: Transport | None = None
        self._loop: object = None
        self._closed = False
        self._under_way: set[anyio.CancelScope] = set()

    def open(self) -> None:
        """Does now what takes its time at the first request: imports the HTTP library, makes the SSL context.

        Raises:
            ConfigurationError: The certificates cannot be loaded.
        """
        self._check_loop()
        self._opened()

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, *, timeout: float
    ) -> Response:
        """Sends one request and reads the whole answer, whatever its status.

        Raises:
            ConnectionFailedError: The request was provably not sent.
            RequestTimeoutError: No whole answer within `timeout` seconds.
            TransportError: The connection broke; the request may have been carried out.
            ResponseDecodeError: The answer is larger than allowed, or not packed as it says.
        """
        self._check_loop()
        wire = self._opened()
        connect_timeout = min(timeout, self._configuration.connect_timeout)
        try:
            with anyio.move_on_after(timeout) as scope:
                self._under_way.add(scope)
                try:
                    return await wire.ask(method, url, headers, content or b"", connect_timeout=connect_timeout)
                finally:
                    self._under_way.discard(scope)
        except SendError as error:
            if self._closed:
                raise ClientClosedError(_CLOSED) from error.__cause__
            raise _explained(error, method, url) from error.__cause__
        except UnreadableError as error:
            raise ResponseDecodeError(
                f"{_where(method, url)}: the answer {error}", status=error.status, method=method
            ) from error.__cause__
        except RuntimeError as error:
            if self._closed:
                raise ClientClosedError(_CLOSED) from error
            raise
        if self._closed:
            raise ClientClosedError(_CLOSED)
        raise RequestTimeoutError(f"{_where(method, url)}: no whole answer within {timeout:g} s")

    async def fetch_external(self, url: str, *, timeout: float) -> Response:
        """Fetches a URL of another server: on a connection of its own, with no header of ours."""
        self._check_loop()
        try:
            url = checked_url(url)
        except ValueError as error:
            raise ResponseDecodeError(f"it is no URL ({error})", method="GET") from error
        outside = Session(self._configuration)
        outside._wire = make_transport(self._configuration, url, 1)
        try:
            headers = {"Accept": "*/*", "Accept-Encoding": "gzip"}
            return await outside.send("GET", url, headers, None, timeout=timeout)
        finally:
            with anyio.CancelScope(shield=True):
                await outside.aclose()

    async def aclose(self) -> None:
        """Closes the connections. An injected client stays open: it is its owner's."""
        self._closed = True
        if self._loop is anyio.lowlevel.current_token().native_token:
            # Also those that wait for a connection: left to the pools, they would wait on, or be cancelled from within.
            for scope in tuple(self._under_way):
                scope.cancel()
        wire, self._wire = self._wire, None
        if wire is not None:
            with anyio.move_on_after(_CLOSING, shield=True):  # cancelled or not, nothing stays open
                await wire.aclose()

    def _opened(self) -> Transport:
        if self._wire is None:
            self._wire = self._new_wire()
        return self._wire

    def _new_wire(self) -> Transport:
        configuration = self._configuration
        if self._injected is None and self._transport is None:
            return make_transport(configuration, configuration.server_api_url, self._connections)
        from conductor_async._http.transport.httpx import (  # imports httpx: only where it is used
            HttpxClientTransport,
            HttpxTransport,
        )

        if self._injected is not None:
            return HttpxClientTransport(self._injected, configuration.max_response_size)
        assert self._transport is not None
        return HttpxTransport(self._transport, configuration.max_response_size)

    def _check_loop(self) -> None:
        if self._injected is not None and self._injected.is_closed:
            raise ClientClosedError("The http_client given to this client is closed.")
        loop = anyio.lowlevel.current_token().native_token
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise WrongEventLoopError(
                f"This client was first used on {self._loop!r} and is now used on {loop!r}. Its connections belong to"
                " the first: make one client per event loop, inside it (asyncio.run() makes a new loop each time)."
            )


def _explained(error: SendError, method: str, url: str) -> TransportError:
    where = _where(method, url)
    if isinstance(error, NotSentError):
        return ConnectionFailedError(
            f"{where}: the server could not be reached ({error}). Nothing was sent", method=method
        )
    if isinstance(error, TransportTimeoutError):
        return RequestTimeoutError(f"{where}: no answer in time ({error})", method=method)
    return TransportError(f"{where}: the connection broke before the answer was read ({error})", method=method)


def _where(method: str, url: str) -> str:
    # Without the query: it may hold inputs.
    return f"{method} {re.sub(r'//[^/]*@', '//', url.partition('?')[0])}"

"""One session with the server: sends prepared requests, reads whole answers, and says what went wrong with a request.

An injected `httpx.AsyncClient` is used as it is; else `transports` has what is needed.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio
import anyio.lowlevel
import httpx

from conductor_async._http.transports import make_transport, was_not_sent, wire_errors
from conductor_async._http.unpacking import Unpacker, UnreadableError
from conductor_async.errors import (
    ClientClosedError,
    ConnectionFailedError,
    RequestTimeoutError,
    ResponseDecodeError,
    TransportError,
    WrongEventLoopError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from conductor_async.config import Configuration


@functools.lru_cache(maxsize=512)
def _parsed(url: str) -> tuple[httpx.URL, bytes]:
    parsed = httpx.URL(url)
    return parsed, parsed.netloc


#: Seconds that closing may take, at the most.
_CLOSING = 5.0


class Answer(NamedTuple):
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Session:
    """Connections to one server, opened at the first request and bound to the event loop that makes it."""

    def __init__(
        self,
        configuration: Configuration,
        http_client: httpx.AsyncClient | None,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        connections: int | None = None,
    ) -> None:
        self._configuration = configuration
        self._connections = connections or configuration.limits.max_connections
        self._injected = http_client
        self._transport = transport
        self._loop: object = None
        self._closed = False
        self._under_way: set[anyio.CancelScope] = set()

    def open(self) -> None:
        """Does now what takes its time at the first request: imports the HTTP library, makes the SSL context.

        Raises:
            ConfigurationError: The certificates cannot be loaded.
        """
        self._check_loop()
        if self._injected is None:
            self._own_transport()

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, *, timeout: float
    ) -> Answer:
        """Sends one request and reads the whole answer, whatever its status.

        Raises:
            ConnectionFailedError: The request was provably not sent.
            RequestTimeoutError: No whole answer within `timeout` seconds.
            TransportError: The connection broke; the request may have been carried out.
            ResponseDecodeError: The answer is larger than allowed, or not packed as it says.
        """
        self._check_loop()
        connect = min(timeout, self._configuration.connect_timeout)
        if self._injected is not None:
            ours = {name.lower() for name in headers}
            theirs = {name: value for name, value in self._injected.headers.items() if name not in ours}
            headers = {**theirs, **headers}
        request = _request(method, url, headers, content or b"")
        request.extensions["timeout"] = {"connect": connect, "pool": connect, "read": None, "write": None}
        try:
            with anyio.move_on_after(timeout) as scope:
                self._under_way.add(scope)
                try:
                    return await self._exchange(request)
                finally:
                    self._under_way.discard(scope)
        except wire_errors() as error:
            raise self._explained(error, request) from error
        except RuntimeError as error:
            if self._closed:
                raise ClientClosedError("The client was closed while this call was under way.") from error
            raise
        if self._closed:
            raise ClientClosedError("The client was closed while this call was under way.")
        raise RequestTimeoutError(f"{_where(request)}: no whole answer within {timeout:g} s")

    async def fetch_outside(self, url: str, *, timeout: float) -> Answer:
        """Fetches a URL of another server: on a connection of its own, with no header of ours."""
        self._check_loop()
        try:
            httpx.URL(url)
        except httpx.InvalidURL as error:
            raise ResponseDecodeError(f"it is no URL ({error})", method="GET") from error
        outside = Session(self._configuration, None)
        outside._loop, outside._transport = self._loop, make_transport(self._configuration, url, 1)
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
        transport, self._transport = self._transport, None
        if transport is not None:
            with anyio.move_on_after(_CLOSING, shield=True):  # cancelled or not, nothing stays open
                await transport.aclose()

    # -- one exchange ----------------------------------------------------------------------------

    async def _exchange(self, request: httpx.Request) -> Answer:
        if self._injected is not None:
            response = await self._injected.send(request, stream=True, follow_redirects=False)
        else:
            response = await self._own_transport().handle_async_request(request)
            response.request = request
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers.raw}
        try:
            body = await self._read(response, headers.get("content-encoding", ""))
        finally:
            await response.aclose()
        return Answer(response.status_code, headers, body)

    def _own_transport(self) -> httpx.AsyncBaseTransport:
        if self._transport is None:
            self._transport = make_transport(self._configuration, self._configuration.server_api_url, self._connections)
        return self._transport

    async def _read(self, response: httpx.Response, packing: str) -> bytes:
        chunks: list[bytes] = []
        limit = self._configuration.max_response_size
        if self._injected is not None:
            packing = ""  # a client unpacks by itself
        stream: Any = aiter(response.stream if self._injected is None else response.aiter_bytes())  # type: ignore[arg-type]
        try:
            unpack = Unpacker(packing) if packing else None
            left = limit
            async for chunk in stream:
                whole = unpack(chunk, left + 1) if unpack else chunk
                left -= len(whole)
                if left < 0:
                    raise UnreadableError(f"has over {limit} bytes (Configuration.max_response_size)")
                chunks.append(whole)
            if unpack:
                unpack.finish()
        except UnreadableError as error:
            await _abandon(stream)
            request = response.request
            raise ResponseDecodeError(
                f"{_where(request)}: the answer {error}", status=response.status_code, method=request.method
            ) from error.__cause__
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

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

    # -- failures --------------------------------------------------------------------------------

    def _explained(self, error: Exception, request: httpx.Request) -> Exception:
        if self._closed:
            return ClientClosedError("The client was closed while this call was under way.")
        where = _where(request)
        if isinstance(error, httpx.DecodingError):
            return ResponseDecodeError(
                f"{where}: the answer is not packed as its Content-Encoding says", method=request.method
            )
        method = request.method
        if was_not_sent(error):
            return ConnectionFailedError(
                f"{where}: the server could not be reached ({_reason(error)}). Nothing was sent", method=method
            )
        if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
            return RequestTimeoutError(f"{where}: no answer in time ({_reason(error)})", method=method)
        return TransportError(
            f"{where}: the connection broke before the answer was read ({_reason(error)})", method=method
        )


def _request(method: str, url: str, headers: Mapping[str, str], content: bytes) -> httpx.Request:
    # With a stream, httpx.Request takes the headers as they are: preparing them costs it more than all the rest does.
    parsed, host = _parsed(url)
    raw = [(b"Host", host), *((name.encode(), value.encode()) for name, value in headers.items())]
    if content or method in ("POST", "PUT"):
        raw.append((b"Content-Length", b"%d" % len(content)))
    request = httpx.Request(method, parsed, headers=httpx.Headers(raw, encoding="utf-8"), stream=_Content(content))
    request.read()
    return request


class _Content(httpx.ByteStream):
    """What is sent. Iterated without a generator: trio warns of one that a cancelled call leaves where it waits."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._content = content

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _Once(self._content)


class _Once:
    """Yields one thing."""

    def __init__(self, content: bytes) -> None:
        self._content: bytes | None = content

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        content, self._content = self._content, None
        if content is None:
            raise StopAsyncIteration
        return content


async def _abandon(stream: AsyncIterator[bytes]) -> None:
    # End the transport's generators where they wait. Left to the garbage collector, they make trio warn.
    with anyio.CancelScope() as scope:
        scope.cancel()
        async for _ in stream:
            pass


def _where(request: httpx.Request) -> str:
    # Without the query: it may hold inputs.
    return f"{request.method} {request.url.copy_with(query=None, userinfo=b'')}"


def _reason(error: BaseException) -> str:
    # The first cause that has something to say: httpcore wraps what it gets in errors without a text.
    cause = error.__cause__ or error
    while not str(cause) and (deeper := cause.__cause__ or cause.__context__):
        cause = deeper
    return f"{type(cause).__name__}: {cause}" if str(cause) else type(error.__cause__ or error).__name__

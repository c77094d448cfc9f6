"""The one module that imports httpx: sends prepared requests, and says of each failure whether the request was sent.

On asyncio the transport is aiohttp's behind httpx's interface, on trio httpx's own. An injected `httpx.AsyncClient` is
used as it is.
"""

from __future__ import annotations

import base64
import functools
import ssl
import sys
import zlib
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import anyio
import anyio.lowlevel
import httpx

from conductor_async.errors import (
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    RequestTimeoutError,
    ResponseDecodeError,
    TransportError,
    WrongEventLoopError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    import aiohttp

    from conductor_async.config import Configuration, Limits


@functools.lru_cache(maxsize=512)
def _parsed(url: str) -> tuple[httpx.URL, bytes]:
    parsed = httpx.URL(url)
    return parsed, parsed.netloc


#: Seconds that closing may take, at the most.
_CLOSING = 5.0

#: What httpx's own transports raise before anything was sent.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


class Answer(NamedTuple):
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Session:
    """Connections to one server, opened at the first request and bound to the event loop that makes it."""

    def __init__(self, configuration: Configuration, http_client: httpx.AsyncClient | None) -> None:
        self._configuration = configuration
        self._injected = http_client
        self._transport: httpx.AsyncBaseTransport | None = None
        self._loop: object = None
        self._closed = False
        self._under_way: set[anyio.CancelScope] = set()

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
        except _wire_errors() as error:
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
        outside._loop, outside._transport = self._loop, outside._make_transport(url)
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
            if self._transport is None:
                self._transport = self._make_transport(self._configuration.server_api_url)
            response = await self._transport.handle_async_request(request)
            response.request = request
        try:
            body = await self._read(response)
        finally:
            await response.aclose()
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers.raw}
        return Answer(response.status_code, headers, body)

    async def _read(self, response: httpx.Response) -> bytes:
        chunks: list[bytes] = []
        limit = self._configuration.max_response_size
        packing = response.headers.get("content-encoding", "") if self._injected is None else ""
        stream: Any = aiter(response.stream if self._injected is None else response.aiter_bytes())  # type: ignore[arg-type]
        try:
            unpack = _Unpacker(packing) if packing else None
            left = limit
            async for chunk in stream:
                whole = unpack(chunk, left + 1) if unpack else chunk
                left -= len(whole)
                if left < 0:
                    raise _UnreadableError(f"has over {limit} bytes (Configuration.max_response_size)")
                chunks.append(whole)
            if unpack:
                unpack.finish()
        except _UnreadableError as error:
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

    # -- transports ------------------------------------------------------------------------------

    def _make_transport(self, url: str) -> httpx.AsyncBaseTransport:
        # Limits, TLS and proxies belong to the transport: httpx ignores them on a client that is given one.
        proxy_url = self._configuration.proxy_for(url)
        secure_proxy = urlsplit(proxy_url or "").scheme == "https"
        secure = urlsplit(url).scheme == "https" or secure_proxy
        context = _ssl_context(self._configuration) if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        proxy = httpx.Proxy(proxy_url, ssl_context=context if secure_proxy else None) if proxy_url else None
        limits = self._configuration.limits
        if "trio" in type(anyio.lowlevel.current_token().native_token).__module__:
            return httpx.AsyncHTTPTransport(
                verify=context,
                trust_env=False,
                limits=httpx.Limits(
                    max_connections=limits.max_connections,
                    max_keepalive_connections=limits.max_connections,
                    keepalive_expiry=limits.keepalive_expiry,
                ),
                proxy=proxy,
            )
        return _aiohttp_transport(context, proxy, limits)

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
        if _was_not_sent(error):
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


class _UnreadableError(Exception):
    """Why an answer cannot be read to its end."""


class _Unpacker:
    """Unpacks an answer, never to more than is asked for. gzip is all that we say we accept."""

    def __init__(self, packing: str) -> None:
        if packing.strip().lower() not in ("gzip", "x-gzip", "deflate"):
            raise _UnreadableError(f"is packed as {packing!r}, which was not asked for")
        self._zlib = zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip, or what HTTP calls deflate
        self._packing = packing

    def __call__(self, chunk: bytes, at_most: int) -> bytes:
        try:
            return self._zlib.decompress(chunk, at_most)
        except zlib.error as error:
            raise _UnreadableError(f"is not packed as its Content-Encoding {self._packing!r} says") from error

    def finish(self) -> None:
        if not self._zlib.eof:
            raise _UnreadableError(f"is cut off: its Content-Encoding is {self._packing!r}, and its end is missing")


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


def _wire_errors() -> tuple[type[Exception], ...]:
    """What a transport raises: httpx's errors, the system's, and those of aiohttp that its transport lets through."""
    known: tuple[type[Exception], ...] = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError)
    aiohttp_module = sys.modules.get("aiohttp")  # imported by the transport that raises them, if by any
    return (*known, aiohttp_module.ClientError) if aiohttp_module else known


def _was_not_sent(error: Exception) -> bool:
    """Whether the request provably never left.

    The aiohttp transport reports a refused connection, and also a connection that the server closed after it had read
    the request, as `httpx.ConnectTimeout`. Only the cause tells them apart.
    """
    aiohttp_module = sys.modules.get("aiohttp")
    cause = error if aiohttp_module and isinstance(error, aiohttp_module.ClientError) else error.__cause__
    if aiohttp_module and isinstance(cause, aiohttp_module.ClientError):
        return isinstance(
            cause,
            (
                aiohttp_module.ClientConnectorError,
                aiohttp_module.ConnectionTimeoutError,
                aiohttp_module.ClientHttpProxyError,
                aiohttp_module.InvalidURL,
            ),
        )
    return isinstance(error, _NOT_SENT)


def _ssl_context(configuration: Configuration) -> ssl.SSLContext:
    verify, cert = configuration.verify, configuration.cert
    if isinstance(verify, ssl.SSLContext):
        return verify
    try:
        if isinstance(verify, bool):
            context = httpx.create_ssl_context(verify=verify, trust_env=configuration.trust_env)
        elif Path(verify).is_dir():
            context = ssl.create_default_context(capath=str(verify))
        else:
            context = ssl.create_default_context(cafile=str(verify))
        if cert is not None:
            context.load_cert_chain(*((cert,) if isinstance(cert, str) else cert))
    except (OSError, ssl.SSLError) as error:
        shown = cert[0] if isinstance(cert, tuple) else cert  # the rest may hold a password
        raise ConfigurationError(
            f"verify={verify!r}, cert={shown!r}: the certificates cannot be loaded ({error})"
        ) from error
    return context


def _aiohttp_transport(context: ssl.SSLContext, proxy: httpx.Proxy | None, limits: Limits) -> httpx.AsyncBaseTransport:
    import aiohttp
    import httpx_aiohttp

    class DroppedConnectionError(aiohttp.ClientConnectionError):
        """The connection was lost after the request may have been sent."""

    as_given: ContextVar[str] = ContextVar("url")

    class ExactTransport(httpx_aiohttp.AiohttpTransport):
        """Sends URLs as they are given."""

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            as_given.set(str(request.url))
            return await super().handle_async_request(request)

    basic = None
    if proxy is not None and proxy.raw_auth:
        # As a header, because aiohttp is about to drop its own way to say who we are.
        basic = "Basic " + base64.b64encode(b":".join(proxy.raw_auth)).decode()
        proxy = httpx.Proxy(proxy.url, headers={"Proxy-Authorization": basic})

    async def never_resend(
        request: aiohttp.ClientRequest, handler: Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]]
    ) -> aiohttp.ClientResponse:
        # aiohttp sends GET, PUT and DELETE once more by itself when a kept connection drops. A poll must not be sent
        # twice: the first one may have taken a task. Under another name the error does not set off the resending.
        if basic and not request.is_ssl():  # else it goes with CONNECT
            request.headers["Proxy-Authorization"] = basic
        if str(request.url) != (url := as_given.get()):
            # aiohttp unquotes what it thinks need not be quoted. But servlets take what follows a semicolon in a name
            # for a parameter, and a signed URL is valid as it is.
            request.url = type(request.url)(url, encoded=True)
        try:
            return await handler(request)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
            raise DroppedConnectionError(str(error)) from error

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=limits.max_connections, keepalive_timeout=limits.keepalive_expiry, ssl=context
        )
        return aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), middlewares=(never_resend,), trust_env=False
        )

    return ExactTransport(verify=context, client=session, proxy=proxy, trust_env=False)

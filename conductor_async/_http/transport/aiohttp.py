"""The transport on asyncio: aiohttp's connections, without the parts of aiohttp that our requests do not need."""

from __future__ import annotations

import functools
import re
import select
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from conductor_async._http.decompression import check_headers, read_body
from conductor_async._http.transport.interface import NotSentError, Response, SendError
from conductor_async._http.transport.quoting import checked_url
from conductor_async._urls import basic_credentials

if TYPE_CHECKING:
    import asyncio
    import ssl
    from collections.abc import Awaitable, Callable, Mapping

_NOT_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
)

# URLs that match the first and not the second can be sent as they are.
_PLAIN_URL = re.compile(r"https?://[a-z0-9.:\[\]-]+(/[!-~]*)?")
_NEEDS_QUOTING = re.compile(r'["<>\\^`{|}#]|/\.\.?(/|\?|$)')


class DroppedConnectionError(aiohttp.ClientConnectionError):
    """The connection was lost after the request may have been sent."""


class AiohttpTransport:
    """Sends each request exactly once.

    Args:
        context: The TLS settings.
        connections: The most connections.
        keepalive_expiry: Seconds that an idle connection is kept.
        max_response_size: The most bytes of a response body, decompressed.
        proxy: The URL of the proxy, if any, with `user:password@` if it requires authentication.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        connections: int,
        keepalive_expiry: float,
        max_response_size: int,
        proxy: str | None,
    ) -> None:
        self._max_response_size = max_response_size
        self._proxy: str | None = None
        self._proxy_headers: dict[str, str] | None = None
        if proxy:
            self._proxy, self._proxy_headers = _without_credentials(proxy)
        self._session = aiohttp.ClientSession(
            connector=_Connector(limit=connections, keepalive_timeout=keepalive_expiry, ssl=context),
            cookie_jar=aiohttp.DummyCookieJar(),
            middlewares=(self._send_once,),
            auto_decompress=False,
            trust_env=False,
        )

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes, *, connect_timeout: float
    ) -> Response:
        """Sends a request and returns the complete response: see `Transport.send`."""
        try:
            async with self._session.request(
                method,
                _yarl_url(url),
                headers=headers,
                data=aiohttp.BytesPayload(content) if content else None,
                allow_redirects=False,
                timeout=_connect_timeout(connect_timeout),
                proxy=self._proxy,
                proxy_headers=self._proxy_headers,
                middlewares=() if method == "POST" and not self._proxy_headers else None,  # no POST is sent twice
            ) as response:
                response_headers = {
                    name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.raw_headers
                }
                check_headers(response_headers, status=response.status)
                body = await read_body(
                    response.content.iter_any(),
                    response_headers.get("content-encoding", ""),
                    max_size=self._max_response_size,
                    status=response.status,
                )
                return Response(response.status, response_headers, body)
        except (aiohttp.ClientError, OSError) as error:
            kind = NotSentError if was_not_sent(error) else SendError
            raise kind(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__) from error

    def abandon(self) -> None:
        """Closes the connections without waiting, when nobody is left to do it properly."""
        connector = self._session.connector
        self._session.detach()
        if connector is not None:
            closing = connector.close()
            # The first step closes the sockets. The others wait for goodbyes, which needs a running loop.
            with suppress(StopIteration, RuntimeError):
                closing.__await__().send(None)

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._session.close()

    async def _send_once(
        self,
        request: aiohttp.ClientRequest,
        handler: Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]],
    ) -> aiohttp.ClientResponse:
        # When an idle connection turns out to be closed, aiohttp resends GET, PUT and DELETE by itself. A poll must not
        # be sent twice: the first one may have taken a task. Another class of error prevents the resending.
        if self._proxy_headers and not request.is_ssl():  # for https, aiohttp sends them with CONNECT
            request.headers.update(self._proxy_headers)
        try:
            return await handler(request)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
            raise DroppedConnectionError(str(error)) from error


class _Connector(aiohttp.TCPConnector):
    """Looks at an idle connection before it is used again, and drops one that the server has closed.

    The event loop may not have noticed that yet, because it was blocked or the machine slept. A request that is
    written to such a connection fails, and nobody could tell whether the server has processed it.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._used: weakref.WeakSet[object] = weakref.WeakSet()

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Any], timeout: aiohttp.ClientTimeout
    ) -> aiohttp.connector.Connection:
        while True:
            connection = await super().connect(req, traces, timeout)
            if connection.protocol not in self._used:
                self._used.add(connection.protocol)
                return connection
            if not _is_readable(connection.transport):
                return connection
            connection.close()


def _is_readable(transport: asyncio.Transport | None) -> bool:
    """Whether something arrived. On an idle connection, that is the end of it, or the reason for its end."""
    socket = None if transport is None else transport.get_extra_info("socket")
    if socket is None or (descriptor := socket.fileno()) < 0:
        return True
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([descriptor], [], [], 0)[0])  # Windows


def was_not_sent(error: BaseException | None) -> bool:
    """Whether this error of aiohttp means that the request never left."""
    return isinstance(error, _NOT_SENT)


@functools.lru_cache(maxsize=64)
def _connect_timeout(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(connect=seconds, sock_connect=seconds)


@functools.lru_cache(maxsize=512)
def _yarl_url(url: str) -> URL:
    # Not URL(url): yarl unquotes what it considers needlessly quoted. But servlets take what follows a semicolon for a
    # path parameter, and any change breaks the signature of a signed URL.
    if not _PLAIN_URL.fullmatch(url) or _NEEDS_QUOTING.search(url):
        url = checked_url(url)
    return URL(url, encoded=True)


def _without_credentials(proxy: str) -> tuple[str, dict[str, str]]:
    """Returns the proxy's URL and its authentication header: aiohttp deprecates its own way to pass credentials."""
    parts = urlsplit(proxy)
    url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    authorization = basic_credentials(parts.username, parts.password)
    return url, {"Proxy-Authorization": authorization} if authorization else {}

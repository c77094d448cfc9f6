"""The way to a server on asyncio: aiohttp's connections, without what a request of ours does not need."""

from __future__ import annotations

import base64
import functools
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import aiohttp
from yarl import URL

from conductor_async._http.decompression import whole
from conductor_async._http.transport.factory import checked_url
from conductor_async._http.transport.interface import NotSentError, Response, SendError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Mapping

_NOT_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
)

_PLAIN = re.compile(r"https?://[a-z0-9.:\[\]-]+(/[!-~]*)?")
_ODD = re.compile(r'["<>\\^`{|}#]|/\.\.?(/|\?|$)')


class DroppedConnectionError(aiohttp.ClientConnectionError):
    """The connection was lost after the request may have been sent."""


class AiohttpTransport:
    """Sends each request once, as it is.

    Args:
        context: For TLS.
        connections: How many, at the most.
        keepalive_expiry: Seconds that an idle connection is kept.
        max_response_size: Bytes of the largest answer that is read, unpacked.
        proxy: The URL of the proxy to use, if any; `user:password@` in it tells it who we are.
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
            self._proxy, self._proxy_headers = _without_user(proxy)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections, keepalive_timeout=keepalive_expiry, ssl=context),
            cookie_jar=aiohttp.DummyCookieJar(),
            middlewares=(self._send_once,),
            auto_decompress=False,
            trust_env=False,
        )

    async def ask(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes, *, connect_timeout: float
    ) -> Response:
        """Sends a request, and reads the answer: see `Transport`."""
        try:
            async with self._session.request(
                method,
                _as_it_is(url),
                headers=headers,
                data=aiohttp.BytesPayload(content) if content else None,
                allow_redirects=False,
                timeout=_time_to_connect(connect_timeout),
                proxy=self._proxy,
                proxy_headers=self._proxy_headers,
                middlewares=() if method == "POST" and not self._proxy_headers else None,  # no POST is sent twice
            ) as response:
                found = {
                    name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.raw_headers
                }
                return await whole(
                    response.status,
                    found,
                    response.content.iter_any(),
                    found.get("content-encoding", ""),
                    self._max_response_size,
                )
        except (aiohttp.ClientError, OSError) as error:
            kind = NotSentError if was_not_sent(error) else SendError
            raise kind(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__) from error

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._session.close()

    async def _send_once(
        self,
        request: aiohttp.ClientRequest,
        handler: Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]],
    ) -> aiohttp.ClientResponse:
        # aiohttp sends GET, PUT and DELETE once more by itself when a kept connection drops. A poll must not be sent
        # twice: the first one may have taken a task. Under another name the error does not set off the resending.
        if self._proxy_headers and not request.is_ssl():  # else they go with CONNECT
            request.headers.update(self._proxy_headers)
        try:
            return await handler(request)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
            raise DroppedConnectionError(str(error)) from error


def was_not_sent(error: BaseException | None) -> bool:
    """Whether aiohttp says by this that the request never left."""
    return isinstance(error, _NOT_SENT)


@functools.lru_cache(maxsize=64)
def _time_to_connect(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(connect=seconds, sock_connect=seconds)


@functools.lru_cache(maxsize=512)
def _as_it_is(url: str) -> URL:
    # aiohttp unquotes what it thinks need not be quoted. But servlets take what follows a semicolon in a name for a
    # parameter, and a signed URL is valid as it is.
    if not _PLAIN.fullmatch(url) or _ODD.search(url):
        url = checked_url(url)
    return URL(url, encoded=True)


def _without_user(proxy: str) -> tuple[str, dict[str, str]]:
    """The proxy's URL, and the header that tells it who we are: aiohttp is about to drop its own way to say so."""
    parts = urlsplit(proxy)
    url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    if parts.username is None:
        return url, {}
    user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return url, {"Proxy-Authorization": "Basic " + base64.b64encode(user.encode()).decode()}

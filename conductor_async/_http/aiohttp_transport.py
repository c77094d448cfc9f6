"""aiohttp behind httpx's transport interface, with no more between them than a request needs.

httpx-aiohttp makes the sessions' settings, reads answers and translates errors. Sending is done here: URLs go exactly
as they are given, nothing is sent twice, and a call costs about two thirds of what it costs through the original.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport
from httpx_aiohttp.transport import AiohttpResponseStream, map_aiohttp_exceptions
from multidict import CIMultiDict
from yarl import URL

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable

    from conductor_async.config import Limits


class DroppedConnectionError(aiohttp.ClientConnectionError):
    """The connection was lost after the request may have been sent."""


class LeanTransport(AiohttpTransport):
    """Sends each request once, as it is.

    Args:
        context: For TLS.
        limits: Connections.
        proxy: The proxy to use, if any.
        proxy_authorization: The header that a proxy wants, if it wants one.
    """

    def __init__(
        self, context: ssl.SSLContext, limits: Limits, proxy: httpx.Proxy | None, proxy_authorization: str | None
    ) -> None:
        super().__init__(verify=context, client=self._session, proxy=proxy, trust_env=False)
        self._limits = limits
        self._proxy_url = str(proxy.url) if proxy else None
        self._proxy_headers = proxy.headers if proxy else None
        self._proxy_authorization = proxy_authorization

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sends a request made by this package: with a body in memory and times for connecting."""
        if not isinstance(self.client, aiohttp.ClientSession):
            self.client = self.get_client()
        times = request.extensions["timeout"]
        with map_aiohttp_exceptions():
            response = await self.client.request(
                request.method,
                # aiohttp unquotes what it thinks need not be quoted. But servlets take what follows a semicolon in a
                # name for a parameter, and a signed URL is valid as it is.
                URL(str(request.url), encoded=True),
                headers=CIMultiDict([(name.decode(), value.decode()) for name, value in request.headers.raw]),
                data=request.content or None,
                allow_redirects=False,
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(connect=times["pool"], sock_connect=times["connect"]),
                proxy=self._proxy_url,
                proxy_headers=self._proxy_headers,
            )
        return httpx.Response(response.status, headers=response.raw_headers, stream=_Answer(response))

    def _session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=self._limits.max_connections, keepalive_timeout=self._limits.keepalive_expiry, ssl=self.ssl_context
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            middlewares=(self._send_once,),
            trust_env=False,
        )

    async def _send_once(
        self,
        request: aiohttp.ClientRequest,
        handler: Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]],
    ) -> aiohttp.ClientResponse:
        # aiohttp sends GET, PUT and DELETE once more by itself when a kept connection drops. A poll must not be sent
        # twice: the first one may have taken a task. Under another name the error does not set off the resending.
        if self._proxy_authorization and not request.is_ssl():  # else it goes with CONNECT
            request.headers["Proxy-Authorization"] = self._proxy_authorization
        try:
            return await handler(request)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
            raise DroppedConnectionError(str(error)) from error


class _Answer(AiohttpResponseStream):
    """Yields what has come, however much it is."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with map_aiohttp_exceptions():
            async for chunk in self._aiohttp_response.content.iter_any():
                yield chunk

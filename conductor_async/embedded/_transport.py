"""Sends a client's requests to a dev server in the same process: an httpx transport without a socket.

httpx's `ASGITransport` can do it too, through an ASGI app. Calling the server directly costs a quarter of that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from conductor_async.devserver.request import Request

if TYPE_CHECKING:
    from conductor_async.devserver.server import DevServer

__all__ = ["EmbeddedTransport"]


class EmbeddedTransport(httpx.AsyncBaseTransport):
    """Passes requests to a dev server. It runs in the caller's task and has nothing to close."""

    def __init__(self, server: DevServer) -> None:
        self._server = server

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Returns the server's response."""
        path, _, query = request.url.raw_path.decode("latin-1").partition("?")
        response = await self._server.handle(
            Request(request.method, path, query, request.headers.get("Content-Type", ""), await request.aread())
        )
        headers = [*response.headers, ("Content-Length", str(len(response.body)))]
        if response.content_type is not None:
            headers.append(("Content-Type", response.content_type))
        return httpx.Response(response.status, headers=headers, stream=httpx.ByteStream(response.body))

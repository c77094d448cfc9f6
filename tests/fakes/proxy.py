"""A forward proxy, as a behaviour of the wire server: plain requests in absolute form, and tunnels by CONNECT."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio

from tests.fakes.http_server import Behaviour, HangUp, Peer, Request, raw_response

if TYPE_CHECKING:
    from anyio.abc import ByteStream


def forward(*, user: str | None = None) -> Behaviour:
    """Forward what comes; with `user` (`name:password`) only for that one."""
    wanted = None if user is None else "Basic " + base64.b64encode(user.encode()).decode()

    async def behave(peer: Peer, request: Request) -> None:
        if wanted not in (None, request.headers.get("proxy-authorization")):
            await peer.send(raw_response(407, headers={"Proxy-Authenticate": "Basic"}))
        elif request.method == "CONNECT":
            await _tunnel(peer, request)
        else:
            await _pass_on(peer, request)

    return behave


async def _pass_on(peer: Peer, request: Request) -> None:
    url = urlsplit(request.target)
    assert url.hostname, f"{request.target} is not the absolute form that a proxy needs"
    async with await anyio.connect_tcp(url.hostname, url.port or 80) as origin:
        fields = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items() if "proxy" not in name)
        path = url.path + (f"?{url.query}" if url.query else "")
        await origin.send(f"{request.method} {path} HTTP/1.1\r\n{fields}\r\n".encode() + request.body)
        await peer.send(await origin.receive())  # answers of the tests are small: one piece


async def _tunnel(peer: Peer, request: Request) -> None:
    host, _, port = request.target.rpartition(":")
    async with await anyio.connect_tcp(host, int(port)) as origin:
        await peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        async with anyio.create_task_group() as tasks:

            async def pump(source: ByteStream, target: ByteStream) -> None:
                try:
                    async for data in source:
                        await target.send(data)
                except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                    pass
                tasks.cancel_scope.cancel()

            tasks.start_soon(pump, origin, peer.stream)
            await pump(peer.stream, origin)
    raise HangUp

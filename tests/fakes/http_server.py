"""An HTTP server of raw sockets that misbehaves as told, and counts what it has read. Runs on asyncio and on trio.

```python
async with serve(respond(503), respond(text="id")) as server:  # the last behaviour goes on for ever
    ...
assert server.count("POST", "/api/workflow") == 2
```
"""

from __future__ import annotations

import contextlib
import json as jsonlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import anyio
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.tls import TLSListener


@dataclass
class Request:
    """A request that was read whole."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int
    raw_head: str = ""

    @property
    def json(self) -> Any:
        return jsonlib.loads(self.body)


class HangUp(Exception):  # noqa: N818 - an order, not an error
    """Raised by a behaviour: close the connection."""


@dataclass
class Peer:
    """The client's end of one connection."""

    stream: ByteStream

    async def send(self, data: bytes) -> None:
        await self.stream.send(data)

    def reset_on_close(self) -> None:
        """Make the close a TCP reset."""
        linger = struct.pack("ii", 1, 0)
        self.stream.extra(SocketAttribute.raw_socket).setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


Behaviour = Callable[[Peer, Request], Awaitable[None]]


# -- behaviours ------------------------------------------------------------------------------------


def raw_response(
    status: int = 200,
    *,
    text: str | None = None,
    json: Any = None,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
) -> bytes:
    """A whole answer, as it goes over the wire."""
    kind = "application/octet-stream"
    if json is not None:
        body, kind = jsonlib.dumps(json).encode(), "application/json"
    elif text is not None:
        body, kind = text.encode(), "text/plain;charset=UTF-8"
    fields = {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}
    head = f"HTTP/1.1 {status} Whatever\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return head.encode() + b"\r\n" + body


def respond(status: int = 200, **content: Any) -> Behaviour:
    """Answer, and keep the connection."""
    data = raw_response(status, **content)

    async def behave(peer: Peer, request: Request) -> None:
        await peer.send(data)

    return behave


def cut(data: bytes, *, reset: bool = False) -> Behaviour:
    """Send these bytes and hang up: nothing at all, half a header, half a body."""

    async def behave(peer: Peer, request: Request) -> None:
        if data:
            await peer.send(data)
        if reset:
            peer.reset_on_close()
        raise HangUp

    return behave


def drip(data: bytes, *, every: float) -> Behaviour:
    """Send one byte at a time."""

    async def behave(peer: Peer, request: Request) -> None:
        for index in range(len(data)):
            await peer.send(data[index : index + 1])
            await anyio.sleep(every)

    return behave


async def stall(peer: Peer, request: Request) -> None:
    """Never answer; end when the client hangs up."""
    while True:
        await peer.stream.receive()


def routed(routes: dict[str, Behaviour], otherwise: Behaviour | None = None) -> Behaviour:
    """Behave by path: `{"/api/token": answer(json={"token": "t"})}`."""
    fallback = otherwise or respond(404, json={"status": 404, "message": "No static resource"})

    async def behave(peer: Peer, request: Request) -> None:
        await routes.get(request.target.partition("?")[0], fallback)(peer, request)

    return behave


# -- the server ------------------------------------------------------------------------------------


@dataclass
class FakeServer:
    """What the server has seen."""

    port: int
    scheme: str
    behaviours: tuple[Behaviour, ...]
    reset_at_connect: bool = False
    requests: list[Request] = field(default_factory=list)
    accepted: int = 0
    open: int = 0
    most_open: int = 0

    @property
    def origin(self) -> str:
        return f"{self.scheme}://localhost:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.origin}/api"

    def count(self, method: str | None = None, path: str | None = None) -> int:
        """How many requests were read whole, by method and path if given."""
        return sum(
            method in (None, request.method) and path in (None, request.target.partition("?")[0])
            for request in self.requests
        )

    async def all_closed(self) -> None:
        """Wait until no connection is open."""
        with anyio.fail_after(2):
            while self.open:  # noqa: ASYNC110 - there is no event to wait for
                await anyio.sleep(0.005)

    async def _connected(self, stream: ByteStream) -> None:
        self.accepted += 1
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        try:
            with contextlib.suppress(
                anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream, HangUp, OSError
            ):
                await self._converse(Peer(stream), self.accepted)
        finally:
            self.open -= 1
            with anyio.CancelScope(shield=True), contextlib.suppress(anyio.BrokenResourceError, OSError):
                await anyio.aclose_forcefully(stream)

    async def _converse(self, peer: Peer, connection: int) -> None:
        if self.reset_at_connect:
            peer.reset_on_close()
            return
        buffer = bytearray()
        while True:
            request = await self._read(peer.stream, buffer, connection)
            self.requests.append(request)
            behaviour = self.behaviours[min(len(self.requests), len(self.behaviours)) - 1]
            await behaviour(peer, request)

    @staticmethod
    async def _read(stream: ByteStream, buffer: bytearray, connection: int) -> Request:
        while b"\r\n\r\n" not in buffer:
            buffer += await stream.receive()
        head, _, rest = bytes(buffer).partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", 0))
        body = bytearray(rest)
        while len(body) < length:
            body += await stream.receive()
        buffer[:] = body[length:]
        method, target, _ = first.split(" ")
        return Request(method, target, headers, bytes(body[:length]), connection, head.decode("latin-1"))


@contextlib.asynccontextmanager
async def serve(
    *behaviours: Behaviour, tls: Any = None, reset_at_connect: bool = False, host: str = "127.0.0.1"
) -> AsyncIterator[FakeServer]:
    """A server that behaves so at its first request, its second one, …; the last behaviour goes on."""
    plain = await anyio.create_tcp_listener(local_host=host)
    port = plain.extra(SocketAttribute.local_port)
    listener: Any = plain if tls is None else _tls_listener(plain, tls)
    server = FakeServer(port, "http" if tls is None else "https", behaviours or (respond(),), reset_at_connect)
    with only_the_failure():
        async with listener, anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, server._connected)
            try:
                yield server
            finally:
                tasks.cancel_scope.cancel()


@contextlib.contextmanager
def only_the_failure() -> Iterator[None]:
    """Takes a test's failure out of the group that a task group makes of it."""
    try:
        yield
    except BaseExceptionGroup as group:
        if len(group.exceptions) > 1:
            raise
        failure = group.exceptions[0]
    else:
        return
    raise failure


def _tls_listener(plain: Any, context: Any) -> TLSListener:
    async def quietly(_: BaseException, stream: Any) -> None:
        await anyio.aclose_forcefully(stream)  # a failed handshake is what such tests want

    listener = TLSListener(plain, ssl_context=context, standard_compatible=False, handshake_timeout=5)
    listener.handle_handshake_error = quietly  # type: ignore[method-assign]
    return listener


async def unused_port() -> int:
    """A port that nobody listens on."""
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        return listener.extra(SocketAttribute.local_port)

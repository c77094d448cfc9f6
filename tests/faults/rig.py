"""A hostile network: a TCP proxy on loopback that breaks what it is told to break, and counts what it has read.

It stands between a client and a server, which is a real one (`over_tcp(url)`) or one of queues in this process
(`QueueServer().answer`). Faults are drawn from a seed, so that a run that went wrong can be repeated.

```python
async with between(over_tcp(server_url), Failing(Operation.POLL, Fault.RESET_AFTER, times=2)) as rig:
    ...
assert rig.seen(Operation.POLL) == 3
```
"""

from __future__ import annotations

import contextlib
import random
import socket
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Protocol

import anyio
from anyio.abc import SocketStream, TaskGroup

from tests.fakes.http_server import FakeServer, HangUp, Peer, Request, only_the_failure, raw_response, stall
from tests.fakes.lossy import ask

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Upstream = Callable[[Request], Awaitable[bytes]]
"""Carries a request out, and returns the whole answer."""


class Operation(Enum):
    """What a request is for."""

    LOOK = "look for a dedupe key"
    START = "start"
    POLL = "poll"
    RESULT = "deliver a result (v1)"
    UPDATE_V2 = "deliver a result (v2)"
    LEASE = "extend a lease"
    HAND_BACK = "hand a task back"
    OTHER = "anything else"

    @classmethod
    def of(cls, request: Request) -> Operation:
        path = request.target.partition("?")[0].removeprefix("/api")
        match request.method, path.strip("/").split("/"):
            case "POST", ["workflow"] | ["workflow", _]:
                return cls.START
            case "POST", ["workflow", _, "correlated"]:
                return cls.LOOK
            case "GET", ["tasks", "poll", *_]:
                return cls.POLL
            case "POST", ["tasks", "update-v2"]:
                return cls.UPDATE_V2
            case "POST", ["tasks"]:
                if request.json.get("extendLease"):
                    return cls.LEASE
                return cls.HAND_BACK if request.json["status"] == "IN_PROGRESS" else cls.RESULT
        return cls.OTHER


class Fault(Enum):
    """What becomes of a request. Where the name says "after", the server has carried it out."""

    OUTAGE = "connections are reset, and new ones refused for a while"
    RESET_BEFORE = "reset before the server has read it"
    RESET_AFTER = "reset in place of the answer"
    CUT_AFTER = "closed in the middle of the answer"
    STALL_BEFORE = "nobody reads it, and nobody answers"
    STALL_AFTER = "the answer stops in the middle"
    DRIP = "the answer comes byte by byte"
    CLOSED = "answered, and the kept connection closed without a word: a race with the next request"
    UNAUTHORIZED = "401"
    FORBIDDEN = "403"
    TOO_MANY = "429"
    ERROR = "500"
    BAD_GATEWAY = "502"
    UNAVAILABLE = "503"
    GATEWAY_TIMEOUT_AFTER = "504, of a gateway that has lost the server"
    REDIRECT = "302 to another origin"
    HTML = "a page of HTML with status 200"
    HTML_AFTER = "a page of HTML with status 200, in place of the answer"

    @property
    def reaches_the_server(self) -> bool:
        """Whether the server carries out the request."""
        return self.name.endswith("_AFTER") or self.arrives

    @property
    def arrives(self) -> bool:
        """Whether the client gets the whole answer all the same."""
        return self in (Fault.DRIP, Fault.CLOSED)

    @property
    def loses_the_answer(self) -> bool:
        """Whether the client cannot know what the server did, although the server did it."""
        return self.name.endswith("_AFTER")

    @property
    def takes_a_timeout(self) -> bool:
        """Whether only a timeout of the client ends it."""
        return self in (Fault.STALL_BEFORE, Fault.STALL_AFTER)


PAGE = raw_response(
    text="<html><body>Sign in to the company's proxy</body></html>", headers={"Content-Type": "text/html"}
)
_REFUSALS = {
    Fault.UNAUTHORIZED: raw_response(401, json={"status": 401, "message": "invalid token", "error": "INVALID_TOKEN"}),
    Fault.FORBIDDEN: raw_response(403, json={"status": 403, "message": "not yours"}),
    Fault.TOO_MANY: raw_response(429, headers={"Retry-After": "0"}),
    Fault.ERROR: raw_response(500, json={"status": 500, "message": "the database is locked", "retryable": False}),
    Fault.BAD_GATEWAY: raw_response(502, text="<html>502</html>"),
    Fault.UNAVAILABLE: raw_response(503, text="on its way up", headers={"Retry-After": "0"}),
    Fault.GATEWAY_TIMEOUT_AFTER: raw_response(504, text="<html>504</html>"),
    Fault.REDIRECT: raw_response(302, headers={"Location": "http://127.0.0.1:9/api"}),
    Fault.HTML: PAGE,
    Fault.HTML_AFTER: PAGE,
}


class Weather(Protocol):
    """Decides what becomes of each request."""

    def fault(self, operation: Operation, request: Request, /) -> Fault | None:
        """The fault that befalls this request, if any."""


@dataclass
class Failing:
    """The first requests of one kind fail in one way; everything else goes well."""

    operation: Operation
    kind: Fault
    times: int = 1

    def fault(self, operation: Operation, request: Request) -> Fault | None:
        if operation is not self.operation or self.times <= 0:
            return None
        self.times -= 1
        return self.kind


@dataclass
class Storm:
    """Any request may fail, in any of some ways, until the storm is over."""

    random: random.Random
    rate: float
    kinds: tuple[Fault, ...] = tuple(Fault)
    spares: tuple[Operation, ...] = ()

    def fault(self, operation: Operation, request: Request) -> Fault | None:
        if operation in self.spares or self.random.random() >= self.rate:
            return None
        return self.random.choice(self.kinds)

    def end(self) -> None:
        """From now on nothing fails."""
        self.rate = 0.0


@dataclass
class Rig(FakeServer):
    """The proxy, and what it has seen.

    Attributes:
        upstream: The server behind.
        weather: Decides what fails.
        random: Where the answers are cut.
        refuses_for: Seconds of an outage.
        log: Each request that was read whole, with what became of it.
    """

    upstream: Upstream = field(kw_only=True)
    weather: Weather = field(kw_only=True)
    random: random.Random = field(kw_only=True)
    refuses_for: float = field(kw_only=True)
    log: list[tuple[Operation, Fault | None]] = field(default_factory=list)
    listening: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    connections: set[anyio.CancelScope] = field(default_factory=set)

    def seen(self, operation: Operation) -> int:
        """How many such requests were read whole."""
        return sum(each is operation for each, _ in self.log)

    def reached(self, operation: Operation) -> int:
        """How many of them the server has carried out."""
        return sum(each is operation and (f is None or f.reaches_the_server) for each, f in self.log)

    def injected(self, operation: Operation) -> int:
        """How many of them failed, as the client sees it."""
        return sum(each is operation and f is not None and not f.arrives for each, f in self.log)

    async def serve(self, *, task_status: anyio.abc.TaskStatus[None]) -> None:
        """Listens on its port, but for outages."""
        async with anyio.create_task_group() as peers:
            while True:
                with self._bound() as listening:
                    task_status.started()
                    task_status = anyio.TASK_STATUS_IGNORED
                    with anyio.CancelScope() as self.listening:
                        await self._accept(listening, peers)
                await anyio.sleep(self.refuses_for)

    def _bound(self) -> socket.socket:
        listening = socket.create_server(("127.0.0.1", self.port))
        listening.setblocking(False)
        self.port = listening.getsockname()[1]
        return listening

    async def _accept(self, listening: socket.socket, peers: TaskGroup) -> None:
        # An accept that is cancelled may lose a connection: nobody would answer it. Waiting for one loses nothing.
        while True:
            await anyio.wait_readable(listening)
            with contextlib.suppress(BlockingIOError):
                accepted, _ = listening.accept()
                peers.start_soon(self._connected, await SocketStream.from_socket(accepted))

    async def _connected(self, stream: anyio.abc.ByteStream) -> None:
        with anyio.CancelScope() as scope:
            self.connections.add(scope)
            try:
                await super()._connected(stream)
            finally:
                self.connections.discard(scope)

    def go_down(self) -> None:
        """Drops all connections, and refuses new ones for a while."""
        self.listening.cancel()
        for connection in self.connections:
            connection.cancel()

    async def behave(self, peer: Peer, request: Request) -> None:
        operation = Operation.of(request)
        fault = self.weather.fault(operation, request)
        self.log.append((operation, fault))
        if fault is Fault.OUTAGE:
            self.go_down()
            raise HangUp
        if fault is Fault.RESET_BEFORE:
            peer.reset_on_close()
            raise HangUp
        if fault is Fault.STALL_BEFORE:
            await stall(peer, request)
        answer = await self.upstream(request) if fault is None or fault.reaches_the_server else b""
        await self._answer(peer, request, answer, fault)

    async def _answer(self, peer: Peer, request: Request, answer: bytes, fault: Fault | None) -> None:
        if fault is None:
            await peer.send(answer)
        elif fault in _REFUSALS:
            await peer.send(_REFUSALS[fault])
        elif fault is Fault.DRIP:
            for index in range(len(answer)):
                await peer.send(answer[index : index + 1])
                await anyio.lowlevel.checkpoint()
        elif fault is Fault.CLOSED:
            await peer.send(answer)
            raise HangUp
        elif fault is Fault.RESET_AFTER:
            peer.reset_on_close()
            raise HangUp
        else:
            await peer.send(answer[: self.random.randrange(len(answer))])
            if fault is Fault.STALL_AFTER:
                await stall(peer, request)
            raise HangUp


@asynccontextmanager
async def between(
    upstream: Upstream, weather: Weather, *, seed: int = 0, refuses_for: float = 0.2
) -> AsyncIterator[Rig]:
    """The proxy before this server, while the context is open."""
    rig = Rig(0, "http", (), upstream=upstream, weather=weather, random=random.Random(seed), refuses_for=refuses_for)
    rig.behaviours = (rig.behave,)
    with only_the_failure():
        async with anyio.create_task_group() as tasks:
            await tasks.start(rig.serve)
            try:
                yield rig
            finally:
                tasks.cancel_scope.cancel()


def over_tcp(url: str) -> Upstream:
    """The server of this URL. Its answers are made such that a client keeps the connection."""

    async def carry_out(request: Request) -> bytes:
        return _kept_alive(await ask(url, request))

    return carry_out


def _kept_alive(answer: bytes) -> bytes:
    """The answer with a length, in place of one that ends with its connection or comes in chunks."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *fields = head.split(b"\r\n")
    found = {name.strip().lower(): value.strip() for name, _, value in (each.partition(b":") for each in fields)}
    if b"transfer-encoding" in found:
        body = _joined(body)
    if not first or len(body) < int(found.get(b"content-length", 0)):
        raise HangUp  # the server has died over it
    dropped = (b"transfer-encoding", b"connection", b"keep-alive", b"content-length")
    kept = [each for each in fields if not each.lower().startswith(dropped)]
    length = [] if first.split(b" ")[1] == b"204" else [b"Content-Length: %d" % len(body)]
    return b"\r\n".join([first, *kept, *length]) + b"\r\n\r\n" + body


def _joined(chunks: bytes) -> bytes:
    body = b""
    while True:
        size, _, chunks = chunks.partition(b"\r\n")
        length = int(size or b"-1", 16)
        if not length:
            return body
        if length < 0 or len(chunks) < length:
            raise HangUp  # the server has died over it
        body += chunks[:length]
        chunks = chunks[length + 2 :]

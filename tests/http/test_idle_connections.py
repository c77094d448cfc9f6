"""A connection that the server closed while it was idle, and while the event loop was too busy to notice."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from typing import TYPE_CHECKING

import pytest
import trustme

from conductor_async import Limits, StartWorkflowRequest
from tests.fakes.cases import each_case
from tests.fakes.clients import NEVER, client_of
from tests.fakes.http_server import raw_response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conductor_async.client import ConductorClient

pytestmark = pytest.mark.anyio

CA = trustme.CA()
RESPONSE = raw_response(text="3f1c7a52-0000-4000-8000-000000000000")


class ThreadServer:
    """Responds in a thread of its own, so that it can close a connection while the client's event loop is blocked."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests = 0
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://localhost:{self._listener.getsockname()[1]}/api"

    @property
    def accepted(self) -> int:
        return len(self._open)

    def close_idle(self, last_words: bytes = b"") -> None:
        """Closes all connections. When it returns, the end of each has arrived at the client's machine."""
        for each in self._open:
            with contextlib.suppress(OSError):
                if last_words:
                    each.sendall(last_words)
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def close(self) -> None:
        self.close_idle()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = self._listener.accept()
                threading.Thread(target=self._respond, args=[plain], daemon=True).start()

    def _respond(self, plain: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            stream = self._tls.wrap_socket(plain, server_side=True) if self._tls else plain
            self._open.append(stream)
            buffer = b""
            while True:
                while b"\r\n\r\n" not in buffer:
                    received = stream.recv(65536)
                    if not received:
                        return
                    buffer += received
                head, _, buffer = buffer.partition(b"\r\n\r\n")
                lines = (line.partition(b":") for line in head.lower().split(b"\r\n"))
                length = next((int(value) for name, _, value in lines if name == b"content-length"), 0)
                while len(buffer) < length:
                    buffer += stream.recv(65536)
                buffer = buffer[length:]
                self.requests += 1
                stream.sendall(RESPONSE)


@contextlib.contextmanager
def thread_server(tls: ssl.SSLContext | None = None) -> Iterator[ThreadServer]:
    server = ThreadServer(tls)
    try:
        yield server
    finally:
        server.close()


async def start(client: ConductorClient) -> str:
    return await client.workflow.start_workflow(StartWorkflowRequest(name="w"))


@each_case("last_words", [b"", raw_response(408), b"\0"], ids=["silently", "with a 408", "with rubbish"])
@each_case("secure", [False, True], ids=["http", "https"])
async def test_a_connection_that_was_closed_while_idle_is_not_used(secure: bool, last_words: bytes) -> None:
    context = None
    if secure:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        CA.issue_cert("localhost").configure_cert(context)
    trusted = ssl.create_default_context()
    CA.configure_trust(trusted)
    settings = {"verify": trusted} if secure else {}
    with thread_server(context) as server:
        async with client_of(server.url, retry=NEVER, limits=Limits(keepalive_expiry=60), **settings) as client:
            for round_ in range(1, 4):
                await start(client)
                server.close_idle(last_words)  # nothing is awaited, so the event loop cannot have noticed
                await start(client)  # would be an AmbiguousOutcomeError
                assert server.requests == 2 * round_
                server.close_idle(last_words)


async def test_a_connection_that_is_open_is_used_again() -> None:
    with thread_server() as server:
        async with client_of(server.url, retry=NEVER) as client:
            for _ in range(5):
                await start(client)
        assert (server.accepted, server.requests) == (1, 5)

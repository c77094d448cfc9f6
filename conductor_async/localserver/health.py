"""Ask a server whether it is ready. httpx is too heavy an import for this, and belongs to `_http`."""

from __future__ import annotations

import socket
import sys

import anyio

from conductor_async.errors import LocalServerError

_HOST = "127.0.0.1"


async def healthy(port: int, name: str) -> bool:
    """Whether the server that calls itself `name` listens there, and answers that it is healthy.

    The name is sent in the header `Server`. Without it, a stranger who took the port before us would be believed.
    """
    try:
        with anyio.fail_after(2):
            answer = await _get_health(port)
    except (OSError, TimeoutError, anyio.BrokenResourceError):
        return False
    head = answer.partition(b"\r\n\r\n")[0].decode("latin-1").splitlines()
    return bool(head) and head[0].split()[1:2] == ["200"] and f"Server: {name}" in head


async def _get_health(port: int) -> bytes:
    answer = b""
    async with await anyio.connect_tcp(_HOST, port) as stream:
        await stream.send(f"GET /health HTTP/1.1\r\nHost: {_HOST}:{port}\r\nConnection: close\r\n\r\n".encode())
        try:
            while b"\r\n\r\n" not in answer:
                answer += await stream.receive()
        except anyio.EndOfStream:
            pass
    return answer


def free_port() -> int:
    """A port that nobody listens on.

    It lies below the ports that systems give to outgoing connections (from 32768 on Linux, 49152 elsewhere), one of
    which would otherwise take it now and then before the server does, some seconds later.
    """
    import random

    candidates = random.sample(range(20000, 32000), 50)
    for port in candidates:
        if is_free(port):
            return port
    raise LocalServerError(f"None of {len(candidates)} ports between 20000 and 32000 is free. Name one: port=…")


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the local host."""
    with socket.socket() as probe:
        if sys.platform == "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:  # as Java does: connections of an earlier server that linger do not count
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
    return True

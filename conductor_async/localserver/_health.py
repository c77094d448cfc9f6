"""Whether a server is ready, and which ports are free.

The request is written by hand: httpx takes long to import, and only `_http` may use it.
"""

from __future__ import annotations

import socket
import sys

import anyio

from conductor_async.errors import LocalServerError

_HOST = "127.0.0.1"


async def healthy(port: int, name: str) -> bool:
    """Returns whether the server with this name listens on the port and says that it is healthy.

    The server sends its name in the header `Server`. Without it, another program that took the port before our server
    would pass for it.
    """
    try:
        with anyio.fail_after(2):
            response = await _get_health(port)
    except (OSError, TimeoutError, anyio.BrokenResourceError):
        return False
    head = response.partition(b"\r\n\r\n")[0].decode("latin-1").splitlines()
    return bool(head) and head[0].split()[1:2] == ["200"] and f"Server: {name}" in head


async def _get_health(port: int) -> bytes:
    response = b""
    async with await anyio.connect_tcp(_HOST, port) as stream:
        await stream.send(f"GET /health HTTP/1.1\r\nHost: {_HOST}:{port}\r\nConnection: close\r\n\r\n".encode())
        try:
            while b"\r\n\r\n" not in response:
                response += await stream.receive()
        except anyio.EndOfStream:
            pass
    return response


def free_port() -> int:
    """Returns a port that nobody listens on.

    It is below the ephemeral ports (from 32768 on Linux, from 49152 elsewhere): the server binds it some seconds later,
    and until then an outgoing connection could take an ephemeral one.
    """
    import random

    candidates = random.sample(range(20000, 32000), 50)
    for port in candidates:
        if is_free(port):
            return port
    raise LocalServerError(f"{len(candidates)} random ports between 20000 and 32000 are all in use. Choose one: port=…")


def is_free(port: int) -> bool:
    """Returns whether a server could listen on this port of the local host."""
    with socket.socket() as probe:
        if sys.platform == "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:  # as Java does: lingering connections of an earlier server do not matter
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
    return True

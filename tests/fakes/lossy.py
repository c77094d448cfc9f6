"""A way to the real server that loses answers, as a behaviour of the wire server."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio

from tests.fakes.http_server import Behaviour, HangUp, Peer, Request

if TYPE_CHECKING:
    from collections.abc import Callable


class Loss(Enum):
    """Where the connection breaks."""

    NOWHERE = "nowhere"
    BEFORE_THE_SERVER = "before the server has read the request"
    BEFORE_THE_ANSWER = "after the server has carried it out"
    WITHIN_THE_ANSWER = "in the middle of the answer"


def lossy(url: str, loss_of: Callable[[Request], Loss]) -> Behaviour:
    """Pass requests on to the server of this URL, and lose those, or their answers, that `loss_of` says."""

    async def behave(peer: Peer, request: Request) -> None:
        loss = loss_of(request)
        if loss is Loss.BEFORE_THE_SERVER:
            raise HangUp
        answer = await ask(url, request)
        if loss is Loss.NOWHERE:
            await peer.send(answer)
        elif loss is Loss.WITHIN_THE_ANSWER:
            await peer.send(answer[: len(answer) // 2])
        raise HangUp

    return behave


async def ask(url: str, request: Request) -> bytes:
    """The whole answer of the server of this URL. It closes the connection after it."""
    origin = urlsplit(url)
    kept = {name: value for name, value in request.headers.items() if name != "connection"}
    fields = "".join(f"{name}: {value}\r\n" for name, value in {**kept, "connection": "close"}.items())
    answer = bytearray()
    async with await anyio.connect_tcp(origin.hostname or "", origin.port or 80) as server:
        await server.send(f"{request.method} {request.target} HTTP/1.1\r\n{fields}\r\n".encode() + request.body)
        try:
            while True:
                answer += await server.receive()
        except anyio.EndOfStream:
            return bytes(answer)

"""A server that asks for a token, as Orkes does."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio

from conductor_async import AuthenticationSettings
from tests.fakes.clients import client_of
from tests.fakes.http_server import Behaviour, FakeServer, Peer, Request, raw_response, respond, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from conductor_async.client import ConductorClient

KEY = AuthenticationSettings(key_id="key-1", key_secret="s3cr3t-c4n4ry")

STATUS = {"workflowId": "w", "status": "RUNNING"}


@dataclass
class Orkes:
    """Hands out `token-1`, `token-2`, … and takes only those in `valid` (all, until one is taken away)."""

    server: FakeServer = field(init=False)
    issued: int = 0
    revoked: set[str] = field(default_factory=set)
    refusal: tuple[int, str] = (401, "EXPIRED_TOKEN")
    token_delay: float = 0.0
    token_fault: Behaviour | None = None

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def tokens_asked(self) -> int:
        return self.server.count("POST", "/api/token")

    @property
    def tokens_seen(self) -> list[str | None]:
        return [each.headers.get("x-authorization") for each in self.server.requests if each.target != "/api/token"]

    def client(self, **settings: Any) -> ConductorClient:
        return client_of(self.url, **{"authentication_settings": KEY, **settings})

    def revoke_all(self) -> None:
        self.revoked |= {f"token-{number}" for number in range(1, self.issued + 1)}

    async def behave(self, peer: Peer, request: Request) -> None:
        if request.target == "/api/token":
            await self._token(peer, request)
            return
        if request.headers.get("x-authorization") in self.revoked | {None}:
            status, error = self.refusal
            await peer.send(raw_response(status, json={"error": error, "message": "Token cannot be used"}))
            return
        started = raw_response(text="3f1c7a52-0000-4000-8000-000000000000")
        await peer.send(started if request.method == "POST" else raw_response(json=STATUS))

    async def _token(self, peer: Peer, request: Request) -> None:
        await anyio.sleep(self.token_delay)
        if self.token_fault:
            await self.token_fault(peer, request)
            return
        if request.json != {"keyId": KEY.key_id, "keySecret": KEY.key_secret}:
            await respond(401, json={"message": "Invalid key or secret"})(peer, request)
            return
        self.issued += 1
        await peer.send(raw_response(json={"token": f"token-{self.issued}", "userId": "u"}))


@contextlib.asynccontextmanager
async def orkes(**settings: Any) -> AsyncIterator[Orkes]:
    """Such a server."""
    fake = Orkes(**settings)
    async with serve(fake.behave) as fake.server:
        yield fake

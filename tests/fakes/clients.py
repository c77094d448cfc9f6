"""Clients as the tests of faults need them: impatient, and blind to the environment's proxies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conductor_async import Configuration, RetryPolicy
from conductor_async.client import ConductorClient

if TYPE_CHECKING:
    from tests.fakes.http_server import FakeServer

#: Retries without noticeable waits.
AT_ONCE = RetryPolicy(base_delay=0.001, max_delay=0.002)
NEVER = RetryPolicy(max_attempts=1)


def client_of(server: FakeServer | str, **settings: Any) -> ConductorClient:
    """A client of a fake server."""
    settings = {"retry": AT_ONCE, "trust_env": False, "timeout": 5, **settings}
    return ConductorClient(Configuration(server if isinstance(server, str) else server.url, **settings))

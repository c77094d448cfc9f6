"""The choice that examples, scripts and services under development make: a server, or a Conductor in this process."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from conductor_async.client import ConductorClient
from conductor_async.config import Configuration, server_url_from_env
from conductor_async.embedded.conductor import EmbeddedConductor

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from conductor_async.hooks import CallHook

__all__ = ["client_from_env"]


@asynccontextmanager
async def client_from_env(*, hooks: Sequence[CallHook] = ()) -> AsyncGenerator[ConductorClient]:
    """A client of the server that CONDUCTOR_SERVER_URL names, or else of a Conductor in this process.

    ```python
    async with client_from_env() as conductor:
        print(conductor.configuration.server_api_url)
    ```

    For examples and development, where the same program runs without a server and with one. In production use
    `ConductorClient`, which never falls back to memory: a variable that is missing shows at once there.

    Args:
        hooks: Called around every call: metrics, tracing.

    Raises:
        ConfigurationError: The environment names a server or a key in a way that cannot work.
    """
    if server_url_from_env():
        async with ConductorClient(Configuration(hooks=hooks)) as client:
            yield client
    else:
        async with EmbeddedConductor(hooks=hooks) as embedded:
            yield embedded.client

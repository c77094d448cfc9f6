"""`client_from_env`: a client of a server, or of a Conductor in this process, as the environment says."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from conductor_async.client import ConductorClient
from conductor_async.config import Configuration, server_url_from_env
from conductor_async.embedded._conductor import EmbeddedConductor

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from conductor_async.hooks import CallHook

__all__ = ["client_from_env"]


@asynccontextmanager
async def client_from_env(*, hooks: Sequence[CallHook] = ()) -> AsyncGenerator[ConductorClient]:
    """Yields a client of the server that CONDUCTOR_SERVER_URL names, or else of a Conductor in this process.

    ```python
    async with client_from_env() as conductor:
        print(conductor.configuration.server_api_url)
    ```

    It is for examples and development, where one program runs with and without a server. In production use
    `ConductorClient`: it never falls back to memory, so that a missing variable shows at once.

    Args:
        hooks: Called around every call: metrics, tracing.

    Raises:
        ConfigurationError: The environment has an invalid URL or key.
    """
    if server_url_from_env():
        async with ConductorClient(Configuration(hooks=hooks)) as client:
            yield client
    else:
        async with EmbeddedConductor(hooks=hooks) as embedded:
            yield embedded.client

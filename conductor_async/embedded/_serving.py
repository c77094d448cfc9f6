"""Serves an embedded Conductor on a port, for clients in other processes and other languages."""

from __future__ import annotations

import contextlib
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio

from conductor_async.devserver.detached_tasks import DetachedTaskGroup
from conductor_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    import uvicorn
    from starlette.applications import Starlette

    from conductor_async.devserver import Runtime

__all__ = ["serving"]

_GRACE = 2
"""Seconds that open requests get when the server stops."""

_KEEP_ALIVE = 75
"""Seconds that idle connections are kept: longer than clients keep them, so that none is closed under a request."""

_LAST_PORT = 65535


@asynccontextmanager
async def serving(app: Starlette, runtime: Runtime, host: str, port: int) -> AsyncGenerator[str]:
    """Serves the app on a port and yields the API's URL.

    Raises:
        ConfigurationError: The port cannot be bound, the extra `[embedded]` is not installed, or the clock skips.
    """
    if runtime.clock.kind == "skipping":
        raise ConfigurationError(
            "An embedded Conductor with clock='skipping' cannot be served on a port: it cannot see the work of other"
            " processes, and would skip the time that they need. Use clock='real', or clock='manual' and advance()."
        )
    with _bound(host, port) as bound:
        started, ended = anyio.Event(), anyio.Event()
        server = _server(app, started)

        async def serve() -> None:
            try:
                await server.serve([bound])
            finally:
                started.set()
                ended.set()

        tasks = DetachedTaskGroup()
        await tasks.open()
        tasks.start_soon(serve)
        try:
            await started.wait()
            url_host = f"[{host}]" if ":" in host else host
            yield f"http://{url_host}:{bound.getsockname()[1]}/api"
        finally:
            server.should_exit = True
            runtime.release_waiters()
            with anyio.CancelScope(shield=True):
                await ended.wait()
                runtime.closing = False  # the embedded Conductor itself continues
                await tasks.aclose()


@contextlib.contextmanager
def _bound(host: str, port: int) -> Generator[socket.socket]:
    if not 0 <= port <= _LAST_PORT:
        raise ConfigurationError(f"port must be from 0 (any free port) to {_LAST_PORT}, not {port}")
    try:
        bound = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise ConfigurationError(
            f"Cannot listen on port {port} of {host} ({error.strerror}): choose another port."
        ) from error
    with bound:
        yield bound


def _server(app: Starlette, started: anyio.Event) -> uvicorn.Server:
    try:
        import uvicorn
    except ImportError as error:
        raise ConfigurationError(
            "Serving on a port needs the extra [embedded]: pip install 'conductor-async[embedded]'."
        ) from error

    class Server(uvicorn.Server):
        """Leaves signals to the program, and tells when it has started."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            started.set()

        @contextlib.contextmanager
        def capture_signals(self) -> Generator[None]:
            yield

    return Server(
        uvicorn.Config(
            app,
            lifespan="off",
            ws="none",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=_GRACE,
            timeout_keep_alive=_KEEP_ALIVE,
        )
    )

"""An embedded Conductor on a port, for clients in other processes and other languages."""

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
"""Seconds that answers under way get when it stops."""

_LAST_PORT = 65535


@asynccontextmanager
async def serving(app: Starlette, runtime: Runtime, host: str, port: int) -> AsyncGenerator[str]:
    """Serves the app while the context is open, and yields the API's URL.

    Raises:
        ConfigurationError: The port cannot be had, the extra `[embedded]` is not installed, or time would be skipped.
    """
    if runtime.time.kind == "skipping":
        raise ConfigurationError(
            "An embedded Conductor whose clock is skipping cannot be on a port: it does not see what goes on in other"
            " processes, and would skip the time that they need. Use clock='real', or 'manual' and advance()."
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

        background = DetachedTaskGroup()
        await background.open()
        background.start_soon(serve)
        try:
            await started.wait()
            shown = f"[{host}]" if ":" in host else host
            yield f"http://{shown}:{bound.getsockname()[1]}/api"
        finally:
            server.should_exit = True
            runtime.answer_all()
            with anyio.CancelScope(shield=True):
                await ended.wait()
                runtime.closing = False
                await background.aclose()


@contextlib.contextmanager
def _bound(host: str, port: int) -> Generator[socket.socket]:
    if not 0 <= port <= _LAST_PORT:
        raise ConfigurationError(f"port must be from 0 (any that is free) to {_LAST_PORT}, not {port}")
    try:
        bound = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise ConfigurationError(f"Port {port} of {host} cannot be had ({error.strerror}): choose another.") from error
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
        """Leaves signals to the program: it is not its main thing."""

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
        )
    )

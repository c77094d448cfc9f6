"""`python -m conductor_async dev`: a Conductor for development, in memory, on a port."""

from __future__ import annotations

import signal
import sys

import anyio

from conductor_async.devserver.routes.admin import SERVER_VERSION
from conductor_async.embedded import EmbeddedConductor

BANNER = """\
conductor_async dev: a Conductor API at {url}

  Everything is in memory and gone when this process ends. It is for development and tests: it behaves like the
  Conductor server {version}, without its database, its web interface and its connections to other services.
  To run the real server with nothing but pip:  pip install 'conductor-async[server]', then
    async with conductor_async.localserver.LocalServer(port=8080) as server: ...
  For production: https://github.com/conductor-oss/conductor

  Use it from anywhere:  export CONDUCTOR_SERVER_URL={url}
  Press Ctrl+C to stop.
"""


def dev(
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    allow_host: tuple[str, ...] = (),
    http_host: tuple[str, ...] = (),
) -> int:
    """Serve Conductor's API, in memory, until SIGTERM or SIGINT. For development and tests.

    Args:
        host: The address to listen on. Whoever reaches it can use it: there is no login.
        port: The port; 0 is any free port.
        allow_host: A host name that it answers to, beside names of this machine. Can be repeated.
        http_host: A host that HTTP tasks may reach. Can be repeated. By default, they reach whatever this machine
            reaches.
    """
    anyio.run(_serve, host, port, allow_host, http_host)
    return 0


async def _serve(host: str, port: int, allow_hosts: tuple[str, ...], http_hosts: tuple[str, ...]) -> None:
    embedded = EmbeddedConductor(allow_hosts=allow_hosts, http_hosts=http_hosts or None)
    async with embedded, embedded.serving(host=host, port=port) as url:
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            sys.stdout.write(BANNER.format(url=url, version=SERVER_VERSION))
            sys.stdout.flush()
            async for _ in signals:
                break

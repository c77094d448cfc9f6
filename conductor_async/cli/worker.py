"""`python -m conductor_async worker shop.workers`: runs workers until it is told to stop."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterable
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, cast

import anyio

from conductor_async.client import ConductorClient
from conductor_async.errors import ConfigurationError
from conductor_async.worker.decorator import WorkerTask
from conductor_async.worker.discovery import discover, imported
from conductor_async.worker.host import WorkerHost

if TYPE_CHECKING:
    from conductor_async.worker.decorator import AnyWorker

logger = logging.getLogger("conductor_async")

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


def worker(app: str, /, *, server: str | None = None, grace: float | None = None, log_level: Level = "INFO") -> int:
    """Run workers until SIGTERM or SIGINT, then finish what runs, deliver every result, and end.

    A second signal hands back what runs at once.

    Args:
        app: `shop.workers`, a module or package whose workers are all run; or `shop.main:workers`, a worker, a list
            of workers, or a function that gets the client and returns a WorkerHost.
        server: The server's API. By default CONDUCTOR_SERVER_URL says, else it is http://localhost:8080/api.
        grace: Seconds that running tasks get when it stops. By default 30.
        log_level: What is logged, to the standard error.
    """
    logging.basicConfig(level=log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    found = _found(app)
    anyio.run(_serve, found, server, grace)
    _leave_threads_behind()
    return 0


def _leave_threads_behind() -> None:
    """Ends the process, if functions still run in threads: nothing can stop them, and Python would wait for them.

    Their tasks were handed back when the time was up.
    """
    left = sum(each.name.startswith("AnyIO worker") and not each.daemon for each in threading.enumerate())
    if left:
        logger.warning("Functions still run in threads, and end with the process: %d", left)
        logging.shutdown()
        sys.stdout.flush()
        os._exit(0)


async def _serve(found: Any, server: str | None, grace: float | None) -> None:
    async with ConductorClient(server) as conductor:
        host = _host(found, conductor, grace)
        logger.info("%r polls %s", host, conductor.configuration.server_api_url)
        await host.run(signals=True)


def _host(found: Any, conductor: ConductorClient, grace: float | None) -> WorkerHost:
    """The host that an app means.

    Raises:
        ConfigurationError: It means none.
    """
    if isinstance(found, WorkerTask | ModuleType):
        found = [found] if isinstance(found, WorkerTask) else discover(found)
    if isinstance(found, Iterable):
        workers = cast("Iterable[AnyWorker]", found)
        return WorkerHost(conductor, workers) if grace is None else WorkerHost(conductor, workers, grace=grace)
    if not callable(found):
        raise ConfigurationError(f"{found!r} is neither workers nor a function that makes a WorkerHost")
    host = found(conductor)
    if not isinstance(host, WorkerHost):
        raise ConfigurationError(f"{found!r} returned {host!r}, not a WorkerHost")
    if grace is not None:
        raise ConfigurationError("--grace has no effect on a WorkerHost that the app makes: say it there")
    return host


def _found(app: str) -> Any:
    """What `module:name` or `module` stands for.

    Raises:
        ConfigurationError: There is no such thing.
    """
    module, colon, name = app.partition(":")
    if module.endswith(".py"):
        named = module.removesuffix(".py").removeprefix("./").replace("/", ".")
        raise ConfigurationError(f"{app!r} is a file: give the module's name, {named + colon + name!r}")
    if not colon:
        return discover(module)
    found: Any = imported(module)
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise ConfigurationError(f"the module {module!r} has no {name!r}") from None
    return found

"""`python -m conductor_async worker shop.workers`: runs workers until it is told to stop."""

from __future__ import annotations

import inspect
import logging
import os
import sys
import threading
from collections.abc import Iterable
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, cast

import anyio

from conductor_async.client import ConductorClient
from conductor_async.config import Configuration
from conductor_async.errors import ConfigurationError
from conductor_async.observability.metrics import PrometheusMetrics
from conductor_async.worker._discovery import discover, import_module
from conductor_async.worker.decorator import WorkerTask
from conductor_async.worker.host import WorkerHost

if TYPE_CHECKING:
    from collections.abc import Callable

    from conductor_async.worker.decorator import AnyWorker

logger = logging.getLogger("conductor_async")

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


def worker(
    app: str,
    /,
    *,
    server: str | None = None,
    grace: float | None = None,
    metrics_port: int | None = None,
    log_level: Level = "INFO",
) -> int:
    """Run workers until SIGTERM or SIGINT, then finish what runs, deliver every result, and end.

    A second signal hands back what runs at once.

    Args:
        app: `shop.workers`, a module or package whose workers are all run; or `shop.main:workers`, a worker, a list
            of workers, or a function that gets the client and returns a WorkerHost.
        server: The server's API. By default CONDUCTOR_SERVER_URL says, else it is http://localhost:8080/api.
        grace: Seconds that running tasks get when it stops. By default 30.
        metrics_port: Show Prometheus metrics at this port. It needs the extra [prometheus].
        log_level: What is logged, to the standard error.
    """
    logging.basicConfig(level=log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    found = _found(app)
    metrics = None if metrics_port is None else _shown_metrics(metrics_port)
    anyio.run(_serve, found, server, grace, metrics)
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


def _shown_metrics(port: int) -> PrometheusMetrics:
    """Metrics, and a server that shows them.

    Raises:
        ConfigurationError: The extra is not installed, or the port cannot be had.
    """
    metrics = PrometheusMetrics()
    from prometheus_client import start_http_server  # there is one: the metrics have it

    try:
        start_http_server(port)
    except (OSError, OverflowError) as error:
        raise ConfigurationError(f"there is no showing metrics at port {port}: {error}") from error
    return metrics


async def _serve(found: Any, server: str | None, grace: float | None, metrics: PrometheusMetrics | None) -> None:
    observers = [] if metrics is None else [metrics]
    async with ConductorClient(Configuration(server, hooks=observers)) as conductor:
        if callable(found) and not isinstance(found, WorkerTask):
            if grace is not None or observers:
                raise ConfigurationError(
                    "--grace and --metrics-port have no effect on a WorkerHost that the app makes: say it there"
                )
            host = _made_by(found, conductor)
        else:
            host = WorkerHost(conductor, _workers(found), grace=30.0 if grace is None else grace, listeners=observers)
        logger.info("%r polls %s", host, conductor.configuration.server_api_url)
        await host.run(signals=True)


def _made_by(app: Callable[[ConductorClient], object], conductor: ConductorClient) -> WorkerHost:
    host = app(conductor)
    if not isinstance(host, WorkerHost):
        if inspect.iscoroutine(host):
            host.close()
        raise ConfigurationError(
            f"{getattr(app, '__name__', app)!r} returned {host!r}, not a WorkerHost. If it does the work of a task,"
            ' decorate it with @worker_task("its_task_type"); a function that makes the host is a plain `def`'
        )
    return host


def _workers(found: Any) -> Iterable[AnyWorker]:
    if isinstance(found, WorkerTask):
        return [cast("AnyWorker", found)]
    if isinstance(found, ModuleType):
        return discover(found)
    if isinstance(found, Iterable):
        return cast("Iterable[AnyWorker]", found)
    raise ConfigurationError(f"{found!r} is neither workers nor a function that makes a WorkerHost")


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
    found: Any = import_module(module)
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise ConfigurationError(f"the module {module!r} has no {name!r}") from None
    return found

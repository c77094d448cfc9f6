"""`python -m conductor_async worker shop.workers`: runs workers until a signal stops them."""

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
    """Run workers until SIGTERM or SIGINT, then finish running tasks, deliver every result, and exit.

    A second signal hands running tasks back to the server at once.

    Args:
        app: `shop.workers`, a module or package whose workers are all run; or `shop.main:workers`, a worker, a list
            of workers, or a function that takes the client and returns a WorkerHost.
        server: The URL of the server's API. By default CONDUCTOR_SERVER_URL, or else http://localhost:8080/api.
        grace: Seconds that running tasks get at a stop. By default 30.
        metrics_port: Serve Prometheus metrics on this port. It needs the extra [prometheus].
        log_level: The level of the log on standard error.
    """
    logging.basicConfig(level=log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    loaded = _load(app)
    metrics = None if metrics_port is None else _serve_metrics(metrics_port)
    anyio.run(_serve, loaded, server, grace, metrics)
    _exit_despite_threads()
    return 0


def _exit_despite_threads() -> None:
    """Exits the process if functions still run in threads.

    Nothing can stop a thread, and Python would wait for it at exit. The tasks of these threads were handed back to the
    server when their grace period ended.
    """
    running = sum(each.name.startswith("AnyIO worker") and not each.daemon for each in threading.enumerate())
    if running:
        logger.warning("%d functions still run in threads; exiting without them. Their tasks were handed back", running)
        logging.shutdown()
        sys.stdout.flush()
        os._exit(0)


def _serve_metrics(port: int) -> PrometheusMetrics:
    """Returns metrics that a new HTTP server exposes.

    Raises:
        ConfigurationError: The extra is not installed, or the port cannot be bound.
    """
    metrics = PrometheusMetrics()  # it tells if the extra is missing
    from prometheus_client import start_http_server

    try:
        start_http_server(port)
    except (OSError, OverflowError) as error:
        raise ConfigurationError(f"Cannot serve metrics on port {port}: {error}") from error
    return metrics


async def _serve(loaded: Any, server: str | None, grace: float | None, metrics: PrometheusMetrics | None) -> None:
    observers = [] if metrics is None else [metrics]
    async with ConductorClient(Configuration(server, hooks=observers)) as conductor:
        if callable(loaded) and not isinstance(loaded, WorkerTask):
            if grace is not None or observers:
                raise ConfigurationError(
                    "--grace and --metrics-port have no effect on a WorkerHost that the app creates: set them there"
                )
            host = _host_from(loaded, conductor)
        else:
            host = WorkerHost(
                conductor, _workers_in(loaded), grace=30.0 if grace is None else grace, listeners=observers
            )
        logger.info("%r polls %s", host, conductor.configuration.server_api_url)
        await host.run(signals=True)


def _host_from(app: Callable[[ConductorClient], object], conductor: ConductorClient) -> WorkerHost:
    host = app(conductor)
    if not isinstance(host, WorkerHost):
        if inspect.iscoroutine(host):
            host.close()
        raise ConfigurationError(
            f"{getattr(app, '__name__', app)!r} returned {host!r}, not a WorkerHost. If it is the function of a task,"
            ' decorate it with @worker_task("its_task_type"); a function that creates the host is a plain `def`'
        )
    return host


def _workers_in(loaded: Any) -> Iterable[AnyWorker]:
    if isinstance(loaded, WorkerTask):
        return [cast("AnyWorker", loaded)]
    if isinstance(loaded, ModuleType):
        return discover(loaded)
    if isinstance(loaded, Iterable):
        return cast("Iterable[AnyWorker]", loaded)
    raise ConfigurationError(f"{loaded!r} is neither workers nor a function that creates a WorkerHost")


def _load(app: str) -> Any:
    """Returns what `module:name` or `module` names.

    Raises:
        ConfigurationError: There is no such module or name.
    """
    module, colon, name = app.partition(":")
    if module.endswith(".py"):
        dotted = module.removesuffix(".py").removeprefix("./").replace("/", ".")
        raise ConfigurationError(f"{app!r} is a file: give the name of the module, {dotted + colon + name!r}")
    if not colon:
        return discover(module)
    loaded: Any = import_module(module)
    for part in name.split("."):
        try:
            loaded = getattr(loaded, part)
        except AttributeError:
            raise ConfigurationError(f"The module {module!r} has no {name!r}") from None
    return loaded

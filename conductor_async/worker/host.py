"""`WorkerHost`: runs workers in this process, on the caller's event loop."""

from __future__ import annotations

import logging
import os
import secrets
import socket
from contextlib import nullcontext
from typing import TYPE_CHECKING

from conductor_async._detached import Interruption
from conductor_async.client import ConductorClient
from conductor_async.config import seconds, worker_environment
from conductor_async.errors import ConfigurationError
from conductor_async.resources._worker_api import LONGEST_POLL
from conductor_async.worker._blocked_loop import hand_back_from_thread
from conductor_async.worker._event_loop import threadsafe_call_soon
from conductor_async.worker._function.log_handler import TaskLogHandler
from conductor_async.worker._health import HostHealth
from conductor_async.worker._host_run import TIME_TO_DELIVER, HostOptions
from conductor_async.worker._lifetime import Lifetime
from conductor_async.worker._listeners import Listeners
from conductor_async.worker._loop_monitor import LoopMonitor
from conductor_async.worker._options import checked_log_level, checked_poll_timeout
from conductor_async.worker._overrides import overridden
from conductor_async.worker._registration import register_task_defs
from conductor_async.worker._signals import SignalHandler
from conductor_async.worker.decorator import WorkerTask

if TYPE_CHECKING:
    from collections.abc import Awaitable, Generator, Iterable
    from contextlib import AbstractContextManager
    from datetime import timedelta
    from types import TracebackType
    from typing import Self

    from conductor_async.worker._host_run import HostRun
    from conductor_async.worker._in_flight.quarantine import Quarantine
    from conductor_async.worker.decorator import AnyWorker
    from conductor_async.worker.events import Listener

__all__ = ["WorkerHost"]

logger: logging.Logger = logging.getLogger("conductor_async")


class WorkerHost:
    """Runs workers while the context is open, from `start()` to `stop()`, or while `run()` is awaited.

    ```python
    async with WorkerHost(conductor, [greet, charge]):
        run = await workflow.execute({"name": "Ada"})
    ```

    When the context ends (normally, by an exception or by cancellation), the host stops polling, waits for polls under
    way, hands back tasks that it has not started, and gives running tasks `grace` seconds. It cancels those that have
    not ended by then and hands them back, delivers every result, and returns. The client must stay open until then. A
    host can be entered again after it was left, and left by another task than the one that entered it. (On trio, a
    context belongs to one task: use `start()` and `stop()` for that.)

    A function can hurt only its own task, whatever it raises or leaves open. A coroutine that goes on for five seconds
    after it was cancelled is left behind when the host stops.

    Args:
        conductor: The client to use. The host does not close it.
        workers: Functions decorated with `@worker_task`, each task type and domain once.
        grace: Seconds (or a timedelta) that running tasks get when the host stops. Delivering results may take 10 more.
        poll_timeout: Seconds (or a timedelta), at most 5, that a poll waits at the server for a task, if the worker
            does not say: at most 1 in the host's first minute. A host that stops waits for its polls; only a dev server
            answers them at once.
        worker_id: The name under which the server keeps the tasks of this host, if the worker has none of its own. By
            default host name, process id and a random part. Choose a unique one: the host finds orphaned tasks by it,
            and hands them back.
        max_running: How many tasks may run at once, over all workers. By default as many as the workers allow together.
        max_idle_polls: How many polls wait at the server at once. If there are more workers, they take turns.
        max_result_size: Bytes of output, as JSON, that the server accepts. A larger output fails its task for good. By
            default 3 MiB, or 10 MiB if the server has external storage for large payloads.
        outbox: A file that keeps results until they are delivered. If the process is killed, the next one with the same
            file delivers them. By default results are kept in memory.
        task_log_level: Adds what functions log with the standard library, from this level on, to the logs of their
            tasks: `"INFO"`. By default nothing, unless a worker says so.
        quarantine: Called with each task before it runs. If it returns a reason, the task fails for good with it and
            does not run: use it for a task that is handed out again and again (`task.poll_count`) because it kills its
            process. By default every task runs.
        listeners: Called with each event (see `conductor_async.worker.events`), on the event loop.

    Raises:
        ConfigurationError: One of the workers is not a worker, or two are for the same tasks.
    """

    def __init__(
        self,
        conductor: ConductorClient,
        workers: Iterable[AnyWorker],
        *,
        grace: float | timedelta = 30.0,
        poll_timeout: float | timedelta = LONGEST_POLL,
        worker_id: str | None = None,
        max_running: int | None = None,
        max_idle_polls: int = 50,
        max_result_size: int | None = None,
        outbox: str | os.PathLike[str] | None = None,
        task_log_level: int | str | None = None,
        quarantine: Quarantine | None = None,
        listeners: Iterable[Listener] = (),
    ) -> None:
        if not isinstance(conductor, ConductorClient):
            raise ConfigurationError(
                f"a WorkerHost needs a ConductorClient, not {conductor!r}: an EmbeddedConductor, a LocalServer and a"
                " WorkflowEnvironment have one as .client"
            )
        kept = None
        if outbox is not None:
            from conductor_async.worker._results.outbox import Outbox  # imports sqlite3: only where it is used

            kept = Outbox(outbox)
        self._conductor = conductor
        self._options = HostOptions(
            workers=_checked(workers),
            worker_id=worker_id or f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}",
            listeners=Listeners(listeners),
            grace=seconds(grace, "grace", positive=False),
            poll_timeout=checked_poll_timeout(poll_timeout),
            max_running=_at_least_one(max_running, "max_running"),
            max_idle_polls=_at_least_one(max_idle_polls, "max_idle_polls") or 1,
            max_result_size=_at_least_one(max_result_size, "max_result_size"),
            outbox=kept,
            quarantine=quarantine,
        )
        self._task_log_level = checked_log_level(task_log_level)
        self._loop_monitor = LoopMonitor(self.workers, self.worker_id, self._options.listeners)
        self._lifetime: Lifetime | None = None

    def __repr__(self) -> str:
        names = ", ".join(worker.task_definition_name for worker in self.workers)
        return f"<WorkerHost {self.worker_id} for {names}>"

    @property
    def worker_id(self) -> str:
        """The name under which the server keeps the tasks of this host."""
        return self._options.worker_id

    @property
    def workers(self) -> tuple[AnyWorker, ...]:
        """The workers, with the options that the environment gave them."""
        return self._options.workers

    async def start(self) -> Self:
        """Starts the workers and returns, as entering the context does. It may be stopped from any task.

        Raises:
            ConductorError: A task definition could not be registered.
            ConfigurationError: It runs already.
        """
        if self._lifetime is not None and not self._lifetime.has_ended:
            raise ConfigurationError(f"{self!r} runs already: stop it first, or create another WorkerHost")
        lifetime = self._lifetime = Lifetime(  # from now on, stop() has an effect
            self._options,
            self._conductor.worker_api,
            self._loop_monitor.monitoring(),
            TaskLogHandler(self.workers, self._task_log_level),
        )
        try:
            for worker in self.workers:
                worker.prepare()
            await register_task_defs(self.workers, self._conductor.metadata)
            self._conductor.worker_api.open()  # before the loop is monitored: on a cold start, this blocks it
            if self._options.outbox is not None:
                await self._options.outbox.open()
        except BaseException:
            lifetime.end()
            raise
        lifetime.begin()
        return self

    def stop(self, *, at_once: bool = False) -> Awaitable[None]:
        """Begins to stop, as leaving the context does. Await what it returns to wait until the host has stopped.

        Call it on the event loop. It is idempotent, and works from any task.

        Args:
            at_once: Do not wait for running tasks: cancel them and hand them back. Polls under way get one more second,
                and what they bring is handed back; then they are abandoned, and a task that one of them brings waits
                for its response timeout.

        Raises:
            ConductorError: When awaited: what ended the host before it was told to stop.
        """
        lifetime = self._lifetime
        if lifetime is None:
            return _Nothing()
        lifetime.stop(at_once=at_once)
        return lifetime

    async def run(self, *, signals: bool = False) -> None:
        """Runs the workers until it is cancelled or `stop()` is called, and returns when all results are delivered.

        Args:
            signals: Stop at SIGINT and SIGTERM as well, and at the second one at once. If a function blocks the event
                loop when the host should stop, its tasks are handed back and the process ends with status 1. A third
                signal ends the process without anything further. The former handlers are restored in the end.

        Raises:
            ConductorError: A task definition could not be registered.
            ConfigurationError: `signals` is true, and this is not the main thread.
        """
        with self._handling_signals() if signals else nullcontext():
            await self.start()
            lifetime = self._lifetime
            try:
                if lifetime is not None:
                    await lifetime.wait_for_end()
            finally:
                await self.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        if (lifetime := self._lifetime) is not None:
            lifetime.interruption = Interruption()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if (lifetime := self._lifetime) is None:
            return
        lifetime.stop()
        interruption, lifetime.interruption = lifetime.interruption, None
        cause = None if interruption is None else interruption.leave(error)
        # What the caller raised goes before what ended the host, which was logged.
        await lifetime.finish(raises=error is None)
        if cause is not None:  # also if another task has awaited stop(), and got it too
            raise cause

    def _handling_signals(self) -> AbstractContextManager[None]:
        handler = SignalHandler(
            threadsafe_call_soon(),
            self._on_signal,
            time_to_stop=self._options.grace + TIME_TO_DELIVER + 1,
            before_exit=self._abandon_blocked_loop,
        )
        return handler.handling()

    def _on_signal(self, count: int) -> None:
        running = 0 if (run := self._current_run) is None else len(run.state.in_flight)
        if count > 1:
            logger.warning("Received a second signal: the worker host stops at once and hands %d tasks back", running)
        else:
            logger.warning(
                "Received a signal: the worker host stops. Running tasks (%d now) have %g s to end. A second signal"
                " hands them back at once",
                running,
                self._options.grace,
            )
        self.stop(at_once=count > 1)

    def _abandon_blocked_loop(self) -> None:
        in_flight = () if (run := self._current_run) is None else tuple(run.state.in_flight)
        name, stack = self._loop_monitor.find_blocker()
        who = "Something other than a worker" if name is None else f"Worker {name!r}"
        logger.critical(
            "%s blocks the event loop, so the worker host cannot stop. The process ends without it; %d tasks are handed"
            " back. It is at:\n%s",
            who,
            len(in_flight),
            stack,
        )
        if in_flight and self._conductor.worker_api.clock is None:  # a server in this process is blocked, too
            hand_back_from_thread(self._conductor.configuration, in_flight)

    @property
    def _current_run(self) -> HostRun | None:
        lifetime = self._lifetime
        return None if lifetime is None or lifetime.has_ended else lifetime.run

    def health(self) -> HostHealth:
        """Returns its state: its pollers, running tasks, the lag of the event loop, the last contact to the server."""
        run = self._current_run
        pollers = () if self._lifetime is None or self._lifetime.run is None else self._lifetime.run.pollers
        state, last_contact = "stopped", None
        if run is not None:
            state = "stopping" if run.state.stopping.is_set() else "running"
            if (last_success := run.state.circuit_breaker.last_success) is not None:
                last_contact = run.state.clock.now() - last_success
        return HostHealth(
            state=state,
            worker_id=self.worker_id,
            pollers=tuple(poller.health() for poller in pollers),
            running=0 if run is None else len(run.state.in_flight),
            slots=self._options.slots,
            loop_lag=self._loop_monitor.lag,
            longest_loop_lag=self._loop_monitor.longest_lag,
            last_contact=last_contact,
            undelivered=0 if run is None else run.state.result_sender.undelivered,
        )


class _Nothing:
    """Awaitable, and there is nothing to wait for."""

    def __await__(self) -> Generator[object, object, None]:
        return
        yield


def _checked(workers: Iterable[AnyWorker]) -> tuple[AnyWorker, ...]:
    if isinstance(workers, WorkerTask):
        raise ConfigurationError("a WorkerHost takes a list of workers: WorkerHost(conductor, [your_worker])")
    checked = tuple(workers)
    if not checked:
        raise ConfigurationError("a WorkerHost needs at least one worker")
    for worker in checked:
        if isinstance(getattr(worker, "__func__", None), WorkerTask):
            raise ConfigurationError(f"{worker!r}: write @worker_task above @classmethod, not below it")
        if not isinstance(worker, WorkerTask):
            raise ConfigurationError(f'{worker!r} is not a worker: decorate it with @worker_task("its_task_type")')
    checked = overridden(checked, worker_environment())
    seen: set[tuple[str, str | None]] = set()
    for worker in checked:
        key = (worker.task_definition_name, worker.options.domain)
        if key in seen:
            domain = f" in domain {key[1]!r}" if key[1] else ""
            raise ConfigurationError(
                f"two workers are for the tasks of {key[0]!r}{domain}: keep one, with more concurrency"
            )
        seen.add(key)
    return checked


def _at_least_one(value: int | None, name: str) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise ConfigurationError(f"{name} must be a whole number of at least 1, not {value!r}")
    return value

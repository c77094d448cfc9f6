"""`EmbeddedConductor`: an engine, its dev server and a client, in this process."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Self

from conductor_async.client import ConductorClient
from conductor_async.config import Configuration, seconds
from conductor_async.devserver import DevServer, Outcome, Runtime, VirtualClock
from conductor_async.embedded._http_task import HttpTasks
from conductor_async.embedded._mocks import Mocks
from conductor_async.embedded._transport import EmbeddedTransport
from conductor_async.engine import Engine
from conductor_async.engine.scripts.runners import DefaultScripts
from conductor_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from datetime import timedelta
    from types import TracebackType

    import httpx
    from starlette.applications import Starlette

    from conductor_async.devserver import ClockKind
    from conductor_async.embedded._mocks import Mock, MockAnswer
    from conductor_async.engine import ExternalWork
    from conductor_async.hooks import CallHook
    from conductor_async.models import JsonObject, WorkflowDef
    from conductor_async.workflow import WorkflowBuilder

__all__ = ["EmbeddedConductor"]

_HOST = "embedded.conductor"

_SLICE_SECONDS = 0.03
"""How long the engine may hold the event loop at a time, for work that it has postponed before."""


class _EmbeddedClient(ConductorClient):
    """A client of a server in this process: worker hosts that use it live by the server's clock.

    Args:
        configuration: The server's URL, and hooks.
        transport: Reaches the server.
        clock: The server's clock.
    """

    def __init__(self, configuration: Configuration, transport: EmbeddedTransport, clock: VirtualClock) -> None:
        super().__init__(configuration)
        self._api.use_transport(transport)
        self._clock = clock


class EmbeddedConductor:
    """A Conductor in this process: an async context manager. Everything is in memory, and is gone when it ends.

    ```python
    async with EmbeddedConductor() as embedded:
        workflow = ConductorWorkflow(executor=embedded.client.executor, name="greetings")
    ```

    It needs no port and no process, and starts in milliseconds. It is for development and tests. In production, run
    the same code on a real Conductor server.

    Time is real by default. With `clock="skipping"` it jumps to the next timer whenever nothing is under way: no worker
    of a `WorkerHost` on its client is running or about to receive a task, no request but polls is open, no HTTP task or
    mock is running. Delays, WAITs of weeks and timeouts pass at once. A task that you polled by hand does not hold time
    up: it times out when nothing else happens. With `clock="manual"` time only moves by `advance()`.

    Args:
        clock: "real", "skipping" or "manual".
        start: The time at the start, in epoch seconds; by default the real time.
        seed: Makes ids and random delays the same in every run.
        environment: The values of `${workflow.env.NAME}`.
        secrets: The values of `${workflow.secrets.NAME}`.
        http_client: Your own `httpx.AsyncClient` for HTTP tasks. It is used as it is and never closed here.
        http_hosts: The only hosts that HTTP tasks may reach, redirects included: `name` or `name:port`. By default,
            they reach whatever this machine reaches.
        allow_hosts: Host names that `app` and `serving()` answer to, beside names of this machine: see the security
            page.
        hooks: Called around every call of `client`: metrics, tracing.
    """

    def __init__(
        self,
        *,
        clock: ClockKind = "real",
        start: float | None = None,
        seed: int | None = None,
        environment: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        http_client: httpx.AsyncClient | None = None,
        http_hosts: Sequence[str] | None = None,
        allow_hosts: Sequence[str] = (),
        hooks: Sequence[CallHook] = (),
    ) -> None:
        if clock not in ("real", "skipping", "manual"):
            raise ConfigurationError(f"clock must be 'real', 'skipping' or 'manual', not {clock!r}")
        self._clock = VirtualClock(clock, start)
        self._hooks = hooks
        self._mocks = Mocks()
        self._scripts = DefaultScripts()
        self.engine: Engine = Engine(
            clock=self._clock,
            scripts=self._scripts,
            seed=seed,
            environment=environment,
            secrets=secrets,
            is_mocked=self._mocks.has,
            slice_seconds=_SLICE_SECONDS,
        )
        self._runtime = Runtime(self.engine, self._clock, self._perform)
        self.server: DevServer = DevServer(self._runtime)
        self.transport: EmbeddedTransport = EmbeddedTransport(self.server)
        self._http_tasks = HttpTasks(
            http_client,
            {f"all://{_HOST}": self.transport},
            None if http_hosts is None else [*http_hosts, _HOST],
        )
        self._allow_hosts = tuple(allow_hosts)
        self._state = "new"

    # -- life ------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Starts it, as `async with` does. It can be started once."""
        if self._state != "new":
            raise ConfigurationError(f"This EmbeddedConductor is {self._state}, and starts only once. Create another.")
        self._state = "running"
        await self._runtime.open()

    async def stop(self) -> None:
        """Answers open polls, closes the client, ends everything that runs in it. Idempotent; works from any task."""
        if self._state != "running":
            return
        self._state = "stopped"
        self._runtime.release_waiters()
        try:
            await self._runtime.aclose()
        finally:
            self._scripts.close()
            await self._http_tasks.aclose()
            await self.client.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def __repr__(self) -> str:
        return f"<EmbeddedConductor, {self._state}, {self._clock.kind} time>"

    # -- ways in ---------------------------------------------------------------------------------

    @cached_property
    def client(self) -> ConductorClient:
        """Its client. It is closed with it."""
        configuration = Configuration(self.url, trust_env=False, hooks=self._hooks)
        configuration.authentication_settings = None  # the environment's keys are for another server
        return _EmbeddedClient(configuration, self.transport, self._clock)

    @property
    def url(self) -> str:
        """The URL of its API for its client, its transport and its HTTP tasks. Nothing else can reach it."""
        return f"http://{_HOST}/api"

    @cached_property
    def app(self) -> Starlette:
        """Its dev server as an ASGI app.

        Raises:
            ConfigurationError: The extra `[embedded]` is not installed.
        """
        from conductor_async.devserver.app import asgi_app

        return asgi_app(self.server, self._allow_hosts)

    def serving(self, *, host: str = "127.0.0.1", port: int = 0) -> AbstractAsyncContextManager[str]:
        """Serves it on a port, for other processes and other SDKs: an async context manager that yields the API's URL.

        Args:
            host: The address to listen on. Whoever reaches it can use it: there is no login.
            port: The port; 0 is any free port.

        Raises:
            ConfigurationError: The port cannot be bound, the extra `[embedded]` is not installed, or its clock skips.
        """
        from conductor_async.devserver.app import asgi_app
        from conductor_async.embedded._serving import serving

        return serving(asgi_app(self.server, (*self._allow_hosts, host)), self._runtime, host, port)

    # -- time ------------------------------------------------------------------------------------

    def now(self) -> float:
        """Returns its time in epoch seconds."""
        return self._clock.now()

    async def advance(self, by: float | timedelta) -> None:
        """Moves time forward by seconds or a timedelta, timer by timer.

        Returns when everything that was due is done, and attached workers have nothing left to do. A worker can call it
        to let time pass while it works.
        """
        await self._runtime.advance(seconds(by, "by", positive=False))

    # -- mocks and external work ---------------------------------------------------------------------------

    def mock(
        self,
        name: str,
        answer: MockAnswer | list[MockAnswer] | None = None,
        *,
        output: JsonObject | None = None,
        workflow: WorkflowBuilder | WorkflowDef | str | None = None,
    ) -> Mock:
        """Mocks the tasks with a name or of a type: they need no worker. Retries and timeouts work as usual.

        ```python
        embedded.mock("charge", output={"receipt": 7})
        embedded.mock("charge", lambda task_input: {"total": task_input["price"] * 2})
        embedded.mock("charge", [ConnectionError("down"), TIMES_OUT, {"receipt": 7}])
        embedded.mock("HTTP", output={"response": {"statusCode": 200, "body": []}})
        embedded.mock("fulfil", workflow="pretend_to_fulfil")
        ```

        Args:
            name: The name of the task's definition, or a task type (`HTTP`, `SUB_WORKFLOW`, …). A name takes precedence
                over a type.
            answer: An output; an exception to fail with (a `NonRetryableException` fails without retries); `TIMES_OUT`;
                a function of the task's input that returns one of these; or a list of them, one for each attempt, of
                which the last one repeats.
            output: The output.
            workflow: A workflow that is started with the task's input. Its output becomes the task's output.

        Returns:
            The mock. It records what it was called with, and can be removed.
        """
        return self._mocks.add(name, answer, output, workflow)

    async def _perform(self, work: ExternalWork) -> Outcome | None:
        if work.is_mock:
            return await self._mocks.perform(work, self._runtime)
        if work.kind == "HTTP":
            return await self._http_tasks.perform(work.input)
        return Outcome(
            "FAILED_WITH_TERMINAL_ERROR",
            reason=f"The embedded Conductor cannot run tasks of type {work.kind}: mock them, or use a real server.",
        )

"""`WorkflowEnvironment`: a Conductor for tests, in this process, on this machine or anywhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from conductor_async.config import server_url_from_env
from conductor_async.errors import ConfigurationError
from conductor_async.testing._backends import EmbeddedBackend, LocalBackend, ServerBackend
from conductor_async.testing._execution_lookup import add_source, remove_source

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta
    from types import TracebackType

    import httpx

    from conductor_async.client import ConductorClient
    from conductor_async.config import Configuration
    from conductor_async.embedded import Mock, MockAnswer
    from conductor_async.models import JsonObject, WorkflowDef
    from conductor_async.testing._backends import Backend, Kind
    from conductor_async.workflow import WorkflowBuilder

__all__ = ["WorkflowEnvironment"]


class WorkflowEnvironment:
    """A Conductor for tests: an async context manager, created by one of its class methods.

    ```python
    async with WorkflowEnvironment.embedded() as env:
        env.mock("charge", output={"receipt": 7})
        workflow = ConductorWorkflow(executor=env.client.executor, name="orders") >> SimpleTask("charge", "charge_ref")
        run = await workflow.execute({"order": 1})
    ```

    The same test runs on every kind. Only `advance()` and some mocks need the embedded one; elsewhere they raise an
    error that says so. It can be entered in one task and left in another, as test frameworks do with fixtures.

    Attributes:
        kind: "embedded", "local" or "remote".
    """

    kind: Kind

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.kind = backend.kind
        self._open = False

    # -- kinds -----------------------------------------------------------------------------------

    @classmethod
    def embedded(
        cls,
        *,
        seed: int | None = None,
        start: float | None = None,
        environment: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        http_client: httpx.AsyncClient | None = None,
    ) -> Self:
        """Returns a Conductor in this process, which starts in milliseconds and skips all waiting.

        Args:
            seed: Makes ids and random delays the same in every run.
            start: The time at the start, in epoch seconds; by default the real time.
            environment: The values of `${workflow.env.NAME}`.
            secrets: The values of `${workflow.secrets.NAME}`.
            http_client: Your own `httpx.AsyncClient` for HTTP tasks.
        """
        options = {"environment": environment, "secrets": secrets, "http_client": http_client}
        return cls(EmbeddedBackend(clock="skipping", seed=seed, start=start, **options))

    @classmethod
    def local(cls, **options: Any) -> Self:
        """Returns a real Conductor server on this machine, started for this environment. Needs the extra `[server]`.

        Args:
            options: The arguments of `LocalServer`.
        """
        return cls(LocalBackend(options))

    @classmethod
    def connect(cls, server: Configuration | str | None = None) -> Self:
        """Returns a running Conductor server, given its configuration or URL; by default that of the environment."""
        return cls(ServerBackend(server))

    @classmethod
    def from_env(cls) -> Self:
        """Returns the server that the variable CONDUCTOR_SERVER_URL names, or else an embedded Conductor."""
        return cls.connect() if server_url_from_env() else cls.embedded()

    @classmethod
    def named(cls, which: str) -> Self:
        """Returns the environment for `embedded`, `local`, or the URL of a server.

        Raises:
            ConfigurationError: The name is none of these.
        """
        match which:
            case "embedded":
                return cls.embedded()
            case "local":
                return cls.local()
            case _ if "://" in which:
                return cls.connect(which)
            case _:
                raise ConfigurationError(
                    f"There is no environment {which!r}: use 'embedded', 'local' or the URL of a server's API."
                )

    # -- life ------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Starts it, as `async with` does."""
        await self._backend.open()
        self._open = True
        add_source(self._backend)

    async def stop(self) -> None:
        """Ends its mocks and closes its client. Idempotent; works from any task."""
        if self._open:
            self._open = False
            remove_source(self._backend)
            await self._backend.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def __repr__(self) -> str:
        return f"<WorkflowEnvironment, {self.kind}>"

    # -- use --------------------------------------------------------------------------

    @property
    def client(self) -> ConductorClient:
        """Its client. It is closed with it."""
        return self._backend.client

    @property
    def skips_time(self) -> bool:
        """Whether time is skipped, so that a test can wait for a month."""
        return self.kind == "embedded"

    async def advance(self, by: float | timedelta) -> None:
        """Moves time forward by seconds or a timedelta, timer by timer.

        Raises:
            ConfigurationError: It is a real server, whose time cannot be moved.
        """
        await self._backend.advance(by)

    def mock(
        self,
        name: str,
        answer: MockAnswer | list[MockAnswer] | None = None,
        *,
        output: JsonObject | None = None,
        workflow: WorkflowBuilder | WorkflowDef | str | None = None,
    ) -> Mock:
        """Mocks the tasks with a name: they need no worker. Retries and timeouts work as usual.

        ```python
        env.mock("charge", output={"receipt": 7})
        env.mock("charge", lambda task_input: {"total": task_input["price"] * 2})
        env.mock("charge", [ConnectionError("down"), TIMES_OUT, {"receipt": 7}])
        env.mock("charge", workflow="pretend_to_charge")
        ```

        In an embedded Conductor the name can also be a task type: `HTTP`, `SUB_WORKFLOW`, `LLM_CHAT_COMPLETE`, … On a
        real server a mock is a worker: it answers tasks of type SIMPLE, and competes with other workers for them.

        Args:
            name: The name of the task's definition, or a task type.
            answer: An output; an exception to fail with (a `NonRetryableException` fails without retries); `TIMES_OUT`;
                a function of the task's input that returns one of these; or a list of them, one for each attempt, of
                which the last one repeats.
            output: The output.
            workflow: A workflow that is started with the task's input. Its output becomes the task's output.

        Returns:
            The mock. It records what it was called with, and can be removed.

        Raises:
            ConfigurationError: The name is a task type and this is a real server, or there is not exactly one of
                `answer`, `output` and `workflow`.
        """
        return self._backend.mock(name, answer, output, workflow)

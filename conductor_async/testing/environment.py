"""`WorkflowEnvironment`: a Conductor for a test, in this process, on this machine or anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from conductor_async.config import server_url_from_env
from conductor_async.errors import ConfigurationError
from conductor_async.testing.backends import EmbeddedBackend, LocalBackend, ServerBackend
from conductor_async.testing.sources import close_source, open_source

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta
    from types import TracebackType

    import httpx

    from conductor_async.client import ConductorClient
    from conductor_async.config import Configuration
    from conductor_async.embedded import Mock, MockAnswer
    from conductor_async.models import JsonObject, WorkflowDef
    from conductor_async.testing.backends import Backend, Kind
    from conductor_async.workflow import WorkflowBuilder

__all__ = ["WorkflowEnvironment"]


class WorkflowEnvironment:
    """A Conductor to test on: an async context manager, made by one of its four class methods.

    ```python
    async with WorkflowEnvironment.embedded() as env:
        env.mock("charge", output={"receipt": 7})
        run = await ConductorWorkflow(executor=env.client.executor, name="orders").execute({"order": 1})
    ```

    The same test runs on all of them. Only `advance()` and some mocks need the embedded one, and say so elsewhere.
    It may be entered in one task and left in another, as test frameworks do with fixtures.

    Attributes:
        kind: "embedded", "local" or "remote".
    """

    kind: Kind

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.kind = backend.kind
        self._open = False

    # -- which -----------------------------------------------------------------------------------

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
        """A Conductor in this process, which starts in milliseconds and skips all waiting.

        Args:
            seed: Makes ids and random delays the same in every run.
            start: What time it is at first, in epoch seconds; by default what time it really is.
            environment: What `${workflow.env.NAME}` gives.
            secrets: What `${workflow.secrets.NAME}` gives.
            http_client: Your own `httpx.AsyncClient` for HTTP tasks.
        """
        options = {"environment": environment, "secrets": secrets, "http_client": http_client}
        return cls(EmbeddedBackend(clock="skipping", seed=seed, start=start, **options))

    @classmethod
    def local(cls, **options: Any) -> Self:
        """A real Conductor server on this machine, started for this environment. It needs the extra `[server]`.

        Args:
            options: Those of `LocalServer`.
        """
        return cls(LocalBackend(options))

    @classmethod
    def connect(cls, server: Configuration | str | None = None) -> Self:
        """A Conductor server that runs already: its configuration or URL; by default what the environment says."""
        return cls(ServerBackend(server))

    @classmethod
    def from_env(cls) -> Self:
        """The server that the variable CONDUCTOR_SERVER_URL names, or else an embedded one."""
        return cls.connect() if server_url_from_env() else cls.embedded()

    @classmethod
    def named(cls, which: str) -> Self:
        """The environment of that name: `embedded`, `local`, or the URL of a server.

        Raises:
            ConfigurationError: It is none of these.
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
                    f"{which!r} is no environment: it can be 'embedded', 'local' or the URL of a server's API"
                )

    # -- life ------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Opens it: what `async with` does."""
        await self._backend.open()
        self._open = True
        open_source(self._backend)

    async def stop(self) -> None:
        """Ends its mocks and closes its client; again is fine. From any task."""
        if self._open:
            self._open = False
            close_source(self._backend)
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

    # -- what tests use --------------------------------------------------------------------------

    @property
    def client(self) -> ConductorClient:
        """A client of it, closed with it."""
        return self._backend.client

    @property
    def skips_time(self) -> bool:
        """Whether waiting costs nothing here: a test can wait for a month."""
        return self.kind == "embedded"

    async def advance(self, by: float | timedelta) -> None:
        """Moves time on, stopping at every timer on the way; by seconds or a timedelta.

        Raises:
            ConfigurationError: A real server's time goes by itself.
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
        """Has the tasks of a name answered without their worker. Retries and timeouts stay as they are.

        ```python
        env.mock("charge", output={"receipt": 7})
        env.mock("charge", lambda task_input: {"total": task_input["price"] * 2})
        env.mock("charge", [ConnectionError("down"), TIMES_OUT, {"receipt": 7}])
        env.mock("charge", workflow="pretend_to_charge")
        ```

        In the embedded Conductor the name may also be a type of task: `HTTP`, `SUB_WORKFLOW`, `LLM_CHAT_COMPLETE`, …
        On a real server a mock is a worker: it answers tasks of type SIMPLE, and takes them from all that poll them.

        Args:
            name: The name of the task's definition, or a type.
            answer: An output, an exception to fail with (a `NonRetryableException` for good), `TIMES_OUT`, a function
                of the task's input that gives one of these, or a list of them, one for each attempt. The last is used
                again and again.
            output: The output.
            workflow: A workflow that is started with the task's input, and whose output becomes the task's.

        Returns:
            The mock, which remembers what it was called with, and can be removed.

        Raises:
            ConfigurationError: It is a type, on a real server; or there is not exactly one thing to answer with.
        """
        return self._backend.mock(name, answer, output, workflow)

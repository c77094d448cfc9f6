"""What an environment is on: the embedded Conductor, a server that runs, or one that is started for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from anyio.from_thread import start_blocking_portal

from conductor_async.client import ConductorClient
from conductor_async.embedded import EmbeddedConductor
from conductor_async.engine.errors import EngineError
from conductor_async.errors import ConductorError, ConfigurationError
from conductor_async.models import Workflow
from conductor_async.testing.server_mocks import ServerMocks

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from conductor_async.config import Configuration
    from conductor_async.embedded import Mock
    from conductor_async.localserver import LocalServer

__all__ = ["Backend", "EmbeddedBackend", "Kind", "LocalBackend", "ServerBackend"]

Kind: TypeAlias = Literal["embedded", "local", "remote"]


class Backend(Protocol):
    """Opened once, closed once; in between it answers what an environment is asked."""

    @property
    def kind(self) -> Kind:
        """Which it is."""
        ...

    @property
    def client(self) -> ConductorClient:
        """A client of it."""
        ...

    async def open(self) -> None:
        """Makes it ready."""
        ...

    async def close(self) -> None:
        """Ends all that it began."""
        ...

    async def advance(self, by: float | timedelta) -> None:
        """Moves its time on."""
        ...

    def mock(self, name: str, answer: Any, output: Any, workflow: Any) -> Mock:
        """Answers the tasks of a name. See `WorkflowEnvironment.mock`."""
        ...

    def look_up(self, workflow_id: str) -> Workflow | None:
        """The execution, at once."""
        ...


class EmbeddedBackend:
    """The embedded Conductor."""

    kind: Kind = "embedded"

    def __init__(self, **options: Any) -> None:
        self._embedded = EmbeddedConductor(**options)

    @property
    def client(self) -> ConductorClient:
        """Its client."""
        return self._embedded.client

    async def open(self) -> None:
        """Starts it."""
        await self._embedded.start()

    async def close(self) -> None:
        """Stops it."""
        await self._embedded.stop()

    async def advance(self, by: float | timedelta) -> None:
        """Moves its time on."""
        await self._embedded.advance(by)

    def mock(self, name: str, answer: Any, output: Any, workflow: Any) -> Mock:
        """Its own mocks."""
        return self._embedded.mock(name, answer, output=output, workflow=workflow)

    def look_up(self, workflow_id: str) -> Workflow | None:
        """What the engine holds."""
        try:
            return Workflow.model_validate(self._embedded.engine.workflows.get(workflow_id, True))
        except EngineError:
            return None


class ServerBackend:
    """A server that runs."""

    kind: Kind = "remote"

    def __init__(self, server: Configuration | str | None) -> None:
        self._client = ConductorClient(server)
        self._mocks = ServerMocks(self._client)

    @property
    def client(self) -> ConductorClient:
        """A client of it."""
        return self._client

    async def open(self) -> None:
        """Gets ready to mock. The client connects at its first call."""
        await self._mocks.open()

    async def close(self) -> None:
        """Ends mocks, closes the client."""
        try:
            await self._mocks.close()
        finally:
            await self._client.aclose()

    async def advance(self, by: float | timedelta) -> None:
        """Refuses.

        Raises:
            ConfigurationError: Always.
        """
        raise ConfigurationError(
            f"advance({by!r}) needs an embedded Conductor: the time of {self._client.configuration.server_api_url}"
            " goes by itself. Wait for the workflow, or run this test on WorkflowEnvironment.embedded()."
        )

    def mock(self, name: str, answer: Any, output: Any, workflow: Any) -> Mock:
        """A worker in this process."""
        return self._mocks.add(name, answer, output, workflow)

    def look_up(self, workflow_id: str) -> Workflow | None:
        """What the server says, asked from a thread: whoever asks is no coroutine."""
        configuration = self._client.configuration

        async def ask() -> Workflow:
            async with ConductorClient(configuration) as client:
                return await client.with_options(timeout=5).workflow.get_workflow(workflow_id)

        try:
            with start_blocking_portal() as portal:
                return portal.call(ask)
        except ConductorError:
            return None  # the tree is shown without it


class LocalBackend(ServerBackend):
    """A server that is started for it."""

    kind: Kind = "local"

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        self._server: LocalServer | None = None

    @property
    def client(self) -> ConductorClient:
        """A client of it.

        Raises:
            ConfigurationError: It was not started.
        """
        if self._server is None:
            raise ConfigurationError("WorkflowEnvironment.local() has no client before it is entered with `async with`")
        return self._client

    async def open(self) -> None:
        """Starts the server."""
        from conductor_async.localserver import LocalServer  # it needs an extra

        server = LocalServer(**self._options)
        await server.start()
        self._server = server
        super().__init__(server.url)
        await super().open()

    async def close(self) -> None:
        """Stops the server."""
        try:
            await super().close()
        finally:
            if self._server is not None:
                await self._server.stop()

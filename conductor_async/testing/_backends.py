"""What an environment runs on: the embedded Conductor, a running server, or one that is started for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from anyio.from_thread import start_blocking_portal

from conductor_async.client import ConductorClient
from conductor_async.embedded import EmbeddedConductor
from conductor_async.engine.errors import EngineError
from conductor_async.errors import ConductorError, ConfigurationError
from conductor_async.models import Workflow
from conductor_async.testing._server_mocks import ServerMocks

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from conductor_async.config import Configuration
    from conductor_async.embedded import Mock
    from conductor_async.localserver import LocalServer

__all__ = ["Backend", "EmbeddedBackend", "Kind", "LocalBackend", "ServerBackend"]

Kind: TypeAlias = Literal["embedded", "local", "remote"]


class Backend(Protocol):
    """What an environment needs of a Conductor. It is opened once and closed once."""

    @property
    def kind(self) -> Kind:
        """Which kind it is."""
        ...

    @property
    def client(self) -> ConductorClient:
        """Its client."""
        ...

    async def open(self) -> None:
        """Starts it."""
        ...

    async def close(self) -> None:
        """Ends everything that it started."""
        ...

    async def advance(self, by: float | timedelta) -> None:
        """Moves its time forward."""
        ...

    def mock(self, name: str, answer: Any, output: Any, workflow: Any) -> Mock:
        """Mocks the tasks of a name. See `WorkflowEnvironment.mock`."""
        ...

    def find_execution(self, workflow_id: str) -> Workflow | None:
        """Returns the execution synchronously; None if it does not exist or cannot be fetched."""
        ...


class EmbeddedBackend:
    """The embedded Conductor."""

    kind: Kind = "embedded"

    def __init__(self, **options: Any) -> None:
        self._embedded = EmbeddedConductor(**options)

    @property
    def client(self) -> ConductorClient:
        return self._embedded.client

    async def open(self) -> None:
        await self._embedded.start()

    async def close(self) -> None:
        await self._embedded.stop()

    async def advance(self, by: float | timedelta) -> None:
        await self._embedded.advance(by)

    def mock(self, name: str, answer: Any, output: Any, workflow: Any) -> Mock:
        return self._embedded.mock(name, answer, output=output, workflow=workflow)

    def find_execution(self, workflow_id: str) -> Workflow | None:
        try:
            return Workflow.model_validate(self._embedded.engine.workflows.get(workflow_id, True))
        except EngineError:
            return None


class ServerBackend:
    """A running server."""

    kind: Kind = "remote"

    def __init__(self, server: Configuration | str | None) -> None:
        self._client = ConductorClient(server)
        self._mocks = ServerMocks(self._client)

    @property
    def client(self) -> ConductorClient:
        return self._client

    async def open(self) -> None:
        """Prepares for mocks. The client connects at its first call."""
        await self._mocks.open()

    async def close(self) -> None:
        try:
            await self._mocks.close()
        finally:
            await self._client.aclose()

    async def advance(self, by: float | timedelta) -> None:
        """Raises: the time of a real server cannot be moved.

        Raises:
            ConfigurationError: Always.
        """
        raise ConfigurationError(
            f"advance({by!r}) needs an embedded Conductor: the time of {self._client.configuration.server_api_url}"
            " cannot be moved. Wait for the workflow, or run this test on WorkflowEnvironment.embedded()."
        )

    def mock(self, name: str, answer: Any, output: Any, workflow: Any) -> Mock:
        return self._mocks.add(name, answer, output, workflow)

    def find_execution(self, workflow_id: str) -> Workflow | None:
        """Fetches the execution, on an event loop in a thread: the caller blocks the loop of this one's client."""
        configuration = self._client.configuration

        async def fetch() -> Workflow:
            async with ConductorClient(configuration) as client:
                return await client.with_options(timeout=5).workflow.get_workflow(workflow_id)

        try:
            with start_blocking_portal() as portal:
                return portal.call(fetch)
        except ConductorError:
            return None  # the tree is drawn without it


class LocalBackend(ServerBackend):
    """A real server on this machine, started for the environment."""

    kind: Kind = "local"

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        self._server: LocalServer | None = None

    @property
    def client(self) -> ConductorClient:
        """A client of it.

        Raises:
            ConfigurationError: The server is not started.
        """
        if self._server is None:
            raise ConfigurationError("WorkflowEnvironment.local() has no client yet: enter it with `async with` first.")
        return self._client

    async def open(self) -> None:
        from conductor_async.localserver import LocalServer  # it needs the extra [server]

        server = LocalServer(**self._options)
        await server.start()
        self._server = server
        super().__init__(server.url)
        await super().open()

    async def close(self) -> None:
        try:
            await super().close()
        finally:
            if self._server is not None:
                await self._server.stop()

"""`ConductorClient`: a client of a Conductor server, with all of its API."""

from __future__ import annotations

import copy
from functools import cached_property
from typing import TYPE_CHECKING

from conductor_async._http.call import Api
from conductor_async.config import Configuration
from conductor_async.execution.executor import WorkflowExecutor
from conductor_async.resources import MetadataClient, TaskClient, WorkflowBulkClient, WorkflowClient
from conductor_async.resources._worker_api import WorkerApi

if TYPE_CHECKING:
    from datetime import timedelta
    from types import TracebackType
    from typing import Self

    import httpx

    from conductor_async.clock import Clock
    from conductor_async.config import RetryPolicy

__all__ = ["ConductorClient"]


class ConductorClient:
    """A client of one Conductor server.

    ```python
    async with ConductorClient("http://localhost:8080/api") as conductor:
        workflow_id = await conductor.workflow.start_workflow_by_name("greetings", {"name": "Ada"})
    ```

    It connects at the first call, and belongs to the event loop of that call. `async with` closes it; without it, call
    `aclose()` at the end, from any task.

    Args:
        configuration: Where the server is and how to talk to it, or just its URL; by default, from the environment.
        http_client: Your own `httpx.AsyncClient`. It is used as it is and never closed here.

    Raises:
        ConfigurationError: A setting is invalid, or has no effect beside an `http_client`.
    """

    _clock: Clock | None = None  # a client of a server in this process sets the server's

    def __init__(
        self, configuration: Configuration | str | None = None, *, http_client: httpx.AsyncClient | None = None
    ) -> None:
        if isinstance(configuration, str):
            configuration = Configuration(configuration)
        self._api = Api(configuration, http_client)

    @property
    def configuration(self) -> Configuration:
        """Where the server is and how to talk to it."""
        return self._api.configuration

    @cached_property
    def metadata(self) -> MetadataClient:
        """Definitions of workflows and tasks."""
        return MetadataClient(self._api)

    @cached_property
    def workflow(self) -> WorkflowClient:
        """Executions: start, read, control."""
        return WorkflowClient(self._api)

    @cached_property
    def workflow_bulk(self) -> WorkflowBulkClient:
        """One operation on many executions."""
        return WorkflowBulkClient(self._api)

    @cached_property
    def task(self) -> TaskClient:
        """Tasks: polling, results, logs, queues."""
        return TaskClient(self._api)

    @cached_property
    def executor(self) -> WorkflowExecutor:
        """Starts executions and waits for them."""
        return WorkflowExecutor(api=self._api)

    @cached_property
    def worker_api(self) -> WorkerApi:
        """What `WorkerHost` needs of the server beyond the public methods. Internal: it may change in any release."""
        return WorkerApi(self._api, self._clock)

    def with_options(self, *, timeout: float | timedelta | None = None, retry: RetryPolicy | None = None) -> Self:
        """Returns a client with other options over the same session: `conductor.with_options(timeout=5).metadata…`.

        Args:
            timeout: Seconds (or a timedelta) for one request; not for a whole wait.
            retry: How failed requests are retried.
        """
        other = copy.copy(self)
        other.__dict__ = {"_api": self._api.with_options(timeout=timeout, retry=retry), "_clock": self._clock}
        return other

    async def aclose(self) -> None:
        """Closes the session. Idempotent. Calls in progress end with a ClientClosedError."""
        await self._api.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"ConductorClient({self.configuration.server_api_url!r})"

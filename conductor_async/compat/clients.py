"""`OrkesClients`: the factory that code written for conductor-python knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async._camel_case import CamelCaseMixin
from conductor_async.client import ConductorClient

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from conductor_async.config import Configuration
    from conductor_async.execution.executor import WorkflowExecutor
    from conductor_async.resources import MetadataClient, TaskClient, WorkflowBulkClient, WorkflowClient


class OrkesClients(CamelCaseMixin):
    """Hands out the clients of one server; all of them share one session, opened by the first call.

    Args:
        configuration: Where the server is and how to talk to it; by default, what the environment says.
    """

    def __init__(self, configuration: Configuration | None = None) -> None:
        self._client = ConductorClient(configuration)

    @property
    def configuration(self) -> Configuration:
        """Where the server is and how to talk to it."""
        return self._client.configuration

    def get_metadata_client(self) -> MetadataClient:
        """Definitions of workflows and tasks."""
        return self._client.metadata

    def get_workflow_client(self) -> WorkflowClient:
        """Executions: start, look, control."""
        return self._client.workflow

    def get_workflow_bulk_client(self) -> WorkflowBulkClient:
        """The same operation on many executions."""
        return self._client.workflow_bulk

    def get_task_client(self) -> TaskClient:
        """Tasks: polling, results, logs, queues."""
        return self._client.task

    def get_workflow_executor(self) -> WorkflowExecutor:
        """Starts executions and waits for them."""
        return self._client.executor

    async def aclose(self) -> None:
        """Closes the session of all the clients handed out; again is fine."""
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()


#: The same, under the incumbent's vendor-neutral name.
ConductorClients = OrkesClients

"""`OrkesClients`: conductor-python's factory of clients."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from conductor_async._camel_case import CamelCaseMixin
from conductor_async.client import ConductorClient
from conductor_async.resources import WorkflowClient

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from conductor_async.config import Configuration
    from conductor_async.execution.executor import WorkflowExecutor
    from conductor_async.resources import MetadataClient, TaskClient, WorkflowBulkClient


class OrkesWorkflowClient(WorkflowClient):
    """A `WorkflowClient` that also has conductor-python's other names."""

    async def remove_workflow(self, workflow_id: str) -> None:
        """Removes an execution that has ended: see `delete_workflow`."""
        await self.delete_workflow(workflow_id)


class _Client(ConductorClient):
    @cached_property
    def workflow(self) -> OrkesWorkflowClient:
        """Executions."""
        return OrkesWorkflowClient(self._api)


class OrkesClients(CamelCaseMixin):
    """Returns the clients of one server. They share one session, which the first call opens.

    Args:
        configuration: Where the server is and how to talk to it; by default, from the environment.
    """

    def __init__(self, configuration: Configuration | None = None) -> None:
        self._client = _Client(configuration)

    @property
    def configuration(self) -> Configuration:
        """Where the server is and how to talk to it."""
        return self._client.configuration

    def get_metadata_client(self) -> MetadataClient:
        """Returns the client for definitions of workflows and tasks."""
        return self._client.metadata

    def get_workflow_client(self) -> OrkesWorkflowClient:
        """Returns the client for executions."""
        return self._client.workflow

    def get_workflow_bulk_client(self) -> WorkflowBulkClient:
        """Returns the client for operations on many executions."""
        return self._client.workflow_bulk

    def get_task_client(self) -> TaskClient:
        """Returns the client for tasks: polling, results, logs, queues."""
        return self._client.task

    def get_workflow_executor(self) -> WorkflowExecutor:
        """Returns the executor, which starts executions and waits for them."""
        return self._client.executor

    async def aclose(self) -> None:
        """Closes the session of all these clients. Idempotent."""
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()


#: conductor-python's vendor-neutral name for the same class.
ConductorClients = OrkesClients

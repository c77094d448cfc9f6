"""Mocks on a real server: workers in this process that give the mocks' answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio

from conductor_async.devserver.detached_tasks import DetachedTaskGroup
from conductor_async.devserver.runtime import Outcome
from conductor_async.embedded._mocks import Mocks
from conductor_async.errors import ConfigurationError
from conductor_async.models import StartWorkflowRequest, TaskResult, TaskType

if TYPE_CHECKING:
    from conductor_async.client import ConductorClient
    from conductor_async.embedded import Mock
    from conductor_async.models import JsonObject, Task

__all__ = ["ServerMocks"]

_POLL_INTERVAL = 0.05
_WORKER = "mock"
_TYPES = frozenset(str(each) for each in TaskType) - {"SIMPLE"}


class ServerMocks:
    """All mocks of one environment. Each polls for its tasks until it is removed or the environment ends."""

    def __init__(self, client: ConductorClient) -> None:
        self._client = client
        self._mocks = Mocks()
        self._tasks = DetachedTaskGroup()

    async def open(self) -> None:
        """Prepares to run mocks."""
        await self._tasks.open()

    async def close(self) -> None:
        """Ends the mocks. Waits for open polls: a task that an abandoned poll receives would be lost."""
        await self._tasks.aclose()

    def add(self, name: str, answer: Any, output: JsonObject | None, workflow: Any) -> Mock:
        """Adds a mock of the tasks with a name.

        Raises:
            ConfigurationError: The name is a task type that the server runs itself.
        """
        if name in _TYPES:
            raise ConfigurationError(
                f"Tasks of type {name} cannot be mocked on a real server, which runs them itself: mock tasks of"
                " workers, or use WorkflowEnvironment.embedded()."
            )
        mock = self._mocks.add(name, answer, output, workflow)
        self._tasks.start_soon(self._serve, mock)
        return mock

    async def _serve(self, mock: Mock) -> None:
        while self._mocks.holds(mock):
            task: Task | None = None
            with anyio.CancelScope(shield=True):
                task = await self._client.task.poll_task(mock.name, _WORKER)
            if task is None:
                await anyio.sleep(_POLL_INTERVAL)
                continue
            outcome = await mock.perform(task.input_data, self._run)
            if outcome is not None:
                await self._client.task.update_task(_result(task, outcome))

    async def _run(self, request: JsonObject) -> Outcome:
        """Runs a workflow instead of a task."""
        executor = self._client.executor
        workflow_id = await executor.start_workflow(StartWorkflowRequest.model_validate(request))
        run = await executor.wait(workflow_id)
        if run.status == "COMPLETED":
            return Outcome("COMPLETED", run.output)
        reason = f"The mock's workflow {workflow_id} is {run.status}: {run.reason_for_incompletion}"
        return Outcome("FAILED", reason=reason)


def _result(task: Task, outcome: Outcome) -> TaskResult:
    result = task.to_task_result(outcome.status)
    result.output_data = outcome.output or {}
    result.reason_for_incompletion = outcome.reason
    return result

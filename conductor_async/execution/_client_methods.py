"""Methods that the executor has because conductor-python's has them. Each forwards to a client of a resource."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from conductor_async._camel_case import CamelCaseMixin
from conductor_async.models import TaskResult
from conductor_async.resources import MetadataClient, TaskClient, WorkflowClient

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from conductor_async._http.call import Api
    from conductor_async.models import (
        JsonObject,
        RerunWorkflowRequest,
        TaskResultStatus,
        TaskRun,
        Workflow,
        WorkflowDef,
        WorkflowRun,
    )

P = ParamSpec("P")
R = TypeVar("R")
Client = TypeVar("Client")


def forward_to(
    method: Callable[Concatenate[Client, P], Awaitable[R]],
) -> Callable[[Callable[[Any], Client]], Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]]:
    """Decorates a method that returns a client: makes it call this method of that client.

    Signature, types and docstring are those of the client's method, and written there only.
    """

    def decorate(client_of: Callable[[Any], Client]) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]:
        @functools.wraps(method)
        async def forward(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
            return await method(client_of(self), *args, **kwargs)

        forward.__name__, forward.__qualname__ = client_of.__name__, client_of.__qualname__
        forward.__module__ = client_of.__module__
        return forward

    return decorate


class ClientMethods(CamelCaseMixin):
    """The forwarding half of `WorkflowExecutor`."""

    def __init__(self, api: Api) -> None:
        self.metadata_client: MetadataClient = MetadataClient(api)
        self.task_client: TaskClient = TaskClient(api)
        self.workflow_client: WorkflowClient = WorkflowClient(api)

    async def register_workflow(self, workflow: WorkflowDef, overwrite: bool = True) -> None:
        """Stores a workflow definition: see `MetadataClient.register_workflow_def`."""
        await self.metadata_client.register_workflow_def(workflow, overwrite)

    # -- executions

    @forward_to(WorkflowClient.start_workflow)
    def start_workflow(self) -> WorkflowClient:
        return self.workflow_client

    @forward_to(WorkflowClient.execute_workflow)
    def execute_workflow(self) -> WorkflowClient:
        return self.workflow_client

    @forward_to(WorkflowClient.execute_workflow_with_return_strategy)
    def execute_workflow_with_return_strategy(self) -> WorkflowClient:
        return self.workflow_client

    @forward_to(WorkflowClient.get_workflow)
    def get_workflow(self) -> WorkflowClient:
        return self.workflow_client

    @forward_to(WorkflowClient.get_workflow_status)
    def get_workflow_status(self) -> WorkflowClient:
        return self.workflow_client

    @forward_to(WorkflowClient.search)
    def search(self) -> WorkflowClient:
        return self.workflow_client

    @forward_to(WorkflowClient.pause_workflow)
    def pause(self) -> WorkflowClient:
        return self.workflow_client

    @forward_to(WorkflowClient.resume_workflow)
    def resume(self) -> WorkflowClient:
        return self.workflow_client

    @forward_to(WorkflowClient.terminate_workflow)
    def terminate(self) -> WorkflowClient:
        return self.workflow_client

    @forward_to(WorkflowClient.restart_workflow)
    def restart(self) -> WorkflowClient:
        return self.workflow_client

    @forward_to(WorkflowClient.retry_workflow)
    def retry(self) -> WorkflowClient:
        return self.workflow_client

    @forward_to(WorkflowClient.delete_workflow)
    def remove_workflow(self) -> WorkflowClient:
        return self.workflow_client

    @forward_to(WorkflowClient.update_variables)
    def update_variables(self) -> WorkflowClient:
        return self.workflow_client

    @forward_to(WorkflowClient.send_message)
    def send_message(self) -> WorkflowClient:
        return self.workflow_client

    @forward_to(WorkflowClient.skip_task_from_workflow)
    def skip_task_from_workflow(self) -> WorkflowClient:
        return self.workflow_client

    async def rerun(self, rerun_workflow_request: RerunWorkflowRequest, workflow_id: str) -> str:
        """Runs an ended execution again from one of its tasks: see `WorkflowClient.rerun_workflow`."""
        return await self.workflow_client.rerun_workflow(workflow_id, rerun_workflow_request)

    async def get_by_correlation_ids(
        self,
        workflow_name: str,
        correlation_ids: Sequence[str],
        include_closed: bool = False,
        include_tasks: bool = False,
    ) -> dict[str, list[Workflow]]:
        """Returns the executions of a workflow by correlation id: see `WorkflowClient.get_by_correlation_ids`."""
        return await self.workflow_client.get_by_correlation_ids(
            workflow_name, correlation_ids, include_closed, include_tasks
        )

    async def get_by_correlation_ids_and_names(
        self,
        workflow_names: Sequence[str],
        correlation_ids: Sequence[str],
        include_closed: bool = False,
        include_tasks: bool = False,
    ) -> dict[str, list[Workflow]]:
        """Returns the executions of several workflows by correlation id. Sends one request for each workflow."""
        found: dict[str, list[Workflow]] = {each: [] for each in correlation_ids}
        for name in workflow_names:
            of_name = await self.get_by_correlation_ids(name, correlation_ids, include_closed, include_tasks)
            for correlation_id, executions in of_name.items():
                found.setdefault(correlation_id, []).extend(executions)
        return found

    # -- tasks

    @forward_to(TaskClient.get_task)
    def get_task(self) -> TaskClient:
        return self.task_client

    async def update_task(
        self, task_id: str, workflow_id: str, task_output: JsonObject, status: TaskResultStatus | str
    ) -> str:
        """Sends the result of a task, and returns the task's id: see `TaskClient.update_task`."""
        result = TaskResult(task_id=task_id, workflow_instance_id=workflow_id, output_data=task_output, status=status)
        return await self.task_client.update_task(result)

    async def update_task_by_ref_name(
        self, task_output: JsonObject, workflow_id: str, task_reference_name: str, status: TaskResultStatus | str
    ) -> str:
        """Sends the result of a task by its reference name: see `TaskClient.update_task_by_ref_name`."""
        return await self.task_client.update_task_by_ref_name(workflow_id, task_reference_name, status, task_output)

    async def update_task_by_ref_name_sync(
        self, task_output: JsonObject, workflow_id: str, task_reference_name: str, status: TaskResultStatus | str
    ) -> Workflow:
        """Sends the result of a task, and returns the execution: see `TaskClient.update_task_sync`."""
        return await self.task_client.update_task_sync(workflow_id, task_reference_name, status, task_output)

    async def signal(
        self,
        workflow_id: str,
        status: TaskResultStatus | str,
        body: JsonObject | None = None,
        return_strategy: str = "TARGET_WORKFLOW",
    ) -> WorkflowRun | TaskRun:
        """Completes the first pending WAIT task, and waits: see `TaskClient.signal_workflow_task_sync`."""
        return await self.task_client.signal_workflow_task_sync(workflow_id, status, body, return_strategy)

    async def signal_async(
        self, workflow_id: str, status: TaskResultStatus | str, body: JsonObject | None = None
    ) -> None:
        """Completes the first pending WAIT task: see `TaskClient.signal_workflow_task_async`."""
        await self.task_client.signal_workflow_task_async(workflow_id, status, body)

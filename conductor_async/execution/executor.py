"""Running workflows: start, wait, look, steer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import anyio

from conductor_async._camel_case import CamelCaseMixin
from conductor_async._http.call import Api
from conductor_async.config import Configuration, RetryPolicy, seconds
from conductor_async.errors import ConductorError
from conductor_async.execution.handle import WorkflowHandle
from conductor_async.execution.safe_start import SafeStart
from conductor_async.execution.start_request import DEDUPE_WINDOW, start_request
from conductor_async.execution.waiter import ExecutionWaiter
from conductor_async.models import TaskResult, WorkflowRun
from conductor_async.resources import MetadataClient, TaskClient, WorkflowClient

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from datetime import timedelta
    from types import TracebackType

    from conductor_async.execution.events import WorkflowEvent
    from conductor_async.models import (
        JsonObject,
        RerunWorkflowRequest,
        SearchResult,
        SkipTaskRequest,
        StartWorkflowRequest,
        Task,
        TaskResultStatus,
        TaskRun,
        Workflow,
        WorkflowDef,
        WorkflowState,
        WorkflowSummary,
    )

__all__ = ["WorkflowExecutor"]

_STARTS_AT_ONCE = 32


class WorkflowExecutor(CamelCaseMixin):
    """Starts workflows and waits for them. `conductor.executor` is one; one of your own has a session of its own.

    The session opens with the first call. Close it with `aclose()`, or use `async with`.

    Args:
        configuration: Where the server is and how to talk to it; by default, what the environment says.
    """

    def __init__(self, configuration: Configuration | None = None) -> None:
        self._bind(Api(configuration), owned=True)

    @classmethod
    def on(cls, api: Api) -> Self:
        """An executor that shares a client's session, and leaves closing it to the client."""
        executor = cls.__new__(cls)
        executor._bind(api, owned=False)
        return executor

    def _bind(self, api: Api, *, owned: bool) -> None:
        self._api = api
        self._owned = owned
        self.metadata_client = MetadataClient(api)
        self.task_client = TaskClient(api)
        self.workflow_client = WorkflowClient(api)
        once = api.with_options(retry=RetryPolicy(max_attempts=1))
        self._waiting = ExecutionWaiter(WorkflowClient(once), TaskClient(once))
        self._safe_start = SafeStart(self.workflow_client, WorkflowClient(once))
        self._starting = anyio.CapacityLimiter(_STARTS_AT_ONCE)

    async def aclose(self) -> None:
        """Closes the session, if it is the executor's own; again is fine."""
        if self._owned:
            await self._api.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    # -- definitions

    async def register_workflow(self, workflow: WorkflowDef, overwrite: bool = True) -> None:
        """Stores a workflow definition: see `MetadataClient.register_workflow_def`."""
        await self.metadata_client.register_workflow_def(workflow, overwrite)

    # -- starting

    async def start_workflow(self, start_workflow_request: StartWorkflowRequest) -> str:
        """Starts an execution and returns its id: see `WorkflowClient.start_workflow`."""
        return await self.workflow_client.start_workflow(start_workflow_request)

    async def start(
        self,
        name: str,
        version: int | None = None,
        workflow_input: Mapping[str, Any] | None = None,
        *,
        correlation_id: str | None = None,
        priority: int | None = None,
        task_to_domain: Mapping[str, str] | None = None,
        dedupe_key: str | None = None,
        dedupe_window: float | timedelta = DEDUPE_WINDOW,
    ) -> WorkflowHandle:
        """Starts an execution and returns a handle on it; with a `dedupe_key`, on the one of that key if it is there.

        Args:
            name: The registered workflow.
            version: Its version; the latest one if not given.
            workflow_input: What the execution gets.
            correlation_id: Your own id, to look the execution up by.
            priority: 0 to 99; tasks of higher priority are handed out first.
            task_to_domain: The domain that the workers of a task type poll; `*` stands for all types.
            dedupe_key: Makes the start safe to repeat: see `start_request`.
            dedupe_window: For how many seconds (or a timedelta) to look for it when the answer was lost.

        Raises:
            NotFoundError: No such workflow is registered.
            AmbiguousOutcomeError: The answer was lost: an execution may have been started.
        """
        request = start_request(
            name,
            workflow_input,
            version=version,
            correlation_id=correlation_id,
            priority=priority,
            task_to_domain=task_to_domain,
        )
        return await self.start_request(request, dedupe_key=dedupe_key, dedupe_window=dedupe_window)

    async def start_request(
        self,
        start_workflow_request: StartWorkflowRequest,
        *,
        dedupe_key: str | None = None,
        dedupe_window: float | timedelta = DEDUPE_WINDOW,
    ) -> WorkflowHandle:
        """The same as `start`, for what the request says, which stays as it is.

        The `dedupe_key` becomes the correlation id. An execution of this workflow that has it, running or ended, is
        what you get; only if there is none, one is started. When the answer to that is lost, the key is looked for
        until `dedupe_window` (seconds) is over; then the start is made once more, or given up.

        So there is one execution for each key, also after lost answers and when the program starts it again. It is
        not so when two processes start by the same key at the same moment, when the server carries out a lost start
        only after the window, and when the execution was removed. Inputs are not compared: the key decides.

        Raises:
            ConfigurationError: The request has another correlation id than the key.
            AmbiguousOutcomeError: The answer was lost, and with a key: what became of it could not be found out.
        """
        if dedupe_key is None:
            workflow_id = await self.start_workflow(start_workflow_request)
        else:
            window = seconds(dedupe_window, "dedupe_window", positive=False)
            workflow_id = await self._safe_start.start(start_workflow_request, dedupe_key, window)
        return self.handle(workflow_id)

    async def start_workflows(self, *start_workflow_requests: StartWorkflowRequest) -> list[str]:
        """Starts many executions, some at a time, and returns their ids in the order of the requests.

        Raises:
            ConductorError: One could not be started: the first of the errors, with a note that says which have started.
        """
        outcomes: list[str | ConductorError] = [""] * len(start_workflow_requests)

        async def start(index: int, request: StartWorkflowRequest) -> None:
            try:
                outcomes[index] = await self._start(request)
            except ConductorError as error:
                outcomes[index] = error

        async with anyio.create_task_group() as group:
            for index, request in enumerate(start_workflow_requests):
                group.start_soon(start, index, request)
        started = [outcome for outcome in outcomes if isinstance(outcome, str)]
        for outcome in outcomes:
            if isinstance(outcome, ConductorError):
                outcome.add_note(f"{len(started)} of {len(outcomes)} executions have started: {', '.join(started)}")
                raise outcome
        return started

    async def execute(
        self,
        name: str,
        version: int | None = None,
        workflow_input: Mapping[str, Any] | None = None,
        *,
        wait_until_task_ref: str | Sequence[str] | None = None,
        correlation_id: str | None = None,
        priority: int | None = None,
        task_to_domain: Mapping[str, str] | None = None,
        dedupe_key: str | None = None,
        dedupe_window: float | timedelta = DEDUPE_WINDOW,
        timeout: float | timedelta | None = None,
    ) -> WorkflowRun:
        """Starts an execution once, waits until it ends, and returns it whatever its status.

        `run.reason_for_incompletion` says why it has not completed; `run.raise_for_status()` raises it. A wait outlives
        a server that cannot be reached for a while. Cancelling it leaves the execution alone.

        Args:
            name: The registered workflow.
            version: Its version; the latest one if not given.
            workflow_input: What the execution gets.
            wait_until_task_ref: Ends the wait as soon as one of these tasks has ended too: a reference name, several
                with commas between, or a list. The plain name of a task in a loop stands for any of its iterations.
                Tasks of sub-workflows are not looked at.
            correlation_id: Your own id, to look the execution up by.
            priority: 0 to 99; tasks of higher priority are handed out first.
            task_to_domain: The domain that the workers of a task type poll; `*` stands for all types.
            dedupe_key: Makes the call safe to repeat: waits for the execution of that key if it is there already. See
                `start_request`.
            dedupe_window: For how many seconds (or a timedelta) to look for it when the answer to the start was lost.
            timeout: How long the whole call may wait, in seconds or as a timedelta; for ever if not given.

        Raises:
            NotFoundError: No such workflow is registered.
            AmbiguousOutcomeError: The answer to the start was lost: an execution may have been started.
            WaitTimeoutError: The time was up. `workflow_id` names the execution, which goes on.
        """
        begun = _Begun.now(wait_until_task_ref, timeout)
        # The request gets no name here: it would be kept for as long as the wait takes, for each of many waits.
        workflow_id = await self._start(
            start_request(
                name,
                workflow_input,
                version=version,
                correlation_id=correlation_id,
                priority=priority,
                task_to_domain=task_to_domain,
            ),
            dedupe_key,
            dedupe_window,
        )
        return await self._until_over(workflow_id, begun)

    async def execute_request(
        self,
        start_workflow_request: StartWorkflowRequest,
        *,
        wait_until_task_ref: str | Sequence[str] | None = None,
        dedupe_key: str | None = None,
        dedupe_window: float | timedelta = DEDUPE_WINDOW,
        timeout: float | timedelta | None = None,
    ) -> WorkflowRun:
        """The same as `execute`, for what the request says. `timeout` is the whole wait, in seconds."""
        begun = _Begun.now(wait_until_task_ref, timeout)
        workflow_id = await self._start(start_workflow_request, dedupe_key, dedupe_window)
        return await self._until_over(workflow_id, begun)

    async def _until_over(self, workflow_id: str, begun: _Begun) -> WorkflowRun:
        workflow = await self._waiting.until_over(
            workflow_id, begun.references, timeout=begun.remaining(), started_at=begun.wall_clock
        )
        return WorkflowRun.from_workflow(workflow)

    async def _start(
        self,
        request: StartWorkflowRequest,
        dedupe_key: str | None = None,
        dedupe_window: float | timedelta = DEDUPE_WINDOW,
    ) -> str:
        """Starts one of many: only so many starts go on at once."""
        async with self._starting:
            return (await self.start_request(request, dedupe_key=dedupe_key, dedupe_window=dedupe_window)).workflow_id

    async def execute_workflow(
        self,
        start_workflow_request: StartWorkflowRequest,
        request_id: str | None = None,
        name: str | None = None,
        version: int | None = None,
        wait_until_task_ref: str | Sequence[str] | None = None,
        *,
        wait_for_seconds: int = 30,
    ) -> WorkflowRun:
        """The server's own synchronous execution, one request: see `WorkflowClient.execute_workflow`."""
        return await self.workflow_client.execute_workflow(
            start_workflow_request, request_id, name, version, wait_until_task_ref, wait_for_seconds=wait_for_seconds
        )

    async def execute_workflow_with_return_strategy(
        self,
        start_workflow_request: StartWorkflowRequest,
        request_id: str | None = None,
        name: str | None = None,
        version: int | None = None,
        wait_until_task_ref: str | Sequence[str] | None = None,
        *,
        wait_for_seconds: int = 30,
        return_strategy: str = "TARGET_WORKFLOW",
    ) -> WorkflowRun | TaskRun:
        """The same, with a say in what is returned: see `WorkflowClient.execute_workflow_with_return_strategy`."""
        return await self.workflow_client.execute_workflow_with_return_strategy(
            start_workflow_request,
            request_id,
            name,
            version,
            wait_until_task_ref,
            wait_for_seconds=wait_for_seconds,
            return_strategy=return_strategy,
        )

    # -- waiting and looking

    def handle(self, workflow_id: str) -> WorkflowHandle:
        """A handle on an execution. The server is not asked."""
        return WorkflowHandle(self, workflow_id)

    async def wait(
        self,
        workflow_id: str,
        *,
        wait_until_task_ref: str | Sequence[str] | None = None,
        timeout: float | timedelta | None = None,
    ) -> WorkflowRun:
        """Waits for an execution that runs already, as `execute` does, for `timeout` seconds at the most.

        Raises:
            NotFoundError: There is none of that id.
            WaitTimeoutError: The time was up; the execution goes on.
        """
        limit = None if timeout is None else seconds(timeout, "timeout", positive=False)
        return WorkflowRun.from_workflow(
            await self._waiting.until_over(workflow_id, _references(wait_until_task_ref), timeout=limit)
        )

    def events(self, workflow_id: str) -> AsyncGenerator[WorkflowEvent, None]:
        """What happens in an execution: see `WorkflowHandle.events`."""
        return self._waiting.events(workflow_id)

    async def get_workflow(self, workflow_id: str, include_tasks: bool = True) -> Workflow:
        """An execution: GET /workflow/{workflow_id}."""
        return await self.workflow_client.get_workflow(workflow_id, include_tasks)

    async def get_workflow_status(
        self, workflow_id: str, include_output: bool = False, include_variables: bool = False
    ) -> WorkflowState:
        """Where an execution stands: GET /workflow/{workflow_id}/status."""
        return await self.workflow_client.get_workflow_status(workflow_id, include_output, include_variables)

    async def search(
        self,
        start: int = 0,
        size: int = 100,
        free_text: str = "*",
        query: str | None = None,
        sort: str | None = None,
    ) -> SearchResult[WorkflowSummary]:
        """Summaries of executions: see `WorkflowClient.search`."""
        return await self.workflow_client.search(start, size, free_text, query, sort)

    async def get_by_correlation_ids(
        self,
        workflow_name: str,
        correlation_ids: Sequence[str],
        include_closed: bool = False,
        include_tasks: bool = False,
    ) -> dict[str, list[Workflow]]:
        """The executions of one workflow with these correlation ids, by correlation id."""
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
        """The same for several workflows, with one request for each."""
        found: dict[str, list[Workflow]] = {each: [] for each in correlation_ids}
        for name in workflow_names:
            of_name = await self.get_by_correlation_ids(name, correlation_ids, include_closed, include_tasks)
            for correlation_id, executions in of_name.items():
                found.setdefault(correlation_id, []).extend(executions)
        return found

    # -- steering

    async def pause(self, workflow_id: str) -> None:
        """Schedules no further tasks until it is resumed: PUT /workflow/{workflow_id}/pause."""
        await self.workflow_client.pause_workflow(workflow_id)

    async def resume(self, workflow_id: str) -> None:
        """Goes on after a pause: PUT /workflow/{workflow_id}/resume."""
        await self.workflow_client.resume_workflow(workflow_id)

    async def terminate(
        self, workflow_id: str, reason: str | None = None, trigger_failure_workflow: bool = False
    ) -> None:
        """Ends an execution TERMINATED: DELETE /workflow/{workflow_id}."""
        await self.workflow_client.terminate_workflow(workflow_id, reason, trigger_failure_workflow)

    async def restart(self, workflow_id: str, use_latest_definitions: bool = False) -> None:
        """Runs an ended execution from its beginning: POST /workflow/{workflow_id}/restart."""
        await self.workflow_client.restart_workflow(workflow_id, use_latest_definitions)

    async def retry(self, workflow_id: str, resume_subworkflow_tasks: bool = False) -> None:
        """Runs an execution on from its failed tasks: POST /workflow/{workflow_id}/retry."""
        await self.workflow_client.retry_workflow(workflow_id, resume_subworkflow_tasks)

    async def rerun(self, rerun_workflow_request: RerunWorkflowRequest, workflow_id: str) -> str:
        """Runs an ended execution from one of its tasks, and returns its id: POST /workflow/{workflow_id}/rerun."""
        return await self.workflow_client.rerun_workflow(workflow_id, rerun_workflow_request)

    async def remove_workflow(self, workflow_id: str, archive_workflow: bool = True) -> None:
        """Removes an execution: DELETE /workflow/{workflow_id}/remove."""
        await self.workflow_client.delete_workflow(workflow_id, archive_workflow)

    async def update_variables(self, workflow_id: str, variables: Mapping[str, Any]) -> None:
        """Sets variables of an execution (Orkes): see `WorkflowClient.update_variables`."""
        await self.workflow_client.update_variables(workflow_id, variables)

    async def send_message(self, workflow_id: str, message: JsonObject) -> str:
        """Puts a message into an execution's queue, and returns its id: POST /workflow/{workflow_id}/messages."""
        return await self.workflow_client.send_message(workflow_id, message)

    # -- tasks

    async def skip_task_from_workflow(
        self, workflow_id: str, task_reference_name: str, skip_task_request: SkipTaskRequest | None = None
    ) -> None:
        """Skips a task that was not scheduled yet: see `WorkflowClient.skip_task_from_workflow`."""
        await self.workflow_client.skip_task_from_workflow(workflow_id, task_reference_name, skip_task_request)

    async def get_task(self, task_id: str) -> Task:
        """One task: GET /tasks/{task_id}."""
        return await self.task_client.get_task(task_id)

    async def update_task(
        self, task_id: str, workflow_id: str, task_output: JsonObject, status: TaskResultStatus | str
    ) -> str:
        """Delivers a task's result, and returns the task's id: POST /tasks."""
        result = TaskResult(task_id=task_id, workflow_instance_id=workflow_id, output_data=task_output, status=status)
        return await self.task_client.update_task(result)

    async def update_task_by_ref_name(
        self, task_output: JsonObject, workflow_id: str, task_reference_name: str, status: TaskResultStatus | str
    ) -> str:
        """Delivers a result by the task's reference name: see `TaskClient.update_task_by_ref_name`."""
        return await self.task_client.update_task_by_ref_name(workflow_id, task_reference_name, status, task_output)

    async def update_task_by_ref_name_sync(
        self, task_output: JsonObject, workflow_id: str, task_reference_name: str, status: TaskResultStatus | str
    ) -> Workflow:
        """The same, and returns the execution: see `TaskClient.update_task_sync`."""
        return await self.task_client.update_task_sync(workflow_id, task_reference_name, status, task_output)

    async def signal(
        self,
        workflow_id: str,
        status: TaskResultStatus | str,
        body: JsonObject | None = None,
        return_strategy: str = "TARGET_WORKFLOW",
    ) -> WorkflowRun | TaskRun:
        """Completes the first pending WAIT and waits for what follows: see `TaskClient.signal_workflow_task_sync`."""
        return await self.task_client.signal_workflow_task_sync(workflow_id, status, body, return_strategy)

    async def signal_async(
        self, workflow_id: str, status: TaskResultStatus | str, body: JsonObject | None = None
    ) -> None:
        """Completes the first pending WAIT: see `TaskClient.signal_workflow_task_async`."""
        await self.task_client.signal_workflow_task_async(workflow_id, status, body)


class _Begun(NamedTuple):
    """What a call that starts and waits was asked for, and when."""

    references: frozenset[str]
    deadline: float | None
    wall_clock: float

    @classmethod
    def now(cls, wait_until_task_ref: str | Sequence[str] | None, timeout: float | timedelta | None) -> _Begun:
        limit = None if timeout is None else seconds(timeout, "timeout", positive=False)
        deadline = None if limit is None else anyio.current_time() + limit
        return cls(_references(wait_until_task_ref), deadline, time.time())

    def remaining(self) -> float | None:
        # A start is not cut off: without its answer nobody would know the id of what may be running.
        return None if self.deadline is None else max(0.0, self.deadline - anyio.current_time())


def _references(wait_until_task_ref: str | Sequence[str] | None) -> frozenset[str]:
    """The reference names to wait for; text may name several, with commas between."""
    names = wait_until_task_ref.split(",") if isinstance(wait_until_task_ref, str) else wait_until_task_ref or ()
    return frozenset(stripped for name in names if (stripped := name.strip()))

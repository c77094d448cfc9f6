"""A handle on one execution."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from conductor_async._camel_case import CamelCaseMixin
from conductor_async.config import seconds
from conductor_async.errors import ConfigurationError, NotFoundError, WorkflowError
from conductor_async.execution._outputs import output_validator
from conductor_async.execution._start_request import json_object
from conductor_async.execution._waiter import ended_task, task_references
from conductor_async.models import RerunWorkflowRequest, SkipTaskRequest, TaskResult, TaskResultStatus

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
    from datetime import timedelta

    from conductor_async.execution._start_request import Input
    from conductor_async.execution._waiter import ExecutionWaiter
    from conductor_async.execution.events import WorkflowEvent
    from conductor_async.models import (
        JsonObject,
        Task,
        TaskRun,
        Workflow,
        WorkflowRun,
        WorkflowStatus,
    )
    from conductor_async.resources import TaskClient, WorkflowClient

__all__ = ["WorkflowHandle"]

T = TypeVar("T")
F = TypeVar("F", bound="Callable[..., Any]")


class _BoundMethod:
    """A method of a handle. Its repr says how to call it, because people print it where they expect the value."""

    def __init__(self, handle: WorkflowHandle, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self._handle = handle

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__wrapped__(self._handle, *args, **kwargs)  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        return f"<{self.__qualname__} is a method: write await handle.{self.__name__}()>"  # type: ignore[attr-defined]


class _Read:
    """Makes a `_BoundMethod` of a method."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(cast("Callable[..., Any]", self), function)

    def __get__(self, handle: WorkflowHandle | None, owner: type[WorkflowHandle]) -> Any:
        function = cast("Callable[..., Any]", vars(self)["__wrapped__"])
        return function if handle is None else _BoundMethod(handle, function)


def _read(function: F) -> F:
    return cast("F", _Read(function))


class WorkflowHandle(CamelCaseMixin):
    """One execution: wait for it, follow it, control it.

    Get one from `await workflow.start(…)` or `executor.handle(workflow_id)`. Creating a handle sends nothing: if there
    is no such execution, its first call raises a `NotFoundError`.

    Attributes:
        workflow_id: The execution's id.
    """

    def __init__(
        self, workflow_id: str, workflow_client: WorkflowClient, task_client: TaskClient, waiter: ExecutionWaiter
    ) -> None:
        self.workflow_id = workflow_id
        self._workflow_client = workflow_client
        self._task_client = task_client
        self._waiter = waiter

    def __repr__(self) -> str:
        return f"WorkflowHandle({self.workflow_id!r})"

    # -- read ------------------------------------------------------------------------------------------

    @_read
    async def status(self) -> WorkflowStatus | str:
        """Returns the current status: GET /workflow/{workflow_id}/status."""
        return (await self._workflow_client.get_workflow_status(self.workflow_id)).status

    async def get(self, include_tasks: bool = True) -> Workflow:
        """Returns the execution as it is now: GET /workflow/{workflow_id}."""
        return await self._workflow_client.get_workflow(self.workflow_id, include_tasks)

    @_read
    async def children(self) -> list[WorkflowHandle]:
        """Returns handles on the sub-workflows started so far, in task order: GET /workflow/{workflow_id}.

        Executions that a START_WORKFLOW task has started are not children: they are independent.
        """
        ids = [task.sub_workflow_id for task in (await self.get()).tasks if task.sub_workflow_id]
        return [
            WorkflowHandle(workflow_id, self._workflow_client, self._task_client, self._waiter)
            for workflow_id in dict.fromkeys(ids)
        ]

    # -- wait ------------------------------------------------------------------------------------------

    async def wait(
        self,
        *,
        wait_until_task_ref: str | Sequence[str] | None = None,
        timeout: float | timedelta | None = None,
    ) -> WorkflowRun:
        """Waits until the execution has ended, or one of the named tasks has. Returns the run, whatever its status.

        Args:
            wait_until_task_ref: Reference names of tasks: one, several separated by commas, or a list.
            timeout: How long to wait, in seconds or as a timedelta; None waits for ever.

        Raises:
            WaitTimeoutError: The time is up; the execution goes on.
        """
        limit = None if timeout is None else seconds(timeout, "timeout", positive=False)
        references = task_references(wait_until_task_ref)
        return await self._waiter.wait_until_ended(self.workflow_id, references, timeout=limit)

    @overload
    async def result(self, type: None = None, *, timeout: float | timedelta | None = None) -> JsonObject: ...
    @overload
    async def result(self, type: type[T], *, timeout: float | timedelta | None = None) -> T: ...
    @overload
    async def result(self, type: Any, *, timeout: float | timedelta | None = None) -> Any: ...
    @_read
    async def result(
        self,
        type: Any = None,  # noqa: A002 - what it is
        *,
        timeout: float | timedelta | None = None,
    ) -> Any:
        """Waits until the execution has completed, and returns its output: a dict, or validated as the given type.

        Args:
            type: Anything that pydantic can validate: a model, a dataclass, a TypedDict, `list[int]`. If the output is
                `{"result": value}` and the type does not take an object (`int`, say), the value is returned. So
                `type=int` works for the output of a worker that returns an int.
            timeout: How long to wait, in seconds or as a timedelta; None waits for ever.

        Raises:
            WorkflowFailedError: The execution ended FAILED; `execution` has its tasks and the reason.
            WorkflowTimedOutError: It ended TIMED_OUT.
            WorkflowTerminatedError: It ended TERMINATED.
            WaitTimeoutError: The time is up; the execution goes on.
            ResponseDecodeError: It completed, but its output is not valid for the type. The message names each place.
            ConfigurationError: Pydantic cannot validate such a type; nothing was sent.
        """
        validate = None if type is None else output_validator(type)
        output = (await self.wait(timeout=timeout)).raise_for_status().output
        return output if validate is None else validate(output, f"workflow {self.workflow_id}")

    async def wait_for_task(self, task_reference_name: str, *, timeout: float | timedelta | None = None) -> Task:
        """Waits until a task has ended, and returns it, whatever its status. The execution may go on.

        A failed attempt that the server retries is not the end of the task.

        Args:
            task_reference_name: The task. In a loop, the plain name matches each iteration, `ref__2` the second one.
            timeout: How long to wait, in seconds or as a timedelta; None waits for ever.

        Raises:
            WorkflowFailedError: The execution ended FAILED before the task did. Likewise WorkflowTimedOutError and
                WorkflowTerminatedError.
            WorkflowError: The execution completed without the task.
            WaitTimeoutError: The time is up; the execution goes on.
        """
        run = await self.wait(wait_until_task_ref=[task_reference_name], timeout=timeout)
        task = ended_task(run, {task_reference_name.strip()})
        if task is not None:
            return task
        run.raise_for_status()
        raise WorkflowError(
            f"Workflow {run.workflow_name!r} (id {self.workflow_id}) ended {run.status} without the task"
            f" {task_reference_name!r}: {_tasks_that_ran(run)}.",
            execution=run,
        )

    def events(self) -> AsyncGenerator[WorkflowEvent, None]:
        """Yields what happens in the execution, and ends when it has ended: `async for event in handle.events()`.

        The first events tell what has happened already: the current status of the execution, and of each attempt of a
        task. Then comes each change. The last event is the end of the execution.

        Events come from polling: often after a change, then less and less, every 5 s at most. A status that lasts for a
        shorter time than the interval can be missed: a fast task is SCHEDULED, then COMPLETED. Events of one poll come
        in the order of the tasks.

        The iteration goes on if the server cannot be reached for a while. It has no timeout: put `asyncio.timeout()`
        around the loop.

        Yields:
            A `TaskStatusChanged` or a `WorkflowStatusChanged`.

        Raises:
            NotFoundError: There is no such execution (any more).
        """
        return self._waiter.events(self.workflow_id)

    # -- control ---------------------------------------------------------------------------------------

    async def pause(self) -> None:
        """Stops scheduling tasks until `resume`; running tasks continue: PUT /workflow/{workflow_id}/pause."""
        await self._workflow_client.pause_workflow(self.workflow_id)

    async def resume(self) -> None:
        """Continues a paused execution: PUT /workflow/{workflow_id}/resume."""
        await self._workflow_client.resume_workflow(self.workflow_id)

    async def terminate(self, reason: str | None = None) -> None:
        """Ends the execution as TERMINATED: DELETE /workflow/{workflow_id}."""
        await self._workflow_client.terminate_workflow(self.workflow_id, reason)

    async def retry(self, resume_subworkflow_tasks: bool = False) -> None:
        """Continues a failed execution from its failed tasks: see `WorkflowClient.retry_workflow`."""
        await self._workflow_client.retry_workflow(self.workflow_id, resume_subworkflow_tasks)

    async def restart(self, use_latest_definitions: bool = False) -> None:
        """Runs an ended execution again from the beginning: see `WorkflowClient.restart_workflow`."""
        await self._workflow_client.restart_workflow(self.workflow_id, use_latest_definitions)

    async def rerun(
        self,
        task_reference_name: str | None = None,
        *,
        task_input: Mapping[str, Any] | None = None,
        input: Input = None,  # noqa: A002 - the word that Conductor's SDKs share
    ) -> None:
        """Runs an ended execution again from one of its tasks: POST /workflow/{workflow_id}/rerun.

        Args:
            task_reference_name: The task to begin with; the server forgets the later ones. None: from the beginning.
            task_input: A new input for that task.
            input: A new input for the execution: a dict, a pydantic model or a dataclass. The server uses it only
                when it begins from the beginning.

        Raises:
            ConfigurationError: No such task has run.
            ConflictError: The execution has not ended.
            AmbiguousOutcomeError: The response was lost.
        """
        request = RerunWorkflowRequest()
        if task_reference_name is not None:
            request.re_run_from_task_id = await self._task_id(task_reference_name)
        if task_input is not None:
            request.task_input = dict(task_input)
        if input is not None:
            request.workflow_input = json_object(input)
        await self._workflow_client.rerun_workflow(self.workflow_id, request)

    async def skip(
        self,
        task_reference_name: str,
        *,
        task_input: Mapping[str, Any] | None = None,
        task_output: Mapping[str, Any] | None = None,
    ) -> None:
        """Skips a task that is not scheduled yet: see `WorkflowClient.skip_task_from_workflow`.

        Args:
            task_reference_name: The task.
            task_input: The input that the skipped task shows.
            task_output: The output that the skipped task shows. The open-source server turns the values into strings.
        """
        request = SkipTaskRequest(task_input=dict(task_input or {}), task_output=dict(task_output or {}))
        await self._workflow_client.skip_task_from_workflow(self.workflow_id, task_reference_name, request)

    async def complete(
        self,
        task_reference_name: str,
        output: Mapping[str, Any] | None = None,
        *,
        timeout: float | timedelta = 10.0,
    ) -> None:
        """Completes an open task of any type, such as a WAIT or HUMAN task: POST /tasks.

        If the task is not scheduled yet, this waits for it. In a loop, the plain name means the current iteration.

        Args:
            task_reference_name: The task.
            output: Its output: a dict, a pydantic model or a dataclass.
            timeout: How long to wait until the task is open, in seconds or as a timedelta.

        Raises:
            ConfigurationError: The execution has no such task; the error names those that it has.
            WorkflowError: The task, or the execution, has ended.
            WaitTimeoutError: The task was not scheduled in time. The error says where the execution stands.
        """
        await self._finish(task_reference_name, TaskResultStatus.COMPLETED, output, None, timeout)

    async def fail(
        self,
        task_reference_name: str,
        reason: str | None = None,
        output: Mapping[str, Any] | None = None,
        *,
        retry: bool = False,
        timeout: float | timedelta = 10.0,
    ) -> None:
        """Fails an open task of any type: POST /tasks.

        Args:
            task_reference_name: The task. See `complete`.
            reason: Why. It becomes the task's `reason_for_incompletion`.
            output: Its output.
            retry: Whether the server may retry the task. By default it does not: FAILED_WITH_TERMINAL_ERROR.
            timeout: See `complete`.

        Raises:
            ConductorError: See `complete`.
        """
        status = TaskResultStatus.FAILED if retry else TaskResultStatus.FAILED_WITH_TERMINAL_ERROR
        await self._finish(task_reference_name, status, output, reason, timeout)

    async def _finish(
        self,
        task_reference_name: str,
        status: TaskResultStatus,
        output: Mapping[str, Any] | None,
        reason: str | None,
        timeout: float | timedelta,
    ) -> None:
        limit = seconds(timeout, "timeout", positive=False)
        result = TaskResult(
            workflow_instance_id=self.workflow_id, status=status, output_data=json_object(output, "output")
        )
        if reason is not None:
            result.reason_for_incompletion = reason
        # By its id: by its reference name, the server answers alike whether there is such a task or not.
        task = await self._waiter.wait_for_open_task(self.workflow_id, task_reference_name.strip(), timeout=limit)
        result.task_id = task.task_id
        await self._task_client.update_task(result)

    async def signal(
        self,
        output: Mapping[str, Any] | None = None,
        *,
        status: TaskResultStatus | str = "COMPLETED",
        return_strategy: str = "TARGET_WORKFLOW",
    ) -> WorkflowRun | TaskRun:
        """Completes the first pending WAIT task, and waits: see `TaskClient.signal_workflow_task_sync`.

        Args:
            output: The output of the WAIT task.
            status: The status of the WAIT task.
            return_strategy: What to return: TARGET_WORKFLOW, BLOCKING_WORKFLOW, BLOCKING_TASK or BLOCKING_TASK_INPUT.

        Raises:
            NotFoundError: No WAIT task is pending.
            AmbiguousOutcomeError: The response was lost: a WAIT task may have been completed.
        """
        try:
            return await self._task_client.signal_workflow_task_sync(
                self.workflow_id, status, json_object(output, "output"), return_strategy
            )
        except NotFoundError as error:
            if standing := await self._waiter.progress(self.workflow_id):
                nothing = f"No WAIT task of workflow {self.workflow_id} is pending, so there is nothing to signal."
                advice = "`complete` waits for a task, and completes tasks of any type."
                error.args = (f"{nothing}{standing} {advice}",)
            raise

    async def update_variables(self, variables: Mapping[str, Any]) -> None:
        """Sets variables of the execution, and keeps the others (Orkes): POST /workflow/{workflow_id}/variables.

        Raises:
            EndpointNotAvailableError: The server is the open-source one, where only a SET_VARIABLE task sets variables.
        """
        await self._workflow_client.update_variables(self.workflow_id, variables)

    async def _task_id(self, task_reference_name: str) -> str:
        execution = await self.get()
        task = execution.get_task(task_reference_name=task_reference_name)
        if task is None:
            raise ConfigurationError(
                f"Cannot rerun workflow {execution.workflow_name!r} (id {self.workflow_id}) from task"
                f" {task_reference_name!r}, which has not run: {_tasks_that_ran(execution)}."
            )
        return task.task_id


def _tasks_that_ran(execution: Workflow | WorkflowRun) -> str:
    names = dict.fromkeys(task.reference_task_name for task in execution.tasks)
    return f"tasks that ran are {', '.join(names)}" if names else "no task has run"

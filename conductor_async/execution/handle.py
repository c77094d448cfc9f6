"""A handle on one execution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from conductor_async._camel_case import CamelCaseMixin
from conductor_async.errors import ConfigurationError, WorkflowError
from conductor_async.execution.outputs import output_as
from conductor_async.execution.waiter import ended_task
from conductor_async.models import RerunWorkflowRequest, SkipTaskRequest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from datetime import timedelta

    from conductor_async.execution.events import WorkflowEvent
    from conductor_async.execution.executor import WorkflowExecutor
    from conductor_async.models import (
        JsonObject,
        Task,
        TaskResultStatus,
        TaskRun,
        Workflow,
        WorkflowRun,
        WorkflowStatus,
    )

__all__ = ["WorkflowHandle"]

T = TypeVar("T")


class WorkflowHandle(CamelCaseMixin):
    """One execution, to wait for and to steer: from `await workflow.start(…)` or `executor.handle(workflow_id)`.

    Making a handle asks the server nothing; that there is no such execution is found by the first call.

    Attributes:
        workflow_id: The execution's id.
    """

    def __init__(self, executor: WorkflowExecutor, workflow_id: str) -> None:
        self.workflow_id = workflow_id
        self._executor = executor

    def __repr__(self) -> str:
        return f"WorkflowHandle({self.workflow_id!r})"

    # -- look ------------------------------------------------------------------------------------------

    async def status(self) -> WorkflowStatus | str:
        """The status now: GET /workflow/{workflow_id}/status."""
        return (await self._executor.get_workflow_status(self.workflow_id)).status

    async def get(self, include_tasks: bool = True) -> Workflow:
        """The execution as it is now: GET /workflow/{workflow_id}."""
        return await self._executor.get_workflow(self.workflow_id, include_tasks)

    async def children(self) -> list[WorkflowHandle]:
        """Handles on the sub-workflows that it has started so far, in their order: GET /workflow/{workflow_id}.

        What a START_WORKFLOW task has started is no child: it goes its own way.
        """
        ids = [task.sub_workflow_id for task in (await self.get()).tasks if task.sub_workflow_id]
        return [self._executor.handle(workflow_id) for workflow_id in dict.fromkeys(ids)]

    # -- wait ------------------------------------------------------------------------------------------

    async def wait(
        self,
        *,
        wait_until_task_ref: str | Sequence[str] | None = None,
        timeout: float | timedelta | None = None,
    ) -> WorkflowRun:
        """The run when it has ended, whatever its status, or when one of the named tasks has.

        It waits for `timeout` seconds at the most, or for ever.

        Raises:
            WaitTimeoutError: The time was up; the workflow goes on.
        """
        return await self._executor.wait(self.workflow_id, wait_until_task_ref=wait_until_task_ref, timeout=timeout)

    @overload
    async def result(self, type: None = None, *, timeout: float | timedelta | None = None) -> JsonObject: ...
    @overload
    async def result(self, type: type[T], *, timeout: float | timedelta | None = None) -> T: ...
    @overload
    async def result(self, type: Any, *, timeout: float | timedelta | None = None) -> Any: ...
    async def result(
        self,
        type: Any = None,  # noqa: A002 - what it is
        *,
        timeout: float | timedelta | None = None,
    ) -> Any:
        """The output, when the run has completed: as a dict, or validated as the type you ask for.

        Args:
            type: Anything that pydantic can validate: a model, a dataclass, a TypedDict, `list[int]`. For a type that
                no JSON object fits, such as `int`, the value of `result` is taken, if that is all of the output: so
                the output of a worker that returns an int can be had as `type=int`.
            timeout: How long to wait, in seconds or as a timedelta; for ever if not given.

        Raises:
            WorkflowFailedError: It ended FAILED; `execution` has its tasks and the reason.
            WorkflowTimedOutError: It ended TIMED_OUT.
            WorkflowTerminatedError: It ended TERMINATED.
            WaitTimeoutError: The time was up; the workflow goes on.
            ResponseDecodeError: It completed, and its output does not fit the type. The text names each place.
            ConfigurationError: Pydantic cannot validate such a type; nothing was sent.
        """
        as_wanted = None if type is None else output_as(type)
        output = (await self.wait(timeout=timeout)).raise_for_status().output
        return output if as_wanted is None else as_wanted(output, f"workflow {self.workflow_id}")

    async def wait_for_task(self, task_reference_name: str, *, timeout: float | timedelta | None = None) -> Task:
        """The task when it has ended, whatever its status; the workflow may go on.

        It waits for `timeout` seconds at the most, or for ever.

        The plain name of a task in a loop stands for any of its iterations, `ref__2` for the second. An attempt that
        is tried again is not the end.

        Raises:
            WorkflowFailedError: The workflow ended FAILED before the task did, and so for its kin.
            WorkflowError: The workflow completed without the task.
            WaitTimeoutError: The time was up; the workflow goes on.
        """
        run = await self.wait(wait_until_task_ref=[task_reference_name], timeout=timeout)
        task = ended_task(run, {task_reference_name.strip()})
        if task is not None:
            return task
        run.raise_for_status()
        raise WorkflowError(
            f"Workflow {run.workflow_name!r} (id {self.workflow_id}) ended {run.status} without the task"
            f" {task_reference_name!r}: {_which(run)}.",
            execution=run,
        )

    def events(self) -> AsyncGenerator[WorkflowEvent, None]:
        """What happens, as it happens: `async for event in handle.events()` ends when the workflow has ended.

        First comes what has happened already, as far as it still shows: each attempt of a task with its status now.
        Then every change that is seen. The server is asked as often as in other waits, and soon after each change;
        what comes and goes between two looks is not seen: a fast task is SCHEDULED, then COMPLETED. Within one look,
        events are in the order of the tasks. An end of the workflow is the last event.

        A server that cannot be reached for a while does not end it. There is no timeout: put one around the loop.

        Yields:
            A `TaskStatusChanged` or a `WorkflowStatusChanged`.

        Raises:
            NotFoundError: There is no such execution (any more).
        """
        return self._executor.events(self.workflow_id)

    # -- steer -----------------------------------------------------------------------------------------

    async def pause(self) -> None:
        """Schedules no further tasks until it is resumed: PUT /workflow/{workflow_id}/pause."""
        await self._executor.pause(self.workflow_id)

    async def resume(self) -> None:
        """Goes on after a pause: PUT /workflow/{workflow_id}/resume."""
        await self._executor.resume(self.workflow_id)

    async def terminate(self, reason: str | None = None) -> None:
        """Ends it TERMINATED: DELETE /workflow/{workflow_id}."""
        await self._executor.terminate(self.workflow_id, reason)

    async def retry(self, resume_subworkflow_tasks: bool = False) -> None:
        """Runs it on from its failed tasks: see `WorkflowClient.retry_workflow`."""
        await self._executor.retry(self.workflow_id, resume_subworkflow_tasks)

    async def restart(self, use_latest_definitions: bool = False) -> None:
        """Runs it from its beginning, when it has ended: see `WorkflowClient.restart_workflow`."""
        await self._executor.restart(self.workflow_id, use_latest_definitions)

    async def rerun(
        self,
        task_reference_name: str | None = None,
        *,
        task_input: Mapping[str, Any] | None = None,
        workflow_input: Mapping[str, Any] | None = None,
    ) -> None:
        """Runs it again from one of its tasks, when it has ended: POST /workflow/{workflow_id}/rerun.

        Args:
            task_reference_name: The task to begin with; what came after it is forgotten. None: from the beginning.
            task_input: Another input for that task.
            workflow_input: Another input for the workflow. The server heeds it from the beginning only.

        Raises:
            ConfigurationError: It has not run such a task.
            ConflictError: It has not ended.
            AmbiguousOutcomeError: The answer was lost.
        """
        request = RerunWorkflowRequest()
        if task_reference_name is not None:
            request.re_run_from_task_id = await self._task_id(task_reference_name)
        if task_input is not None:
            request.task_input = dict(task_input)
        if workflow_input is not None:
            request.workflow_input = dict(workflow_input)
        await self._executor.rerun(request, self.workflow_id)

    async def skip(
        self,
        task_reference_name: str,
        *,
        task_input: Mapping[str, Any] | None = None,
        task_output: Mapping[str, Any] | None = None,
    ) -> None:
        """Leaves out a task that is not scheduled yet: see `WorkflowClient.skip_task_from_workflow`.

        Args:
            task_reference_name: The task.
            task_input: The input that it shall show.
            task_output: The output that it shall show. The open-source server makes strings of the values.
        """
        request = SkipTaskRequest(task_input=dict(task_input or {}), task_output=dict(task_output or {}))
        await self._executor.skip_task_from_workflow(self.workflow_id, task_reference_name, request)

    async def signal(
        self,
        output: Mapping[str, Any] | None = None,
        *,
        status: TaskResultStatus | str = "COMPLETED",
        return_strategy: str = "TARGET_WORKFLOW",
    ) -> WorkflowRun | TaskRun:
        """Completes the first pending WAIT, and gives what follows: see `TaskClient.signal_workflow_task_sync`.

        Args:
            output: The output of the WAIT task.
            status: What the task becomes.
            return_strategy: What to return: TARGET_WORKFLOW, BLOCKING_WORKFLOW, BLOCKING_TASK or BLOCKING_TASK_INPUT.

        Raises:
            NotFoundError: Nothing waits.
            AmbiguousOutcomeError: The answer was lost: a WAIT may have been completed.
        """
        return await self._executor.signal(self.workflow_id, status, dict(output or {}), return_strategy)

    async def update_variables(self, variables: Mapping[str, Any]) -> None:
        """Sets variables, and leaves the others (Orkes): POST /workflow/{workflow_id}/variables.

        Raises:
            EndpointNotAvailableError: The server is the open-source one, where only a SET_VARIABLE task sets them.
        """
        await self._executor.update_variables(self.workflow_id, variables)

    async def _task_id(self, task_reference_name: str) -> str:
        execution = await self.get()
        task = execution.get_task(task_reference_name=task_reference_name)
        if task is None:
            raise ConfigurationError(
                f"Workflow {execution.workflow_name!r} (id {self.workflow_id}) has no task {task_reference_name!r} to"
                f" run it again from: {_which(execution)}."
            )
        return task.task_id


def _which(execution: Workflow | WorkflowRun) -> str:
    names = dict.fromkeys(task.reference_task_name for task in execution.tasks)
    return f"it ran {', '.join(names)}" if names else "it ran none"

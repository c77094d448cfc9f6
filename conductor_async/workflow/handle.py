"""A handle on one execution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async._naming import CamelCaseMixin

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from conductor_async.models import JsonObject, Workflow, WorkflowRun, WorkflowStatus
    from conductor_async.workflow.executor import WorkflowExecutor

__all__ = ["WorkflowHandle"]


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

    async def status(self) -> WorkflowStatus | str:
        """The status now: GET /workflow/{workflow_id}/status."""
        return (await self._executor.get_workflow_status(self.workflow_id)).status

    async def get(self, include_tasks: bool = True) -> Workflow:
        """The execution as it is now: GET /workflow/{workflow_id}."""
        return await self._executor.get_workflow(self.workflow_id, include_tasks)

    async def wait(
        self,
        *,
        wait_until_task_ref: str | Sequence[str] | None = None,
        timeout: float | timedelta | None = None,
    ) -> WorkflowRun:
        """The run when it has ended, whatever its status, or when one of the named tasks has.

        Raises:
            WaitTimeoutError: The time was up; the workflow goes on.
        """
        return await self._executor.wait(self.workflow_id, wait_until_task_ref=wait_until_task_ref, timeout=timeout)

    async def result(self, timeout: float | timedelta | None = None) -> JsonObject:
        """The output, when the run has completed.

        Raises:
            WorkflowFailedError: It ended FAILED; `execution` has its tasks and the reason.
            WorkflowTimedOutError: It ended TIMED_OUT.
            WorkflowTerminatedError: It ended TERMINATED.
            WaitTimeoutError: The time was up; the workflow goes on.
        """
        return (await self.wait(timeout=timeout)).raise_for_status().output

    async def pause(self) -> None:
        """Schedules no further tasks until it is resumed: PUT /workflow/{workflow_id}/pause."""
        await self._executor.pause(self.workflow_id)

    async def resume(self) -> None:
        """Goes on after a pause: PUT /workflow/{workflow_id}/resume."""
        await self._executor.resume(self.workflow_id)

    async def terminate(self, reason: str | None = None) -> None:
        """Ends it TERMINATED: DELETE /workflow/{workflow_id}."""
        await self._executor.terminate(self.workflow_id, reason)

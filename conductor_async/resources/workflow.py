"""Executions of workflows: `/workflow`."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from conductor_async._http.routes import route
from conductor_async.errors import AmbiguousOutcomeError, ConfigurationError, ResponseDecodeError
from conductor_async.models import (
    JsonObject,
    RerunWorkflowRequest,
    SkipTaskRequest,
    Workflow,
    WorkflowTestRequest,
)
from conductor_async.resources._execution_id import excerpt, is_execution_id, sentence
from conductor_async.resources._workflow_read import WorkflowReads
from conductor_async.resources._workflow_start import WorkflowStarts

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from conductor_async._http.routes import Route

__all__ = ["WorkflowClient"]

_NOT_PAUSED = re.compile("is not PAUSED so cannot resume")
_ALREADY_PROCESSED = re.compile("has already been processed, cannot be skipped")


class WorkflowClient(WorkflowStarts, WorkflowReads):
    """Starts, reads and controls executions.

    Calls that start or restart something are not retried if the server may have processed them: they raise an
    `AmbiguousOutcomeError`.
    """

    async def pause_workflow(self, workflow_id: str) -> None:
        """Pauses an execution: PUT /workflow/{workflow_id}/pause. Scheduled tasks go on; no others are scheduled.

        Raises:
            ConflictError: The execution has ended.
        """
        await self._api.call("PUT", route("/workflow/{workflow_id}/pause", workflow_id=workflow_id))

    async def resume_workflow(self, workflow_id: str) -> None:
        """Resumes a paused execution: PUT /workflow/{workflow_id}/resume.

        Raises:
            ServerError: The execution is not paused (the server responds with status 500).
        """
        await self._api.call(
            "PUT", route("/workflow/{workflow_id}/resume", workflow_id=workflow_id), already_done_pattern=_NOT_PAUSED
        )

    async def terminate_workflow(
        self, workflow_id: str, reason: str | None = None, trigger_failure_workflow: bool = False
    ) -> None:
        """Ends an execution and its sub-workflows as TERMINATED: DELETE /workflow/{workflow_id}.

        Args:
            workflow_id: The execution.
            reason: Becomes its `reason_for_incompletion`.
            trigger_failure_workflow: Start its failure workflow (Orkes; the open-source server ignores it).

        Raises:
            ConflictError: The execution has completed.
        """
        await self._api.call(
            "DELETE",
            route("/workflow/{workflow_id}", workflow_id=workflow_id),
            params={"reason": reason, "triggerFailureWorkflow": trigger_failure_workflow or None},
        )

    async def restart_workflow(self, workflow_id: str, use_latest_definitions: bool = False) -> None:
        """Runs an ended execution again from the beginning, with the same id: POST /workflow/{workflow_id}/restart.

        Args:
            workflow_id: The execution.
            use_latest_definitions: Use the latest registered definitions.

        Raises:
            ConflictError: The execution has not ended.
            AmbiguousOutcomeError: The response was lost.
        """
        await self._change(
            "/workflow/{workflow_id}/restart", workflow_id, {"useLatestDefinitions": use_latest_definitions}
        )

    async def retry_workflow(self, workflow_id: str, resume_subworkflow_tasks: bool = False) -> None:
        """Runs the last failed tasks of an ended execution again: POST /workflow/{workflow_id}/retry.

        Args:
            workflow_id: The execution.
            resume_subworkflow_tasks: Resume a failed sub-workflow instead of starting a new one.

        Raises:
            NotFoundError: The execution is running (the server responds with status 404), or does not exist.
            ConflictError: There is nothing to retry.
            AmbiguousOutcomeError: The response was lost.
        """
        await self._change(
            "/workflow/{workflow_id}/retry", workflow_id, {"resumeSubworkflowTasks": resume_subworkflow_tasks}
        )

    async def rerun_workflow(self, workflow_id: str, rerun_workflow_request: RerunWorkflowRequest) -> str:
        """Runs an ended execution again, from a task or with another input: POST /workflow/{workflow_id}/rerun.

        Returns:
            The execution's id, which stays the same.

        Raises:
            ConflictError: The execution has not ended.
            BadRequestError: It has no such task.
            AmbiguousOutcomeError: The response was lost.
        """
        endpoint = route("/workflow/{workflow_id}/rerun", workflow_id=workflow_id)
        with _naming(workflow_id):
            answer = await self._api.call("POST", endpoint, json=rerun_workflow_request, returns=str)
            if not is_execution_id(answer.strip()):
                raise _unexpected(answer, endpoint)
            return answer.strip()

    async def reset_callbacks(self, workflow_id: str) -> None:
        """Makes tasks with a callback delay available at once: POST /workflow/{workflow_id}/resetcallbacks.

        Raises:
            ConflictError: The execution has ended.
        """
        await self._api.call(
            "POST", route("/workflow/{workflow_id}/resetcallbacks", workflow_id=workflow_id), repeatable=True
        )

    async def decide(self, workflow_id: str) -> None:
        """Makes the server decide at once what runs next: PUT /workflow/decide/{workflow_id}."""
        await self._api.call("PUT", route("/workflow/decide/{workflow_id}", workflow_id=workflow_id))

    async def skip_task_from_workflow(
        self, workflow_id: str, task_reference_name: str, skip_task_request: SkipTaskRequest | None = None
    ) -> None:
        """Skips a task that is not scheduled yet: PUT /workflow/{workflow_id}/skiptask/{task_reference_name}.

        Args:
            workflow_id: The execution.
            task_reference_name: The task.
            skip_task_request: Input and output of the skipped task. The open-source server reads them from the query,
                one level deep and as strings; Orkes reads the body. This sends both.

        Raises:
            ServerError: The task is already scheduled or does not exist, or the execution is not running.
            ConfigurationError: A value is not a string, a number or a boolean, so it cannot be sent in a query.
        """
        request = skip_task_request or SkipTaskRequest()
        params = _bracketed("taskInput", request.task_input) | _bracketed("taskOutput", request.task_output)
        await self._api.call(
            "PUT",
            route(
                "/workflow/{workflow_id}/skiptask/{task_reference_name}",
                workflow_id=workflow_id,
                task_reference_name=task_reference_name,
            ),
            params=params,
            json=request,
            already_done_pattern=_ALREADY_PROCESSED,
        )

    async def delete_workflow(self, workflow_id: str, archive_workflow: bool = True) -> None:
        """Removes an execution: DELETE /workflow/{workflow_id}/remove.

        Args:
            workflow_id: The execution.
            archive_workflow: Remove it only if it has ended, and keep its entry in the search.

        Raises:
            BadRequestError: `archive_workflow` is True, and the execution has not ended.
            NotFoundError: There is no execution with that id.
        """
        await self._api.call(
            "DELETE",
            route("/workflow/{workflow_id}/remove", workflow_id=workflow_id),
            params={"archiveWorkflow": archive_workflow},
        )

    async def terminate_remove_workflow(
        self, workflow_id: str, reason: str | None = None, archive_workflow: bool = True
    ) -> None:
        """Terminates and removes an execution: DELETE /workflow/{workflow_id}/terminate-remove.

        Raises:
            NotFoundError: There is no execution with that id.
        """
        await self._api.call(
            "DELETE",
            route("/workflow/{workflow_id}/terminate-remove", workflow_id=workflow_id),
            params={"reason": reason, "archiveWorkflow": archive_workflow},
        )

    async def test_workflow(self, test_request: WorkflowTestRequest) -> Workflow:
        """Runs a workflow with mocked tasks: POST /workflow/test. The server keeps the execution, as any other.

        Returns:
            The execution, up to the first task without a mock.
        """
        return await self._api.call("POST", route("/workflow/test"), json=test_request, returns=Workflow)

    async def update_variables(self, workflow_id: str, variables: Mapping[str, Any]) -> None:
        """Sets variables of an execution and keeps its others: POST /workflow/{workflow_id}/variables.

        Raises:
            EndpointNotAvailableError: The server is the open-source one: there only SET_VARIABLE tasks set variables.
            NotFoundError: There is no such execution.
        """
        await self._api.call(
            "POST",
            route("/workflow/{workflow_id}/variables", workflow_id=workflow_id),
            json=dict(variables),
            json_name="variables",
            repeatable=True,
        )

    async def send_message(self, workflow_id: str, message: JsonObject) -> str:
        """Adds a message to an execution's queue, for PULL_WORKFLOW_MESSAGES: POST /workflow/{workflow_id}/messages.

        Returns:
            The message's id.

        Raises:
            EndpointNotAvailableError: The server runs without `conductor.workflow-message-queue.enabled`.
            ConflictError: The execution is not running.
            RateLimitedError: The queue is full.
            AmbiguousOutcomeError: The response was lost.
        """
        endpoint = route("/workflow/{workflow_id}/messages", workflow_id=workflow_id)
        with _naming(workflow_id):
            return await self._api.call("POST", endpoint, json=message, json_name="message", returns=str)

    async def _change(self, template: str, workflow_id: str, params: Mapping[str, Any]) -> None:
        endpoint = route(template, workflow_id=workflow_id)
        with _naming(workflow_id):
            # The server's response is empty. Text comes from something in between.
            answer = await self._api.call("POST", endpoint, params=params, returns=str, or_none=True)
            if answer and answer.strip() and not _is_json(answer):
                raise _unexpected(answer, endpoint)


@contextmanager
def _naming(workflow_id: str) -> Generator[None]:
    """Adds the execution's id to an `AmbiguousOutcomeError`, so that the caller knows what to check.

    An unreadable response is as ambiguous as none.
    """
    try:
        yield
    except AmbiguousOutcomeError as error:
        error.workflow_id = workflow_id
        raise
    except ResponseDecodeError as error:
        raise AmbiguousOutcomeError(
            f"{sentence(error)} The server may or may not have processed the request",
            method=error.method,
            route=error.route,
            workflow_id=workflow_id,
        ) from error


def _unexpected(answer: str, endpoint: Route) -> AmbiguousOutcomeError:
    return AmbiguousOutcomeError(
        f"POST {endpoint.path}: the response is {excerpt(answer)}, which is not one of Conductor. The server may or may"
        " not have processed the request",
        method="POST",
        route=endpoint.template,
    )


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _bracketed(name: str, values: JsonObject | None) -> dict[str, Any]:
    for key, value in (values or {}).items():
        if not isinstance(value, str | int | float | bool):
            raise ConfigurationError(
                f"skip_task_request.{name}[{key!r}] is a {type(value).__name__}: the server reads it from the query,"
                " which can hold strings, numbers and booleans only"
            )
    return {f"{name}[{key}]": value for key, value in (values or {}).items()}

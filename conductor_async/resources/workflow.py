"""Executions of workflows: `/workflow`."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any, TypeVar

from conductor_async._http.routes import route
from conductor_async._language.names import checked_name
from conductor_async.errors import AmbiguousOutcomeError, ConfigurationError, NotFoundError
from conductor_async.hooks import WorkflowStart
from conductor_async.models import (
    ExternalStorageLocation,
    JsonObject,
    RerunWorkflowRequest,
    SearchResult,
    SkipTaskRequest,
    StartWorkflowRequest,
    Task,
    TaskRun,
    Workflow,
    WorkflowRun,
    WorkflowState,
    WorkflowTestRequest,
)
from conductor_async.resources import _external_payload
from conductor_async.resources.workflow_search import WorkflowSearch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Run = TypeVar("Run", bound="WorkflowRun | TaskRun")

_NOT_PAUSED = re.compile("is not PAUSED so cannot resume")
_SKIPPED_ALREADY = re.compile("has already been processed, cannot be skipped")


class WorkflowClient(WorkflowSearch):
    """Starts executions, looks at them and controls them.

    What starts or restarts something is never repeated blindly: if its answer is lost, an `AmbiguousOutcomeError` says
    so.
    """

    # -- start -----------------------------------------------------------------------------------

    async def start_workflow(self, start_workflow_request: StartWorkflowRequest) -> str:
        """Starts an execution and returns its id at once: POST /workflow.

        Raises:
            NotFoundError: No such workflow is registered, and the request brings no definition.
            BadRequestError: The request, or the definition in it, is invalid.
            AmbiguousOutcomeError: The answer was lost: an execution may have been started.
        """
        request = start_workflow_request
        checked_name("workflow name", request.name)
        starts = WorkflowStart(request.name, request.version, request.input, request.correlation_id)
        try:
            return await self._api.call("POST", route("/workflow"), json=request, returns=str, starts=starts)
        except AmbiguousOutcomeError as error:
            error.workflow_name, error.correlation_id = request.name, starts.correlation_id
            raise

    async def start_workflow_by_name(
        self,
        name: str,
        input: JsonObject | None = None,  # noqa: A002 - the word that Conductor's SDKs share
        version: int | None = None,
        correlation_id: str | None = None,
        priority: int | None = None,
    ) -> str:
        """Starts a registered workflow and returns the execution's id at once: POST /workflow/{name}.

        Args:
            name: The workflow's name.
            input: The input; none is an empty one.
            version: The version; the highest by default.
            correlation_id: A key of your own to find the execution by.
            priority: 0 to 99; tasks of higher priority are handed out first.

        Raises:
            NotFoundError: No such workflow is registered.
            AmbiguousOutcomeError: The answer was lost: an execution may have been started.
        """
        starts = WorkflowStart(name, version, input or {}, correlation_id)
        params = {"version": version, "correlationId": correlation_id, "priority": priority}
        try:
            return await self._api.call(
                "POST",
                route("/workflow/{workflow_name}", workflow_name=name),
                params=params,
                json=input or {},
                json_name="input",
                returns=str,
                starts=starts,
            )
        except AmbiguousOutcomeError as error:
            error.workflow_name, error.correlation_id = name, starts.correlation_id
            raise

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
        """Starts an execution and lets the server wait for it, in one request: POST /workflow/execute/{name}/{version}.

        The server looks every 100 ms. It answers when the execution ends, when one of the named tasks is terminal, when
        a WAIT task without a time blocks it, or when the time is up: then the run is RUNNING and its `signal_timeout`
        is True. Asking again would start another execution; `WorkflowExecutor.execute` waits for as long as you like,
        and sooner.

        Args:
            start_workflow_request: What to start.
            request_id: Comes back in the run; the open-source server does not use it otherwise.
            name: The workflow's name, if other than in the request.
            version: The version, if other than in the request; 0 is the highest.
            wait_until_task_ref: Reference names of tasks (several: a list, or separated by commas). Inside a loop the
                server wants the iteration with it: `ref__1`.
            wait_for_seconds: How long the server may wait.

        Returns:
            The run, whatever its status; `reason_for_incompletion` is filled in when it failed.

        Raises:
            NotFoundError: No such workflow is registered, and the request brings no definition.
            AmbiguousOutcomeError: The answer was lost: an execution may have been started.
        """
        run = await self._execute(
            start_workflow_request, request_id, name, version, wait_until_task_ref, wait_for_seconds, None, WorkflowRun
        )
        if run.is_completed() and not run.is_successful() and run.workflow_id:
            # The server's answer to `execute` has no reason in it: only the execution itself has.
            run.reason_for_incompletion = (await self.get_workflow(run.workflow_id, False)).reason_for_incompletion
        return run

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
        """As `execute_workflow`, with a choice of what comes back.

        Args:
            start_workflow_request: What to start.
            request_id: Comes back in the run.
            name: The workflow's name, if other than in the request.
            version: The version, if other than in the request.
            wait_until_task_ref: Reference names of tasks.
            wait_for_seconds: How long the server may wait.
            return_strategy: TARGET_WORKFLOW (the one started), BLOCKING_WORKFLOW (the sub-workflow that waits), or
                BLOCKING_TASK and BLOCKING_TASK_INPUT (the WAIT task; the server answers 500 when nothing blocks).
        """
        kind: type[WorkflowRun | TaskRun] = TaskRun if return_strategy.startswith("BLOCKING_TASK") else WorkflowRun
        return await self._execute(
            start_workflow_request,
            request_id,
            name,
            version,
            wait_until_task_ref,
            wait_for_seconds,
            return_strategy,
            kind,
        )

    async def _execute(
        self,
        request: StartWorkflowRequest,
        request_id: str | None,
        name: str | None,
        version: int | None,
        wait_until_task_ref: str | Sequence[str] | None,
        wait_for_seconds: int,
        return_strategy: str | None,
        kind: type[Run],
    ) -> Run:
        refs = wait_until_task_ref
        params = {
            "requestId": request_id or str(uuid.uuid4()),
            "waitUntilTaskRef": refs if refs is None or isinstance(refs, str) else ",".join(refs),
            "waitForSeconds": wait_for_seconds,
            "returnStrategy": return_strategy,
        }
        endpoint = route(
            "/workflow/execute/{workflow_name}/{version}",
            workflow_name=request.name if name is None else name,
            version=(request.version if version is None else version) or 0,
        )
        starts = WorkflowStart(name or request.name, version or request.version, request.input, request.correlation_id)
        try:
            run = await self._api.call(
                "POST",
                endpoint,
                params=params,
                json=request,
                returns=kind,
                extra_time=max(wait_for_seconds, 0),
                starts=starts,
            )
        except AmbiguousOutcomeError as error:
            error.workflow_name, error.correlation_id = starts.workflow_name, starts.correlation_id
            raise
        except NotFoundError as error:
            if name not in (None, request.name):
                error.add_note(
                    f"The third argument is the workflow's name, here {name!r}; the request says {request.name!r}."
                    " In conductor-python 2.0 that place was wait_until_task_ref: give it by keyword."
                )
            raise
        if isinstance(run, WorkflowRun):
            run.workflow_name = name or request.name  # the answer does not say it, and errors are clearer with it
        return run

    # -- look --------------------------------------------------------------------------------------

    async def get_workflow(self, workflow_id: str, include_tasks: bool = True) -> Workflow:
        """One execution: GET /workflow/{workflow_id}. Payloads that the server keeps outside are fetched.

        Raises:
            NotFoundError: There is none of that id.
            ExternalPayloadError: A payload kept outside could not be fetched.
        """
        workflow = await self._api.call(
            "GET",
            route("/workflow/{workflow_id}", workflow_id=workflow_id),
            params={"includeTasks": include_tasks},
            returns=Workflow,
        )
        await _external_payload.fill_workflow(self._api, workflow)
        return workflow

    async def get_workflow_status(
        self, workflow_id: str, include_output: bool = False, include_variables: bool = False
    ) -> WorkflowState:
        """The status alone, which costs little: GET /workflow/{workflow_id}/status.

        Raises:
            NotFoundError: There is none of that id.
        """
        return await self._api.call(
            "GET",
            route("/workflow/{workflow_id}/status", workflow_id=workflow_id),
            params={"includeOutput": include_output, "includeVariables": include_variables},
            returns=WorkflowState,
        )

    async def get_workflow_tasks(
        self, workflow_id: str, start: int = 0, count: int = 15, status: Sequence[str] | str | None = None
    ) -> SearchResult[Task]:
        """The tasks of one execution, a page of them: GET /workflow/{workflow_id}/tasks.

        Args:
            workflow_id: The execution.
            start: How many to leave out.
            count: How many to return.
            status: Only tasks of these statuses.
        """
        params = {"start": start, "count": count, "status": [status] if isinstance(status, str) else status}
        found = await self._api.call(
            "GET",
            route("/workflow/{workflow_id}/tasks", workflow_id=workflow_id),
            params=params,
            returns=SearchResult[Task],
        )
        for task in found.results:
            await _external_payload.fill_task(self._api, task)
        return found

    async def get_running_workflows(
        self, name: str, version: int | None = None, start_time: int | None = None, end_time: int | None = None
    ) -> list[str]:
        """Ids of executions: GET /workflow/running/{workflow_name}.

        Args:
            name: The workflow's name.
            version: Its version; the server takes 1 by default.
            start_time: Epoch milliseconds. With both times: all executions started between, ended ones too.
            end_time: Epoch milliseconds.
        """
        params = {"version": version, "startTime": start_time, "endTime": end_time}
        return await self._api.call(
            "GET", route("/workflow/running/{workflow_name}", workflow_name=name), params=params, returns=list[str]
        )

    async def get_by_correlation_id(
        self, workflow_name: str, correlation_id: str, include_completed: bool = False, include_tasks: bool = False
    ) -> list[Workflow]:
        """Executions with a correlation id: GET /workflow/{workflow_name}/correlated/{correlation_id}."""
        found = await self._api.call(
            "GET",
            route(
                "/workflow/{workflow_name}/correlated/{correlation_id}",
                workflow_name=workflow_name,
                correlation_id=correlation_id,
            ),
            params={"includeClosed": include_completed, "includeTasks": include_tasks},
            returns=list[Workflow],
        )
        for workflow in found:
            await _external_payload.fill_workflow(self._api, workflow)
        return found

    async def get_by_correlation_ids(
        self,
        workflow_name: str,
        correlation_ids: Sequence[str],
        include_completed: bool = False,
        include_tasks: bool = False,
    ) -> dict[str, list[Workflow]]:
        """Executions by correlation id: POST /workflow/{workflow_name}/correlated."""
        found = await self._api.call(
            "POST",
            route("/workflow/{workflow_name}/correlated", workflow_name=workflow_name),
            params={"includeClosed": include_completed, "includeTasks": include_tasks},
            json=list(correlation_ids),
            returns=dict[str, list[Workflow]],
            repeatable=True,
        )
        for workflows in found.values():
            for workflow in workflows:
                await _external_payload.fill_workflow(self._api, workflow)
        return found

    async def get_external_storage_location(
        self, path: str, operation: str, payload_type: str
    ) -> ExternalStorageLocation:
        """Where a payload that is kept outside is read or written: GET /workflow/externalstoragelocation.

        Args:
            path: As the execution has it in `external_input_payload_storage_path`.
            operation: READ or WRITE.
            payload_type: WORKFLOW_INPUT or WORKFLOW_OUTPUT.
        """
        return await self._api.call(
            "GET",
            route("/workflow/externalstoragelocation"),
            params={"path": path, "operation": operation, "payloadType": payload_type},
            returns=ExternalStorageLocation,
        )

    # -- control -----------------------------------------------------------------------------------

    async def pause_workflow(self, workflow_id: str) -> None:
        """Schedules nothing more until it is resumed: PUT /workflow/{workflow_id}/pause. Tasks under way go on.

        Raises:
            ConflictError: It has ended.
        """
        await self._api.call("PUT", route("/workflow/{workflow_id}/pause", workflow_id=workflow_id))

    async def resume_workflow(self, workflow_id: str) -> None:
        """Goes on after a pause: PUT /workflow/{workflow_id}/resume.

        Raises:
            ServerError: It is not paused (the server answers 500).
        """
        await self._api.call(
            "PUT", route("/workflow/{workflow_id}/resume", workflow_id=workflow_id), already_done_pattern=_NOT_PAUSED
        )

    async def terminate_workflow(
        self, workflow_id: str, reason: str | None = None, trigger_failure_workflow: bool = False
    ) -> None:
        """Ends it as TERMINATED, and its sub-workflows with it: DELETE /workflow/{workflow_id}.

        Args:
            workflow_id: The execution.
            reason: Shown as its `reason_for_incompletion`.
            trigger_failure_workflow: Start its failure workflow (Orkes; the open-source server ignores it).

        Raises:
            ConflictError: It has completed.
        """
        await self._api.call(
            "DELETE",
            route("/workflow/{workflow_id}", workflow_id=workflow_id),
            params={"reason": reason, "triggerFailureWorkflow": trigger_failure_workflow or None},
        )

    async def restart_workflow(self, workflow_id: str, use_latest_definitions: bool = False) -> None:
        """Runs an ended one again from the beginning, under the same id: POST /workflow/{workflow_id}/restart.

        Args:
            workflow_id: The execution.
            use_latest_definitions: Take the definitions as they are registered now.

        Raises:
            ConflictError: It has not ended.
            AmbiguousOutcomeError: The answer was lost.
        """
        await self._change(
            "/workflow/{workflow_id}/restart", workflow_id, {"useLatestDefinitions": use_latest_definitions}
        )

    async def retry_workflow(self, workflow_id: str, resume_subworkflow_tasks: bool = False) -> None:
        """Runs the last failed tasks of an ended one again: POST /workflow/{workflow_id}/retry.

        Args:
            workflow_id: The execution.
            resume_subworkflow_tasks: Go on in a failed sub-workflow instead of starting it anew.

        Raises:
            NotFoundError: It is running (the server answers 404), or there is none of that id.
            ConflictError: There is nothing to retry.
            AmbiguousOutcomeError: The answer was lost.
        """
        await self._change(
            "/workflow/{workflow_id}/retry", workflow_id, {"resumeSubworkflowTasks": resume_subworkflow_tasks}
        )

    async def rerun_workflow(self, workflow_id: str, rerun_workflow_request: RerunWorkflowRequest) -> str:
        """Runs an ended one again, from a task or with another input: POST /workflow/{workflow_id}/rerun.

        Returns:
            The execution's id, which stays the same.

        Raises:
            ConflictError: It has not ended.
            BadRequestError: It has no such task.
            AmbiguousOutcomeError: The answer was lost.
        """
        try:
            return await self._api.call(
                "POST",
                route("/workflow/{workflow_id}/rerun", workflow_id=workflow_id),
                json=rerun_workflow_request,
                returns=str,
            )
        except AmbiguousOutcomeError as error:
            error.workflow_id = workflow_id
            raise

    async def reset_callbacks(self, workflow_id: str) -> None:
        """Hands out at once the tasks that were to be called back later: POST /workflow/{workflow_id}/resetcallbacks.

        Raises:
            ConflictError: It has ended.
        """
        await self._api.call(
            "POST", route("/workflow/{workflow_id}/resetcallbacks", workflow_id=workflow_id), repeatable=True
        )

    async def decide(self, workflow_id: str) -> None:
        """Makes the server look at once what is to be done next: PUT /workflow/decide/{workflow_id}."""
        await self._api.call("PUT", route("/workflow/decide/{workflow_id}", workflow_id=workflow_id))

    async def _has_tasks(self, workflow_id: str) -> bool:
        """Whether it has come to its first task: GET /workflow/{workflow_id}/tasks."""
        template = "/workflow/{workflow_id}/tasks"
        found = await self._api.call(
            "GET", route(template, workflow_id=workflow_id), params={"count": 1}, returns=SearchResult[Task]
        )
        return found.total_hits > 0

    async def _requeue(self, workflow_id: str) -> None:
        """Puts it on the list of what the server looks after, if it is not there: POST /admin/sweep/requeue/{id}."""
        template = "/admin/sweep/requeue/{workflow_id}"
        await self._api.call("POST", route(template, workflow_id=workflow_id), repeatable=True)

    async def skip_task_from_workflow(
        self, workflow_id: str, task_reference_name: str, skip_task_request: SkipTaskRequest | None = None
    ) -> None:
        """Leaves out a task that is not scheduled yet: PUT /workflow/{workflow_id}/skiptask/{task_reference_name}.

        Args:
            workflow_id: The execution.
            task_reference_name: The task.
            skip_task_request: Input and output that the task shall show. The open-source server reads them from the
                query, one level deep and as strings; Orkes reads the body. Both are sent.

        Raises:
            ServerError: The task is scheduled already, there is none of that name, or the execution is not running.
            ConfigurationError: A value is neither a string, a number nor a boolean, which the query cannot carry.
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
            already_done_pattern=_SKIPPED_ALREADY,
        )

    async def delete_workflow(self, workflow_id: str, archive_workflow: bool = True) -> None:
        """Removes an execution: DELETE /workflow/{workflow_id}/remove.

        Args:
            workflow_id: The execution.
            archive_workflow: Only if it has ended; its entry stays in the search.

        Raises:
            BadRequestError: It has not ended, and is to be archived.
            NotFoundError: There is none of that id.
        """
        await self._api.call(
            "DELETE",
            route("/workflow/{workflow_id}/remove", workflow_id=workflow_id),
            params={"archiveWorkflow": archive_workflow},
        )

    async def remove_workflow(self, workflow_id: str) -> None:
        """Removes an execution that has ended: `delete_workflow` under the incumbent's other name."""
        await self.delete_workflow(workflow_id)

    async def terminate_remove_workflow(
        self, workflow_id: str, reason: str | None = None, archive_workflow: bool = True
    ) -> None:
        """Terminates and removes an execution: DELETE /workflow/{workflow_id}/terminate-remove.

        Raises:
            NotFoundError: There is none of that id.
        """
        await self._api.call(
            "DELETE",
            route("/workflow/{workflow_id}/terminate-remove", workflow_id=workflow_id),
            params={"reason": reason, "archiveWorkflow": archive_workflow},
        )

    async def test_workflow(self, test_request: WorkflowTestRequest) -> Workflow:
        """Runs a workflow with mocked tasks: POST /workflow/test. It is a real execution, which stays on the server.

        Returns:
            The execution, as far as the mocks carried it.
        """
        return await self._api.call("POST", route("/workflow/test"), json=test_request, returns=Workflow)

    async def update_variables(self, workflow_id: str, variables: Mapping[str, Any]) -> None:
        """Sets variables of an execution, and leaves its others: POST /workflow/{workflow_id}/variables.

        Raises:
            EndpointNotAvailableError: The server is the open-source one, where only a SET_VARIABLE task sets them.
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
        """Puts a message into an execution's queue, for PULL_WORKFLOW_MESSAGES: POST /workflow/{workflow_id}/messages.

        Returns:
            The message's id.

        Raises:
            EndpointNotAvailableError: The server runs without `conductor.workflow-message-queue.enabled`.
            ConflictError: The execution is not running.
            RateLimitedError: The queue is full.
            AmbiguousOutcomeError: The answer was lost.
        """
        endpoint = route("/workflow/{workflow_id}/messages", workflow_id=workflow_id)
        try:
            return await self._api.call("POST", endpoint, json=message, json_name="message", returns=str)
        except AmbiguousOutcomeError as error:
            error.workflow_id = workflow_id
            raise

    async def _change(self, template: str, workflow_id: str, params: Mapping[str, Any]) -> None:
        try:
            await self._api.call("POST", route(template, workflow_id=workflow_id), params=params)
        except AmbiguousOutcomeError as error:
            error.workflow_id = workflow_id
            raise


def _bracketed(name: str, values: JsonObject | None) -> dict[str, Any]:
    for key, value in (values or {}).items():
        if not isinstance(value, str | int | float | bool):
            raise ConfigurationError(
                f"skip_task_request.{name}[{key!r}] is a {type(value).__name__}: the server takes it from the query,"
                " where only strings, numbers and booleans fit"
            )
    return {f"{name}[{key}]": value for key, value in (values or {}).items()}

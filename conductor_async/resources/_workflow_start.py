"""Starting executions: `/workflow`, `/workflow/{name}`, `/workflow/execute`. They are methods of `WorkflowClient`."""

from __future__ import annotations

import logging
import re
import uuid
from typing import TYPE_CHECKING, Any, TypeVar

from conductor_async._http.routes import route
from conductor_async._language.names import checked_name
from conductor_async.errors import (
    AmbiguousOutcomeError,
    APIError,
    NotFoundError,
    ResponseDecodeError,
    ServerError,
    TransportError,
)
from conductor_async.hooks import WorkflowStart
from conductor_async.models import JsonObject, SignalResponse, StartWorkflowRequest, TaskRun, Workflow, WorkflowRun
from conductor_async.resources._base import Resource
from conductor_async.resources._execution_id import excerpt, is_execution_id, sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from conductor_async._http.routes import Route
    from conductor_async.errors import ConductorError

logger = logging.getLogger("conductor_async")

SERVER_WAIT = 25
"""Seconds that the server waits by default. Its limit is 30: then it responds with a 500, although it has started."""

# Refusals that the server sends as a 500, before it starts anything.
_REFUSED = re.compile("has no workflow definition available")

Result = TypeVar("Result")
Run = TypeVar("Run", bound="WorkflowRun | TaskRun")


class WorkflowStarts(Resource):
    """The methods of `WorkflowClient` that start executions. None is retried once the server may have processed it."""

    async def start_workflow(self, start_workflow_request: StartWorkflowRequest) -> str:
        """Starts an execution and returns its id at once: POST /workflow.

        Raises:
            NotFoundError: The workflow is not registered, and the request has no definition.
            BadRequestError: The request, or the definition in it, is invalid.
            AmbiguousOutcomeError: The response was lost: an execution may have been started.
        """
        checked_name("workflow name", start_workflow_request.name)
        return await self._start(route("/workflow"), start_workflow_request, returns=str)

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
            input: The input; empty by default.
            version: The version; the latest by default.
            correlation_id: A key of your own to find the execution by.
            priority: 0 to 99; the server hands out tasks of higher priority first.

        Raises:
            NotFoundError: The workflow is not registered.
            AmbiguousOutcomeError: The response was lost: an execution may have been started.
        """
        start = WorkflowStart(name, version, input or {}, correlation_id)

        def prepare() -> tuple[JsonObject, Mapping[str, Any]]:
            return input or {}, {"version": version, "correlationId": start.correlation_id, "priority": priority}

        endpoint = route("/workflow/{workflow_name}", workflow_name=name)
        return await self._call_start(endpoint, start, prepare, returns=str, json_name="input")

    async def execute_workflow(
        self,
        start_workflow_request: StartWorkflowRequest,
        request_id: str | None = None,
        name: str | None = None,
        version: int | None = None,
        wait_until_task_ref: str | Sequence[str] | None = None,
        *,
        wait_for_seconds: int = SERVER_WAIT,
    ) -> WorkflowRun:
        """Starts an execution and lets the server wait for it, in one request: POST /workflow/execute/{name}/{version}.

        The server checks every 100 ms. It responds when the execution ends, when one of the named tasks is terminal,
        when a WAIT task without a duration blocks it, or after `wait_for_seconds`: then the run is RUNNING and its
        `signal_timeout` is True. Another call would start another execution. `WorkflowExecutor.execute` returns sooner,
        and waits for as long as you like.

        Args:
            start_workflow_request: What to start.
            request_id: The run has it too; the open-source server does not use it otherwise.
            name: The workflow's name, if other than in the request.
            version: The version, if other than in the request; 0 is the latest.
            wait_until_task_ref: Reference names of tasks (several: a list, or separated by commas). For a task in a
                loop the server needs the iteration too: `ref__1`.
            wait_for_seconds: How long the server may wait. With 30 or more, the open-source server may fail after 30 s,
                and not say which execution it has started: `WorkflowExecutor.execute` has no such limit.

        Returns:
            The run, whatever its status; `reason_for_incompletion` is set if it failed.

        Raises:
            NotFoundError: The workflow is not registered, and the request has no definition.
            AmbiguousOutcomeError: The response was lost, or the server failed while it waited: an execution may have
                been started.
        """
        run = await self._execute(
            start_workflow_request, request_id, name, version, wait_until_task_ref, wait_for_seconds, None, WorkflowRun
        )
        if run.is_completed() and not run.is_successful():
            # The server's response has no reason in it: only the execution itself has.
            endpoint = route("/workflow/{workflow_id}", workflow_id=run.workflow_id)
            try:
                execution = await self._api.call("GET", endpoint, params={"includeTasks": False}, returns=Workflow)
            except (APIError, TransportError) as error:  # the run itself must not be lost
                logger.warning("Could not find out why workflow %s ended %s: %s", run.workflow_id, run.status, error)
            else:
                run.reason_for_incompletion = execution.reason_for_incompletion
        return run

    async def execute_workflow_with_return_strategy(
        self,
        start_workflow_request: StartWorkflowRequest,
        request_id: str | None = None,
        name: str | None = None,
        version: int | None = None,
        wait_until_task_ref: str | Sequence[str] | None = None,
        *,
        wait_for_seconds: int = SERVER_WAIT,
        return_strategy: str = "TARGET_WORKFLOW",
        consistency: str | None = None,
    ) -> WorkflowRun | TaskRun:
        """Does the same as `execute_workflow`, and lets you choose what it returns.

        Args:
            start_workflow_request: What to start.
            request_id: The run has it too.
            name: The workflow's name, if other than in the request.
            version: The version, if other than in the request.
            wait_until_task_ref: Reference names of tasks.
            wait_for_seconds: How long the server may wait.
            return_strategy: TARGET_WORKFLOW (the execution that was started), BLOCKING_WORKFLOW (the sub-workflow that
                waits), or BLOCKING_TASK and BLOCKING_TASK_INPUT (the WAIT task; the server responds with status 500 if
                nothing blocks).
            consistency: DURABLE, SYNCHRONOUS or REGION_DURABLE; the open-source server ignores it.
        """
        return await self._execute(
            start_workflow_request,
            request_id,
            name,
            version,
            wait_until_task_ref,
            wait_for_seconds,
            return_strategy,
            run_type(return_strategy),
            consistency,
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
        returns: type[Run],
        consistency: str | None = None,
    ) -> Run:
        refs = wait_until_task_ref
        params = {
            "requestId": request_id or str(uuid.uuid4()),
            "waitUntilTaskRef": refs if refs is None or isinstance(refs, str) else ",".join(refs),
            "waitForSeconds": wait_for_seconds,
            "returnStrategy": return_strategy,
            "consistency": consistency,
        }
        endpoint = route(
            "/workflow/execute/{workflow_name}/{version}",
            workflow_name=request.name if name is None else name,
            version=(request.version if version is None else version) or 0,
        )
        try:
            run = await self._start(
                endpoint,
                request,
                returns=returns,
                name=name,
                version=version,
                params=params,
                extra_time=max(wait_for_seconds, 0),
            )
        except ServerError as error:
            # It waits after it has started: a failure does not tell whether there is an execution.
            if _REFUSED.search(error.message):
                raise
            raise _ambiguous(error, endpoint, request.name if name is None else name, request.correlation_id) from error
        except NotFoundError as error:
            if name not in (None, request.name):
                error.add_note(
                    f"The third argument is the workflow's name, here {name!r}; the request says {request.name!r}."
                    " In conductor-python 2.0 the third argument is wait_until_task_ref: pass it by keyword."
                )
            raise
        if isinstance(run, WorkflowRun):
            run.workflow_name = name or request.name  # the response does not have it, and errors are clearer with it
        return run

    async def _start(
        self,
        endpoint: Route,
        request: StartWorkflowRequest,
        *,
        returns: type[Result],
        name: str | None = None,
        version: int | None = None,
        params: Mapping[str, Any] | None = None,
        extra_time: float = 0.0,
    ) -> Result:
        """Sends a `StartWorkflowRequest`, with the correlation id that a hook may have set."""
        start = WorkflowStart(name or request.name, version or request.version, request.input, request.correlation_id)

        def prepare() -> tuple[StartWorkflowRequest, Mapping[str, Any] | None]:
            if request.correlation_id == start.correlation_id:
                return request, params
            return request.model_copy(update={"correlation_id": start.correlation_id}), params

        return await self._call_start(endpoint, start, prepare, returns=returns, extra_time=extra_time)

    async def _call_start(
        self,
        endpoint: Route,
        start: WorkflowStart,
        prepare: Callable[[], tuple[Any, Mapping[str, Any] | None]],
        *,
        returns: type[Result],
        json_name: str = "body",
        extra_time: float = 0.0,
    ) -> Result:
        try:
            started = await self._api.call(
                "POST",
                endpoint,
                returns=returns,
                json_name=json_name,
                extra_time=extra_time,
                starts=start,
                prepare=prepare,
            )
        except AmbiguousOutcomeError as error:
            error.workflow_name, error.correlation_id = start.workflow_name, start.correlation_id
            raise
        except ResponseDecodeError as error:
            raise _ambiguous(error, endpoint, start.workflow_name, start.correlation_id) from error
        workflow_id = started.workflow_id if isinstance(started, SignalResponse) else str(started).strip()
        if not is_execution_id(workflow_id):
            problem = f"POST {endpoint.path}: the response has {excerpt(workflow_id)} in the place of an execution's id"
            raise _ambiguous(problem, endpoint, start.workflow_name, start.correlation_id)
        return workflow_id if returns is str else started  # type: ignore[return-value]


def _ambiguous(
    problem: ConductorError | str, endpoint: Route, workflow_name: str, correlation_id: str | None
) -> AmbiguousOutcomeError:
    return AmbiguousOutcomeError(
        f"{sentence(problem)} An execution may have been started: check before you start it again",
        method="POST",
        route=endpoint.template,
        workflow_name=workflow_name,
        correlation_id=correlation_id,
    )


def run_type(return_strategy: str) -> type[WorkflowRun | TaskRun]:
    """Returns the type of a run that the server returns for a return strategy."""
    return TaskRun if return_strategy.startswith("BLOCKING_TASK") else WorkflowRun

"""Executions: `/workflow`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from conductor_async.devserver.long_polling import return_strategy, wait_for_run
from conductor_async.devserver.response import EMPTY, NO_CONTENT, Response, json_response, text_response
from conductor_async.devserver.routes._search import search_parameters
from conductor_async.devserver.routing import Route
from conductor_async.engine.definitions.defaults import with_start_request_defaults
from conductor_async.engine.errors import Refused

if TYPE_CHECKING:
    from conductor_async.devserver.request import Request
    from conductor_async.devserver.runtime import Runtime

__all__ = ["ROUTES", "get_external_storage_location"]

_START = "com.netflix.conductor.common.metadata.workflow.StartWorkflowRequest"
_RERUN = "com.netflix.conductor.common.metadata.workflow.RerunWorkflowRequest"
_TEST = "com.netflix.conductor.common.run.WorkflowTestRequest"
_DEFAULT_WAIT = 10


async def _execute_workflow(runtime: Runtime, request: Request) -> Response:
    version = request.path_number("version")
    strategy = return_strategy(request)
    seconds = request.number_or("waitForSeconds", _DEFAULT_WAIT) or _DEFAULT_WAIT
    start_request = {**request.json_object(_START), "name": request["name"], "version": version or None}
    if start_request.get("workflowDef") is not None:  # as the server, mark executions that bring their definition
        given = with_start_request_defaults(start_request)["input"]
        if given is None:
            raise Refused('Cannot invoke "java.util.Map.containsKey(Object)" because "workflowInput" is null')
        start_request["input"] = {**given, "_systemMetadata": {"dynamic": True}}
    workflow_id = runtime.engine.workflows.start(start_request)
    run = await wait_for_run(
        runtime,
        workflow_id,
        seconds,
        references=[each.strip() for each in request.texts("waitUntilTaskRef") if each.strip()],
        strategy=strategy,
        request_id=request.text("requestId"),
    )
    return json_response(run)


def _skip_task(runtime: Runtime, request: Request) -> Response:
    # From the query, where every value is a string: the server ignores the body.
    runtime.engine.workflows.skip_task(
        request["workflow_id"],
        request["reference_name"],
        task_input=_map_in_query(request, "taskInput"),
        task_output=_map_in_query(request, "taskOutput"),
    )
    return EMPTY


def _map_in_query(request: Request, name: str) -> dict[str, Any] | None:
    pattern = re.compile(rf"{name}\[(.*)\]")
    found = {
        match[1]: ",".join(values)
        for key, values in request.query_parameters.items()
        if (match := pattern.fullmatch(key))
    }
    return found or None


def _restart_workflow(runtime: Runtime, request: Request) -> Response:
    runtime.engine.workflows.restart(request["workflow_id"], request.flag("useLatestDefinitions"))
    return NO_CONTENT


def _retry_workflow(runtime: Runtime, request: Request) -> Response:
    runtime.engine.workflows.retry(request["workflow_id"], request.flag("resumeSubworkflowTasks"))
    return NO_CONTENT


def _reset_callbacks(runtime: Runtime, request: Request) -> Response:
    runtime.engine.workflows.reset_callbacks(request["workflow_id"])
    return NO_CONTENT


def get_external_storage_location(runtime: Runtime, request: Request) -> Response:
    """Returns where an external payload would be stored; `/tasks` has the same endpoint."""
    location = runtime.engine.tasks.get_external_storage_location(
        request.required("path"), request.required("operation"), request.required("payloadType")
    )
    return json_response(location)


ROUTES = (
    Route(
        "POST",
        "/workflow",
        lambda runtime, request: text_response(runtime.engine.workflows.start(request.json_object(_START))),
    ),
    Route(
        "POST",
        "/workflow/{name}",
        lambda runtime, request: text_response(
            runtime.engine.workflows.start_by_name(
                request["name"],
                request.json_object(),
                version=request.number("version"),
                correlation_id=request.text("correlationId"),
                priority=request.number_or("priority", 0),
            )
        ),
    ),
    Route("POST", "/workflow/execute/{name}/{version}", _execute_workflow),
    Route("POST", "/workflow/test", lambda runtime, request: runtime.engine.workflows.test(request.json_object(_TEST))),
    Route(
        "POST",
        "/workflow/{workflow_id}/messages",
        lambda runtime, request: text_response(
            runtime.engine.workflows.send_message(request["workflow_id"], request.json_object())
        ),
    ),
    Route(
        "GET",
        "/workflow/search",
        lambda runtime, request: runtime.engine.search.workflows(
            **search_parameters(request),
            classifier=request.text("classifier"),
            top_level_only=request.flag("topLevelOnly"),
        ),
    ),
    Route(
        "GET",
        "/workflow/search-v2",
        lambda runtime, request: runtime.engine.search.workflows_v2(
            **search_parameters(request),
            classifier=request.text("classifier"),
            top_level_only=request.flag("topLevelOnly"),
        ),
    ),
    Route(
        "GET",
        "/workflow/search-by-tasks",
        lambda runtime, request: runtime.engine.search.by_tasks(**search_parameters(request)),
    ),
    Route(
        "GET",
        "/workflow/search-by-tasks-v2",
        lambda runtime, request: runtime.engine.search.by_tasks_v2(**search_parameters(request)),
    ),
    Route("GET", "/workflow/externalstoragelocation", get_external_storage_location),
    Route("GET", "/workflow/external-storage-location", get_external_storage_location),
    Route(
        "GET",
        "/workflow/running/{name}",
        lambda runtime, request: runtime.engine.workflows.get_running(
            request["name"],
            version=request.number_or("version", 1),
            start_time=request.number("startTime", "java.lang.Long"),
            end_time=request.number("endTime", "java.lang.Long"),
        ),
    ),
    Route(
        "GET",
        "/workflow/{workflow_id}",
        lambda runtime, request: runtime.engine.workflows.get(
            request["workflow_id"], request.flag("includeTasks", True)
        ),
    ),
    Route(
        "GET",
        "/workflow/{workflow_id}/status",
        lambda runtime, request: runtime.engine.workflows.get_status(
            request["workflow_id"], request.flag("includeOutput"), request.flag("includeVariables")
        ),
    ),
    Route(
        "GET",
        "/workflow/{workflow_id}/tasks",
        lambda runtime, request: runtime.engine.workflows.get_tasks(
            request["workflow_id"],
            start=request.number_or("start", 0),
            count=request.number_or("count", 15),
            status=request.texts("status"),
        ),
    ),
    Route(
        "GET",
        "/workflow/{name}/correlated/{correlation_id}",
        lambda runtime, request: runtime.engine.workflows.get_by_correlation_id(
            request["name"],
            request["correlation_id"],
            include_closed=request.flag("includeClosed"),
            include_tasks=request.flag("includeTasks"),
        ),
    ),
    Route(
        "POST",
        "/workflow/{name}/correlated",
        lambda runtime, request: runtime.engine.workflows.get_by_correlation_ids(
            request["name"],
            request.json_strings(),
            include_closed=request.flag("includeClosed"),
            include_tasks=request.flag("includeTasks"),
        ),
    ),
    Route(
        "PUT",
        "/workflow/decide/{workflow_id}",
        lambda runtime, request: runtime.engine.workflows.decide(request["workflow_id"]),
    ),
    Route(
        "PUT",
        "/workflow/{workflow_id}/pause",
        lambda runtime, request: runtime.engine.workflows.pause(request["workflow_id"]),
    ),
    Route(
        "PUT",
        "/workflow/{workflow_id}/resume",
        lambda runtime, request: runtime.engine.workflows.resume(request["workflow_id"]),
    ),
    Route("PUT", "/workflow/{workflow_id}/skiptask/{reference_name}", _skip_task),
    Route(
        "POST",
        "/workflow/{workflow_id}/rerun",
        lambda runtime, request: text_response(
            runtime.engine.workflows.rerun(request["workflow_id"], request.json_object(_RERUN))
        ),
    ),
    Route("POST", "/workflow/{workflow_id}/restart", _restart_workflow),
    Route("POST", "/workflow/{workflow_id}/retry", _retry_workflow),
    Route("POST", "/workflow/{workflow_id}/resetcallbacks", _reset_callbacks),
    Route(
        "DELETE",
        "/workflow/{workflow_id}",
        lambda runtime, request: runtime.engine.workflows.terminate(request["workflow_id"], request.text("reason")),
    ),
    Route(
        "DELETE",
        "/workflow/{workflow_id}/remove",
        lambda runtime, request: runtime.engine.workflows.remove(
            request["workflow_id"], request.flag("archiveWorkflow", True)
        ),
    ),
    Route(
        "DELETE",
        "/workflow/{workflow_id}/terminate-remove",
        lambda runtime, request: runtime.engine.workflows.terminate_remove(
            request["workflow_id"], request.text("reason"), request.flag("archiveWorkflow", True)
        ),
    ),
)

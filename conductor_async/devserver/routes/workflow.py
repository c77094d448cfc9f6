"""Executions: `/workflow`."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from conductor_async.devserver.long_polling import return_strategy, wait_for_run
from conductor_async.devserver.response import EMPTY, NO_CONTENT, Response, json_response, text_response
from conductor_async.devserver.routes._search import search_parameters
from conductor_async.devserver.routing import Route
from conductor_async.engine.errors import Refused

if TYPE_CHECKING:
    from conductor_async.devserver.request import Request
    from conductor_async.devserver.runtime import Runtime
    from conductor_async.models import JsonObject

_START = "com.netflix.conductor.common.metadata.workflow.StartWorkflowRequest"
_RERUN = "com.netflix.conductor.common.metadata.workflow.RerunWorkflowRequest"
_TEST = "com.netflix.conductor.common.run.WorkflowTestRequest"
_IDEMPOTENCY_STRATEGY = "com.netflix.conductor.common.metadata.workflow.IdempotencyStrategy"
_IDEMPOTENCY_STRATEGIES = ("FAIL", "RETURN_EXISTING", "FAIL_ON_RUNNING")
_DEFAULT_WAIT = 10

# -- start ---------------------------------------------------------------------------------------------


def _start_request(request: Request) -> JsonObject:
    return request.json_object_with_choice(
        _START, "idempotencyStrategy", _IDEMPOTENCY_STRATEGY, _IDEMPOTENCY_STRATEGIES
    )


def _start_workflow(runtime: Runtime, request: Request) -> Response:
    return text_response(runtime.engine.workflows.start(_start_request(request)))


def _start_workflow_by_name(runtime: Runtime, request: Request) -> Response:
    workflow_id = runtime.engine.workflows.start_by_name(
        request["name"],
        request.json_object(),
        version=request.number("version"),
        correlation_id=request.text("correlationId"),
        priority=request.number_or("priority", 0),
    )
    return text_response(workflow_id)


async def _execute_workflow(runtime: Runtime, request: Request) -> Response:
    version = request.path_number("version")
    strategy = return_strategy(request)
    seconds = request.number_or("waitForSeconds", _DEFAULT_WAIT) or _DEFAULT_WAIT
    start_request = _start_request(request)
    start_request |= {"name": request["name"], "version": version or None}
    if start_request.get("workflowDef") is not None:  # as the server, mark executions that bring their definition
        given = start_request.get("input", {})
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
        request_id=request.text("requestId") or str(uuid.uuid4()),
    )
    return json_response(run)


def _test_workflow(runtime: Runtime, request: Request) -> Response:
    return json_response(runtime.engine.workflows.test(request.json_object(_TEST)))


def _send_message(runtime: Runtime, request: Request) -> Response:
    return text_response(runtime.engine.workflows.send_message(request["workflow_id"], request.json_object()))


# -- read ----------------------------------------------------------------------------------------------


def _get_workflow(runtime: Runtime, request: Request) -> Response:
    return json_response(runtime.engine.workflows.get(request["workflow_id"], request.flag("includeTasks", True)))


def _get_workflow_status(runtime: Runtime, request: Request) -> Response:
    state = runtime.engine.workflows.get_status(
        request["workflow_id"], request.flag("includeOutput"), request.flag("includeVariables")
    )
    return json_response(state)


def _get_workflow_tasks(runtime: Runtime, request: Request) -> Response:
    tasks = runtime.engine.workflows.get_tasks(
        request["workflow_id"],
        start=request.number_or("start", 0),
        count=request.number_or("count", 15),
        status=request.texts("status"),
    )
    return json_response(tasks)


def _get_running_workflows(runtime: Runtime, request: Request) -> Response:
    ids = runtime.engine.workflows.get_running(
        request["name"],
        version=request.number_or("version", 1),
        start_time=request.number("startTime", "java.lang.Long"),
        end_time=request.number("endTime", "java.lang.Long"),
    )
    return json_response(ids)


def _get_by_correlation_id(runtime: Runtime, request: Request) -> Response:
    found = runtime.engine.workflows.get_by_correlation_id(
        request["name"],
        request["correlation_id"],
        include_closed=request.flag("includeClosed"),
        include_tasks=request.flag("includeTasks"),
    )
    return json_response(found)


def _get_by_correlation_ids(runtime: Runtime, request: Request) -> Response:
    found = runtime.engine.workflows.get_by_correlation_ids(
        request["name"],
        request.json_strings(),
        include_closed=request.flag("includeClosed"),
        include_tasks=request.flag("includeTasks"),
    )
    return json_response(found)


# -- control -------------------------------------------------------------------------------------------


def _decide(runtime: Runtime, request: Request) -> Response:
    runtime.engine.workflows.decide(request["workflow_id"])
    return EMPTY


def _pause_workflow(runtime: Runtime, request: Request) -> Response:
    runtime.engine.workflows.pause(request["workflow_id"])
    return EMPTY


def _resume_workflow(runtime: Runtime, request: Request) -> Response:
    runtime.engine.workflows.resume(request["workflow_id"])
    return EMPTY


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


def _rerun_workflow(runtime: Runtime, request: Request) -> Response:
    return text_response(runtime.engine.workflows.rerun(request["workflow_id"], request.json_object(_RERUN)))


def _restart_workflow(runtime: Runtime, request: Request) -> Response:
    runtime.engine.workflows.restart(request["workflow_id"], request.flag("useLatestDefinitions"))
    return NO_CONTENT


def _retry_workflow(runtime: Runtime, request: Request) -> Response:
    runtime.engine.workflows.retry(request["workflow_id"], request.flag("resumeSubworkflowTasks"))
    return NO_CONTENT


def _reset_callbacks(runtime: Runtime, request: Request) -> Response:
    runtime.engine.workflows.reset_callbacks(request["workflow_id"])
    return NO_CONTENT


def _terminate_workflow(runtime: Runtime, request: Request) -> Response:
    runtime.engine.workflows.terminate(request["workflow_id"], request.text("reason"))
    return EMPTY


def _remove_workflow(runtime: Runtime, request: Request) -> Response:
    runtime.engine.workflows.remove(request["workflow_id"], request.flag("archiveWorkflow", True))
    return EMPTY


def _terminate_remove_workflow(runtime: Runtime, request: Request) -> Response:
    runtime.engine.workflows.terminate_remove(
        request["workflow_id"], request.text("reason"), request.flag("archiveWorkflow", True)
    )
    return EMPTY


# -- search --------------------------------------------------------------------------------------------


def _search_workflows(runtime: Runtime, request: Request) -> Response:
    found = runtime.engine.search.workflows(
        **search_parameters(request), classifier=request.text("classifier"), top_level_only=request.flag("topLevelOnly")
    )
    return json_response(found)


def _search_workflows_v2(runtime: Runtime, request: Request) -> Response:
    found = runtime.engine.search.workflows_v2(
        **search_parameters(request), classifier=request.text("classifier"), top_level_only=request.flag("topLevelOnly")
    )
    return json_response(found)


def _search_by_tasks(runtime: Runtime, request: Request) -> Response:
    return json_response(runtime.engine.search.by_tasks(**search_parameters(request)))


def _search_by_tasks_v2(runtime: Runtime, request: Request) -> Response:
    return json_response(runtime.engine.search.by_tasks_v2(**search_parameters(request)))


def get_external_storage_location(runtime: Runtime, request: Request) -> Response:
    """Returns where an external payload would be stored; `/tasks` has the same endpoint."""
    location = runtime.engine.tasks.get_external_storage_location(
        request.required("path"), request.required("operation"), request.required("payloadType")
    )
    return json_response(location)


ROUTES = (
    Route("POST", "/workflow", _start_workflow),
    Route("POST", "/workflow/{name}", _start_workflow_by_name),
    Route("POST", "/workflow/execute/{name}/{version}", _execute_workflow),
    Route("POST", "/workflow/test", _test_workflow),
    Route("POST", "/workflow/{workflow_id}/messages", _send_message),
    Route("GET", "/workflow/search", _search_workflows),
    Route("GET", "/workflow/search-v2", _search_workflows_v2),
    Route("GET", "/workflow/search-by-tasks", _search_by_tasks),
    Route("GET", "/workflow/search-by-tasks-v2", _search_by_tasks_v2),
    Route("GET", "/workflow/externalstoragelocation", get_external_storage_location),
    Route("GET", "/workflow/external-storage-location", get_external_storage_location),
    Route("GET", "/workflow/running/{name}", _get_running_workflows),
    Route("GET", "/workflow/{workflow_id}", _get_workflow),
    Route("GET", "/workflow/{workflow_id}/status", _get_workflow_status),
    Route("GET", "/workflow/{workflow_id}/tasks", _get_workflow_tasks),
    Route("GET", "/workflow/{name}/correlated/{correlation_id}", _get_by_correlation_id),
    Route("POST", "/workflow/{name}/correlated", _get_by_correlation_ids),
    Route("PUT", "/workflow/decide/{workflow_id}", _decide),
    Route("PUT", "/workflow/{workflow_id}/pause", _pause_workflow),
    Route("PUT", "/workflow/{workflow_id}/resume", _resume_workflow),
    Route("PUT", "/workflow/{workflow_id}/skiptask/{reference_name}", _skip_task),
    Route("POST", "/workflow/{workflow_id}/rerun", _rerun_workflow),
    Route("POST", "/workflow/{workflow_id}/restart", _restart_workflow),
    Route("POST", "/workflow/{workflow_id}/retry", _retry_workflow),
    Route("POST", "/workflow/{workflow_id}/resetcallbacks", _reset_callbacks),
    Route("DELETE", "/workflow/{workflow_id}", _terminate_workflow),
    Route("DELETE", "/workflow/{workflow_id}/remove", _remove_workflow),
    Route("DELETE", "/workflow/{workflow_id}/terminate-remove", _terminate_remove_workflow),
)

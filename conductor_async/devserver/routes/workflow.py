"""Executions: `/workflow`."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any, TypedDict

from conductor_async.devserver.exchange import NO_CONTENT, NOTHING, Request, Response, as_json, as_text
from conductor_async.devserver.routing import Route
from conductor_async.devserver.waiting import checked_strategy, wait_for_run
from conductor_async.engine.errors import Refused

if TYPE_CHECKING:
    from conductor_async.devserver.runtime import Runtime
    from conductor_async.models import JsonObject

_START = "com.netflix.conductor.common.metadata.workflow.StartWorkflowRequest"
_RERUN = "com.netflix.conductor.common.metadata.workflow.RerunWorkflowRequest"
_TEST = "com.netflix.conductor.common.run.WorkflowTestRequest"
_STRATEGY = "com.netflix.conductor.common.metadata.workflow.IdempotencyStrategy"
_IDEMPOTENCY = ("FAIL", "RETURN_EXISTING", "FAIL_ON_RUNNING")
_DEFAULT_WAIT = 10

# -- start ---------------------------------------------------------------------------------------------


def _start_request(ask: Request) -> JsonObject:
    request = ask.object(_START)
    strategy = request.get("idempotencyStrategy")
    if strategy is not None and strategy not in _IDEMPOTENCY:
        raise Refused(
            f'JSON parse error: Cannot deserialize value of type `{_STRATEGY}` from String "{strategy}":'
            f" not one of the values accepted for Enum class: [{', '.join(_IDEMPOTENCY)}]"
        )
    return request


def _start_workflow(runtime: Runtime, ask: Request) -> Response:
    return as_text(runtime.engine.workflows.start(_start_request(ask)))


def _start_workflow_by_name(runtime: Runtime, ask: Request) -> Response:
    workflow_id = runtime.engine.workflows.start_by_name(
        ask["name"],
        ask.object(),
        version=ask.number("version"),
        correlation_id=ask.text("correlationId"),
        priority=ask.number_or("priority", 0),
    )
    return as_text(workflow_id)


async def _execute_workflow(runtime: Runtime, ask: Request) -> Response:
    version = ask.segment_number("version")
    strategy = checked_strategy(ask)
    seconds = ask.number_or("waitForSeconds", _DEFAULT_WAIT) or _DEFAULT_WAIT
    request = _start_request(ask)
    request |= {"name": ask["name"], "version": version or None}
    if request.get("workflowDef") is not None:  # an execution that brings its definition says so in its input
        given = request.get("input", {})
        if given is None:
            raise Refused('Cannot invoke "java.util.Map.containsKey(Object)" because "workflowInput" is null')
        request["input"] = {**given, "_systemMetadata": {"dynamic": True}}
    workflow_id = runtime.engine.workflows.start(request)
    run = await wait_for_run(
        runtime,
        workflow_id,
        seconds,
        references=[each.strip() for each in ask.texts("waitUntilTaskRef") if each.strip()],
        strategy=strategy,
        request_id=ask.text("requestId") or str(uuid.uuid4()),
    )
    return as_json(run)


def _test_workflow(runtime: Runtime, ask: Request) -> Response:
    return as_json(runtime.engine.workflows.test(ask.object(_TEST)))


def _send_message(runtime: Runtime, ask: Request) -> Response:
    return as_text(runtime.engine.workflows.send_message(ask["workflow_id"], ask.object()))


# -- look ----------------------------------------------------------------------------------------------


def _get_workflow(runtime: Runtime, ask: Request) -> Response:
    return as_json(runtime.engine.workflows.get(ask["workflow_id"], ask.flag("includeTasks", True)))


def _get_workflow_status(runtime: Runtime, ask: Request) -> Response:
    state = runtime.engine.workflows.get_status(
        ask["workflow_id"], ask.flag("includeOutput"), ask.flag("includeVariables")
    )
    return as_json(state)


def _get_workflow_tasks(runtime: Runtime, ask: Request) -> Response:
    tasks = runtime.engine.workflows.get_tasks(
        ask["workflow_id"],
        start=ask.number_or("start", 0),
        count=ask.number_or("count", 15),
        status=ask.texts("status"),
    )
    return as_json(tasks)


def _get_running_workflows(runtime: Runtime, ask: Request) -> Response:
    ids = runtime.engine.workflows.get_running(
        ask["name"],
        version=ask.number_or("version", 1),
        start_time=ask.number("startTime", "java.lang.Long"),
        end_time=ask.number("endTime", "java.lang.Long"),
    )
    return as_json(ids)


def _get_by_correlation_id(runtime: Runtime, ask: Request) -> Response:
    found = runtime.engine.workflows.get_by_correlation_id(
        ask["name"],
        ask["correlation_id"],
        include_closed=ask.flag("includeClosed"),
        include_tasks=ask.flag("includeTasks"),
    )
    return as_json(found)


def _get_by_correlation_ids(runtime: Runtime, ask: Request) -> Response:
    found = runtime.engine.workflows.get_by_correlation_ids(
        ask["name"], ask.strings(), include_closed=ask.flag("includeClosed"), include_tasks=ask.flag("includeTasks")
    )
    return as_json(found)


# -- control -------------------------------------------------------------------------------------------


def _decide(runtime: Runtime, ask: Request) -> Response:
    runtime.engine.workflows.decide(ask["workflow_id"])
    return NOTHING


def _pause_workflow(runtime: Runtime, ask: Request) -> Response:
    runtime.engine.workflows.pause(ask["workflow_id"])
    return NOTHING


def _resume_workflow(runtime: Runtime, ask: Request) -> Response:
    runtime.engine.workflows.resume(ask["workflow_id"])
    return NOTHING


def _skip_task(runtime: Runtime, ask: Request) -> Response:
    # From the query, where each value is a string. The server does not read the body.
    runtime.engine.workflows.skip_task(
        ask["workflow_id"],
        ask["reference_name"],
        task_input=_map_in_query(ask, "taskInput"),
        task_output=_map_in_query(ask, "taskOutput"),
    )
    return NOTHING


def _map_in_query(ask: Request, name: str) -> dict[str, Any] | None:
    pattern = re.compile(rf"{name}\[(.*)\]")
    found = {match[1]: ",".join(values) for key, values in ask.parameters.items() if (match := pattern.fullmatch(key))}
    return found or None


def _rerun_workflow(runtime: Runtime, ask: Request) -> Response:
    return as_text(runtime.engine.workflows.rerun(ask["workflow_id"], ask.object(_RERUN)))


def _restart_workflow(runtime: Runtime, ask: Request) -> Response:
    runtime.engine.workflows.restart(ask["workflow_id"], ask.flag("useLatestDefinitions"))
    return NO_CONTENT


def _retry_workflow(runtime: Runtime, ask: Request) -> Response:
    runtime.engine.workflows.retry(ask["workflow_id"], ask.flag("resumeSubworkflowTasks"))
    return NO_CONTENT


def _reset_callbacks(runtime: Runtime, ask: Request) -> Response:
    runtime.engine.workflows.reset_callbacks(ask["workflow_id"])
    return NO_CONTENT


def _terminate_workflow(runtime: Runtime, ask: Request) -> Response:
    runtime.engine.workflows.terminate(ask["workflow_id"], ask.text("reason"))
    return NOTHING


def _remove_workflow(runtime: Runtime, ask: Request) -> Response:
    runtime.engine.workflows.remove(ask["workflow_id"], ask.flag("archiveWorkflow", True))
    return NOTHING


def _terminate_remove_workflow(runtime: Runtime, ask: Request) -> Response:
    runtime.engine.workflows.terminate_remove(ask["workflow_id"], ask.text("reason"), ask.flag("archiveWorkflow", True))
    return NOTHING


# -- search --------------------------------------------------------------------------------------------


class Search(TypedDict):
    """What every search takes."""

    start: int
    size: int
    sort: str | None
    free_text: str
    query: str | None


def search_parameters(ask: Request) -> Search:
    """What a search was asked for."""
    return Search(
        start=ask.number_or("start", 0),
        size=ask.number_or("size", 100),
        sort=ask.text("sort") or None,
        free_text=ask.text("freeText") or "*",
        query=ask.text("query") or None,
    )


def _search_workflows(runtime: Runtime, ask: Request) -> Response:
    found = runtime.engine.search.workflows(
        **search_parameters(ask), classifier=ask.text("classifier"), top_level_only=ask.flag("topLevelOnly")
    )
    return as_json(found)


def _search_workflows_v2(runtime: Runtime, ask: Request) -> Response:
    found = runtime.engine.search.workflows_v2(
        **search_parameters(ask), classifier=ask.text("classifier"), top_level_only=ask.flag("topLevelOnly")
    )
    return as_json(found)


def _search_by_tasks(runtime: Runtime, ask: Request) -> Response:
    return as_json(runtime.engine.search.by_tasks(**search_parameters(ask)))


def _search_by_tasks_v2(runtime: Runtime, ask: Request) -> Response:
    return as_json(runtime.engine.search.by_tasks_v2(**search_parameters(ask)))


def get_external_storage_location(runtime: Runtime, ask: Request) -> Response:
    """Where a payload that is kept outside would be; tasks have the same endpoint."""
    location = runtime.engine.tasks.get_external_storage_location(
        ask.required("path"), ask.required("operation"), ask.required("payloadType")
    )
    return as_json(location)


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

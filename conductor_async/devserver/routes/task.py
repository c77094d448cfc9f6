"""Tasks: `/tasks`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.devserver.long_polling import MAX_POLL_SECONDS, poll, return_strategy, wait_for_run
from conductor_async.devserver.response import EMPTY, NO_CONTENT, Response, json_response, text_response
from conductor_async.devserver.routes._search import search_parameters
from conductor_async.devserver.routes.workflow import get_external_storage_location
from conductor_async.devserver.routing import Route
from conductor_async.engine.errors import Invalid, NotFound, Refused
from conductor_async.models import TaskResultStatus

if TYPE_CHECKING:
    from conductor_async.devserver.request import Request
    from conductor_async.devserver.runtime import Runtime

__all__ = ["ROUTES"]

_TASK_RESULT = "com.netflix.conductor.common.metadata.tasks.TaskResult"
_STATUS = f"{_TASK_RESULT}$Status"
_SINGLE_POLL = 0.1
_STATUSES = tuple(status.value for status in TaskResultStatus)


async def _poll_task(runtime: Runtime, request: Request) -> Response:
    tasks = await poll(runtime, request["task_type"], request.text("workerid"), request.text("domain"), 1, _SINGLE_POLL)
    return json_response(tasks[0]) if tasks else NO_CONTENT


async def _batch_poll_tasks(runtime: Runtime, request: Request) -> Response:
    count, timeout = request.number_or("count", 1), request.number_or("timeout", 100)
    if timeout > MAX_POLL_SECONDS * 1000:
        raise Invalid("Long Poll Timeout value cannot be more than 5 seconds")
    seconds = timeout / 1000
    return json_response(
        await poll(runtime, request["task_type"], request.text("workerid"), request.text("domain"), count, seconds)
    )


def _status(request: Request) -> str:
    return request.choice("status", request["status"], _STATUS, _STATUSES)


def _update_task_v2(runtime: Runtime, request: Request) -> Response:
    result = request.json_object(_TASK_RESULT)
    for name in ("workflowInstanceId", "taskId"):
        if not result.get(name):  # unlike POST /tasks, the server rejects this
            raise Refused(f"Validation failed for argument [0]: Field error in object 'taskResult' on field '{name}'")
    task = runtime.engine.tasks.update_v2(result)
    return json_response(task) if task is not None else NO_CONTENT


def _update_task_by_ref_name(runtime: Runtime, request: Request) -> Response:
    task_id = runtime.engine.tasks.update_by_ref_name(
        request["workflow_id"],
        request["reference_name"],
        _status(request),
        request.json_object(),
        request.text("workerid"),
    )
    return EMPTY if task_id is None else text_response(task_id)


def _signal_workflow_task(runtime: Runtime, request: Request) -> Response:
    runtime.engine.tasks.signal(request["workflow_id"], _status(request), request.json_object())
    return EMPTY


async def _signal_workflow_task_sync(runtime: Runtime, request: Request) -> Response:
    workflow_id, strategy = request["workflow_id"], return_strategy(request)
    seconds = request.number_or("timeoutMillis", 5000) / 1000
    if runtime.engine.tasks.signal(workflow_id, _status(request), request.json_object()) is None:
        raise NotFound(f"Found no blocked task in workflow {workflow_id} to signal")
    return json_response(await wait_for_run(runtime, workflow_id, seconds, strategy=strategy))


def _get_task_logs(runtime: Runtime, request: Request) -> Response:
    logs = runtime.engine.tasks.get_logs(request["task_id"])
    return json_response(logs) if logs else NO_CONTENT


def _get_queue_sizes(runtime: Runtime, request: Request) -> Response:
    task_types = request.texts("taskType")
    if not task_types:
        raise Refused('Cannot invoke "java.util.List.stream()" because "taskTypes" is null')
    return json_response(runtime.engine.tasks.get_queue_sizes(task_types))


ROUTES = (
    Route("GET", "/tasks/poll/{task_type}", _poll_task),
    Route("GET", "/tasks/poll/batch/{task_type}", _batch_poll_tasks),
    Route(
        "POST",
        "/tasks",
        lambda runtime, request: text_response(runtime.engine.tasks.update(request.json_object(_TASK_RESULT))),
    ),
    Route("POST", "/tasks/update-v2", _update_task_v2),
    Route("POST", "/tasks/{workflow_id}/{status}/signal", _signal_workflow_task),
    Route("POST", "/tasks/{workflow_id}/{status}/signal/sync", _signal_workflow_task_sync),
    Route("POST", "/tasks/{workflow_id}/{reference_name}/{status}", _update_task_by_ref_name),
    Route(
        "POST",
        "/tasks/{workflow_id}/{reference_name}/{status}/sync",
        lambda runtime, request: runtime.engine.tasks.update_sync(
            request["workflow_id"],
            request["reference_name"],
            _status(request),
            request.json_object(),
            request.text("workerid"),
        ),
    ),
    Route("GET", "/tasks/{task_id}", lambda runtime, request: runtime.engine.tasks.get(request["task_id"])),
    Route(
        "POST",
        "/tasks/{task_id}/log",
        lambda runtime, request: runtime.engine.tasks.add_log(request["task_id"], request.body_text()),
    ),
    Route("GET", "/tasks/{task_id}/log", _get_task_logs),
    Route("GET", "/tasks/search", lambda runtime, request: runtime.engine.search.tasks(**search_parameters(request))),
    Route(
        "GET", "/tasks/search-v2", lambda runtime, request: runtime.engine.search.tasks_v2(**search_parameters(request))
    ),
    Route("GET", "/tasks/externalstoragelocation", get_external_storage_location),
    Route("GET", "/tasks/external-storage-location", get_external_storage_location),
    Route(
        "GET",
        "/tasks/queue/size",
        lambda runtime, request: runtime.engine.tasks.get_queue_size(
            request.required("taskType"), request.text("domain")
        ),
    ),
    Route("GET", "/tasks/queue/sizes", _get_queue_sizes),
    Route("GET", "/tasks/queue/all", lambda runtime, request: runtime.engine.tasks.get_all_queue_sizes()),
    Route("GET", "/tasks/queue/all/verbose", lambda runtime, request: runtime.engine.tasks.get_all_queue_details()),
    Route(
        "GET",
        "/tasks/queue/polldata",
        lambda runtime, request: runtime.engine.tasks.get_poll_data(request.required("taskType")),
    ),
    Route("GET", "/tasks/queue/polldata/all", lambda runtime, request: runtime.engine.tasks.get_all_poll_data()),
    Route(
        "POST",
        "/tasks/queue/requeue/{task_type}",
        lambda runtime, request: text_response(str(runtime.engine.tasks.requeue_pending(request["task_type"]))),
    ),
)

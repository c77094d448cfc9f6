"""Tasks: `/tasks`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.devserver.exchange import NO_CONTENT, NOTHING, Request, Response, as_json, as_text
from conductor_async.devserver.routes.workflow import get_external_storage_location, search_parameters
from conductor_async.devserver.routing import Route
from conductor_async.devserver.waiting import LONGEST_POLL, checked_strategy, poll, wait_for_run
from conductor_async.engine.errors import Invalid, NotFound, Refused
from conductor_async.models import TaskResultStatus

if TYPE_CHECKING:
    from conductor_async.devserver.runtime import Runtime
    from conductor_async.models import JsonObject

_TASK_RESULT = "com.netflix.conductor.common.metadata.tasks.TaskResult"
_STATUS = f"{_TASK_RESULT}$Status"
_SINGLE_POLL = 0.1
_STATUSES = frozenset(status.value for status in TaskResultStatus)

# -- poll ----------------------------------------------------------------------------------------------


async def _poll_task(runtime: Runtime, ask: Request) -> Response:
    tasks = await poll(runtime, ask["task_type"], ask.text("workerid"), ask.text("domain"), 1, _SINGLE_POLL)
    return as_json(tasks[0]) if tasks else NO_CONTENT


async def _batch_poll_tasks(runtime: Runtime, ask: Request) -> Response:
    count, timeout = ask.number_or("count", 1), ask.number_or("timeout", 100)
    if timeout > LONGEST_POLL * 1000:
        raise Invalid("Long Poll Timeout value cannot be more than 5 seconds")
    seconds = timeout / 1000
    return as_json(await poll(runtime, ask["task_type"], ask.text("workerid"), ask.text("domain"), count, seconds))


# -- results -------------------------------------------------------------------------------------------


def _task_result(ask: Request) -> JsonObject:
    result = ask.object(_TASK_RESULT)
    status = result.get("status")
    if status is not None and status not in _STATUSES:
        raise Refused(
            f'JSON parse error: Cannot deserialize value of type `{_STATUS}` from String "{status}":'
            f" not one of the values accepted for Enum class: [{', '.join(TaskResultStatus)}]"
        )
    return result


def _status(ask: Request) -> str:
    status = ask["status"]
    if status not in _STATUSES:
        raise Refused(
            "Method parameter 'status': Failed to convert value of type 'java.lang.String' to required type"
            f" '{_STATUS}'; Failed to convert from type [java.lang.String] to type [{_STATUS}] for value [{status}]"
        )
    return status


def _update_task(runtime: Runtime, ask: Request) -> Response:
    return as_text(runtime.engine.tasks.update(_task_result(ask)))


def _update_task_v2(runtime: Runtime, ask: Request) -> Response:
    result = _task_result(ask)
    for name in ("workflowInstanceId", "taskId"):
        if not result.get(name):  # here, unlike POST /tasks, the server falls over it
            raise Refused(f"Validation failed for argument [0]: Field error in object 'taskResult' on field '{name}'")
    task = runtime.engine.tasks.update_v2(result)
    return as_json(task) if task is not None else NO_CONTENT


def _update_task_by_ref_name(runtime: Runtime, ask: Request) -> Response:
    task_id = runtime.engine.tasks.update_by_ref_name(
        ask["workflow_id"], ask["reference_name"], _status(ask), ask.object(), ask.text("workerid")
    )
    return NOTHING if task_id is None else as_text(task_id)


def _update_task_sync(runtime: Runtime, ask: Request) -> Response:
    workflow = runtime.engine.tasks.update_sync(
        ask["workflow_id"], ask["reference_name"], _status(ask), ask.object(), ask.text("workerid")
    )
    return as_json(workflow)


def _signal_workflow_task(runtime: Runtime, ask: Request) -> Response:
    runtime.engine.tasks.signal(ask["workflow_id"], _status(ask), ask.object())
    return NOTHING


async def _signal_workflow_task_sync(runtime: Runtime, ask: Request) -> Response:
    workflow_id, strategy = ask["workflow_id"], checked_strategy(ask)
    seconds = ask.number_or("timeoutMillis", 5000) / 1000
    if runtime.engine.tasks.signal(workflow_id, _status(ask), ask.object()) is None:
        raise NotFound(f"Found no blocked task in workflow {workflow_id} to signal")
    return as_json(await wait_for_run(runtime, workflow_id, seconds, strategy=strategy))


# -- look ----------------------------------------------------------------------------------------------


def _get_task(runtime: Runtime, ask: Request) -> Response:
    return as_json(runtime.engine.tasks.get(ask["task_id"]))


def _add_task_log(runtime: Runtime, ask: Request) -> Response:
    runtime.engine.tasks.add_log(ask["task_id"], ask.raw_text())
    return NOTHING


def _get_task_logs(runtime: Runtime, ask: Request) -> Response:
    logs = runtime.engine.tasks.get_logs(ask["task_id"])
    return as_json(logs) if logs else NO_CONTENT


def _search_tasks(runtime: Runtime, ask: Request) -> Response:
    return as_json(runtime.engine.search.tasks(**search_parameters(ask)))


def _search_tasks_v2(runtime: Runtime, ask: Request) -> Response:
    return as_json(runtime.engine.search.tasks_v2(**search_parameters(ask)))


# -- queues --------------------------------------------------------------------------------------------


def _get_queue_size(runtime: Runtime, ask: Request) -> Response:
    return as_json(runtime.engine.tasks.get_queue_size(ask.required("taskType"), ask.text("domain")))


def _get_queue_sizes(runtime: Runtime, ask: Request) -> Response:
    task_types = ask.texts("taskType")
    if not task_types:
        raise Refused('Cannot invoke "java.util.List.stream()" because "taskTypes" is null')
    return as_json(runtime.engine.tasks.get_queue_sizes(task_types))


def _get_all_queue_sizes(runtime: Runtime, _: Request) -> Response:
    return as_json(runtime.engine.tasks.get_all_queue_sizes())


def _get_all_queue_details(runtime: Runtime, _: Request) -> Response:
    return as_json(runtime.engine.tasks.get_all_queue_details())


def _get_poll_data(runtime: Runtime, ask: Request) -> Response:
    return as_json(runtime.engine.tasks.get_poll_data(ask.required("taskType")))


def _get_all_poll_data(runtime: Runtime, _: Request) -> Response:
    return as_json(runtime.engine.tasks.get_all_poll_data())


def _requeue_pending_tasks(runtime: Runtime, ask: Request) -> Response:
    return as_text(str(runtime.engine.tasks.requeue_pending(ask["task_type"])))


ROUTES = (
    Route("GET", "/tasks/poll/{task_type}", _poll_task),
    Route("GET", "/tasks/poll/batch/{task_type}", _batch_poll_tasks),
    Route("POST", "/tasks", _update_task),
    Route("POST", "/tasks/update-v2", _update_task_v2),
    Route("POST", "/tasks/{workflow_id}/{status}/signal", _signal_workflow_task),
    Route("POST", "/tasks/{workflow_id}/{status}/signal/sync", _signal_workflow_task_sync),
    Route("POST", "/tasks/{workflow_id}/{reference_name}/{status}", _update_task_by_ref_name),
    Route("POST", "/tasks/{workflow_id}/{reference_name}/{status}/sync", _update_task_sync),
    Route("GET", "/tasks/{task_id}", _get_task),
    Route("POST", "/tasks/{task_id}/log", _add_task_log),
    Route("GET", "/tasks/{task_id}/log", _get_task_logs),
    Route("GET", "/tasks/search", _search_tasks),
    Route("GET", "/tasks/search-v2", _search_tasks_v2),
    Route("GET", "/tasks/externalstoragelocation", get_external_storage_location),
    Route("GET", "/tasks/external-storage-location", get_external_storage_location),
    Route("GET", "/tasks/queue/size", _get_queue_size),
    Route("GET", "/tasks/queue/sizes", _get_queue_sizes),
    Route("GET", "/tasks/queue/all", _get_all_queue_sizes),
    Route("GET", "/tasks/queue/all/verbose", _get_all_queue_details),
    Route("GET", "/tasks/queue/polldata", _get_poll_data),
    Route("GET", "/tasks/queue/polldata/all", _get_all_poll_data),
    Route("POST", "/tasks/queue/requeue/{task_type}", _requeue_pending_tasks),
)

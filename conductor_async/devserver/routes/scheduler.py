"""Schedules: `/scheduler`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.devserver.response import EMPTY, Response, json_response
from conductor_async.devserver.routes._search import search_parameters
from conductor_async.devserver.routing import Route

if TYPE_CHECKING:
    from conductor_async.devserver.request import Request
    from conductor_async.devserver.runtime import Runtime

_SCHEDULE = "org.conductoross.conductor.model.WorkflowSchedule"


def _save_schedule(runtime: Runtime, request: Request) -> Response:
    return json_response(runtime.engine.schedules.save(request.json_object(_SCHEDULE)))


def _get_all_schedules(runtime: Runtime, request: Request) -> Response:
    return json_response(runtime.engine.schedules.get_all(request.text("workflowName")))


def _search_schedules(runtime: Runtime, request: Request) -> Response:
    found = runtime.engine.schedules.search(
        workflow_name=request.text("workflowName"),
        schedule_name=request.text("scheduleName"),
        paused=request.flag("paused") if request.text("paused") else None,
        free_text=request.text("freeText") or "*",
        start=request.number_or("start", 0),
        size=request.number_or("size", 100),
        sort=request.text("sort") or None,
    )
    return json_response(found)


def _get_schedule(runtime: Runtime, request: Request) -> Response:
    return json_response(runtime.engine.schedules.get(request["name"]))


def _delete_schedule(runtime: Runtime, request: Request) -> Response:
    runtime.engine.schedules.delete(request["name"])
    return EMPTY


def _pause_schedule(runtime: Runtime, request: Request) -> Response:
    runtime.engine.schedules.pause(request["name"], request.text("reason"))
    return EMPTY


def _resume_schedule(runtime: Runtime, request: Request) -> Response:
    runtime.engine.schedules.resume(request["name"])
    return EMPTY


def _get_next_few_schedules(runtime: Runtime, request: Request) -> Response:
    times = runtime.engine.schedules.get_next_few(
        request.required("cronExpression"),
        schedule_start_time=request.number("scheduleStartTime", "java.lang.Long"),
        schedule_end_time=request.number("scheduleEndTime", "java.lang.Long"),
        limit=request.number_or("limit", 5),
    )
    return json_response(times)


def _search_executions(runtime: Runtime, request: Request) -> Response:
    return json_response(runtime.engine.schedules.search_executions(**search_parameters(request)))


def _pause_all(runtime: Runtime, _: Request) -> Response:
    return json_response(runtime.engine.schedules.pause_all())


def _resume_all(runtime: Runtime, _: Request) -> Response:
    return json_response(runtime.engine.schedules.resume_all())


def _requeue_all(runtime: Runtime, _: Request) -> Response:
    return json_response(runtime.engine.schedules.requeue_all_execution_records())


def _bulk_pause(runtime: Runtime, request: Request) -> Response:
    return json_response(runtime.engine.schedules.bulk_pause(request.json_strings()))


def _bulk_resume(runtime: Runtime, request: Request) -> Response:
    return json_response(runtime.engine.schedules.bulk_resume(request.json_strings()))


ROUTES = (
    Route("POST", "/scheduler/schedules", _save_schedule),
    Route("GET", "/scheduler/schedules", _get_all_schedules),
    Route("GET", "/scheduler/schedules/search", _search_schedules),
    Route("GET", "/scheduler/schedules/{name}", _get_schedule),
    Route("DELETE", "/scheduler/schedules/{name}", _delete_schedule),
    Route("PUT", "/scheduler/schedules/{name}/pause", _pause_schedule),
    Route("PUT", "/scheduler/schedules/{name}/resume", _resume_schedule),
    Route("GET", "/scheduler/nextFewSchedules", _get_next_few_schedules),
    Route("GET", "/scheduler/search/executions", _search_executions),
    Route("GET", "/scheduler/admin/pause", _pause_all),
    Route("GET", "/scheduler/admin/resume", _resume_all),
    Route("GET", "/scheduler/admin/requeue", _requeue_all),
    Route("PUT", "/scheduler/bulk/pause", _bulk_pause),
    Route("PUT", "/scheduler/bulk/resume", _bulk_resume),
)

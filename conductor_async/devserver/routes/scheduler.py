"""Schedules: `/scheduler`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.devserver.exchange import NOTHING, Request, Response, as_json
from conductor_async.devserver.routes.workflow import search_parameters
from conductor_async.devserver.routing import Route

if TYPE_CHECKING:
    from conductor_async.devserver.runtime import Runtime

_SCHEDULE = "org.conductoross.conductor.model.WorkflowSchedule"


def _save_schedule(runtime: Runtime, ask: Request) -> Response:
    return as_json(runtime.engine.schedules.save(ask.object(_SCHEDULE)))


def _get_all_schedules(runtime: Runtime, ask: Request) -> Response:
    return as_json(runtime.engine.schedules.get_all(ask.text("workflowName")))


def _search_schedules(runtime: Runtime, ask: Request) -> Response:
    found = runtime.engine.schedules.search(
        workflow_name=ask.text("workflowName"),
        schedule_name=ask.text("scheduleName"),
        paused=ask.flag("paused") if ask.text("paused") else None,
        free_text=ask.text("freeText") or "*",
        start=ask.number_or("start", 0),
        size=ask.number_or("size", 100),
        sort=ask.text("sort") or None,
    )
    return as_json(found)


def _get_schedule(runtime: Runtime, ask: Request) -> Response:
    return as_json(runtime.engine.schedules.get(ask["name"]))


def _delete_schedule(runtime: Runtime, ask: Request) -> Response:
    runtime.engine.schedules.delete(ask["name"])
    return NOTHING


def _pause_schedule(runtime: Runtime, ask: Request) -> Response:
    runtime.engine.schedules.pause(ask["name"], ask.text("reason"))
    return NOTHING


def _resume_schedule(runtime: Runtime, ask: Request) -> Response:
    runtime.engine.schedules.resume(ask["name"])
    return NOTHING


def _get_next_few_schedules(runtime: Runtime, ask: Request) -> Response:
    times = runtime.engine.schedules.get_next_few(
        ask.required("cronExpression"),
        schedule_start_time=ask.number("scheduleStartTime", "java.lang.Long"),
        schedule_end_time=ask.number("scheduleEndTime", "java.lang.Long"),
        limit=ask.number_or("limit", 5),
    )
    return as_json(times)


def _search_executions(runtime: Runtime, ask: Request) -> Response:
    return as_json(runtime.engine.schedules.search_executions(**search_parameters(ask)))


def _pause_all(runtime: Runtime, _: Request) -> Response:
    return as_json(runtime.engine.schedules.pause_all())


def _resume_all(runtime: Runtime, _: Request) -> Response:
    return as_json(runtime.engine.schedules.resume_all())


def _requeue_all(runtime: Runtime, _: Request) -> Response:
    return as_json(runtime.engine.schedules.requeue_all_execution_records())


def _bulk_pause(runtime: Runtime, ask: Request) -> Response:
    return as_json(runtime.engine.schedules.bulk_pause(ask.strings()))


def _bulk_resume(runtime: Runtime, ask: Request) -> Response:
    return as_json(runtime.engine.schedules.bulk_resume(ask.strings()))


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

"""Schedules: `/scheduler`."""

from __future__ import annotations

from conductor_async.devserver.routes._search import search_parameters
from conductor_async.devserver.routing import Route

__all__ = ["ROUTES"]

_SCHEDULE = "org.conductoross.conductor.model.WorkflowSchedule"

ROUTES = (
    Route(
        "POST",
        "/scheduler/schedules",
        lambda runtime, request: runtime.engine.schedules.save(request.json_object(_SCHEDULE)),
    ),
    Route(
        "GET",
        "/scheduler/schedules",
        lambda runtime, request: runtime.engine.schedules.get_all(request.text("workflowName")),
    ),
    Route(
        "GET",
        "/scheduler/schedules/search",
        lambda runtime, request: runtime.engine.schedules.search(
            workflow_name=request.text("workflowName"),
            schedule_name=request.text("scheduleName"),
            paused=request.flag("paused") if request.text("paused") else None,
            free_text=request.text("freeText") or "*",
            start=request.number_or("start", 0),
            size=request.number_or("size", 100),
            sort=request.text("sort") or None,
        ),
    ),
    Route("GET", "/scheduler/schedules/{name}", lambda runtime, request: runtime.engine.schedules.get(request["name"])),
    Route(
        "DELETE",
        "/scheduler/schedules/{name}",
        lambda runtime, request: runtime.engine.schedules.delete(request["name"]),
    ),
    Route(
        "PUT",
        "/scheduler/schedules/{name}/pause",
        lambda runtime, request: runtime.engine.schedules.pause(request["name"], request.text("reason")),
    ),
    Route(
        "PUT",
        "/scheduler/schedules/{name}/resume",
        lambda runtime, request: runtime.engine.schedules.resume(request["name"]),
    ),
    Route(
        "GET",
        "/scheduler/nextFewSchedules",
        lambda runtime, request: runtime.engine.schedules.get_next_few(
            request.required("cronExpression"),
            schedule_start_time=request.number("scheduleStartTime", "java.lang.Long"),
            schedule_end_time=request.number("scheduleEndTime", "java.lang.Long"),
            limit=request.number_or("limit", 5),
        ),
    ),
    Route(
        "GET",
        "/scheduler/search/executions",
        lambda runtime, request: runtime.engine.schedules.search_executions(**search_parameters(request)),
    ),
    Route("GET", "/scheduler/admin/pause", lambda runtime, request: runtime.engine.schedules.pause_all()),
    Route("GET", "/scheduler/admin/resume", lambda runtime, request: runtime.engine.schedules.resume_all()),
    Route(
        "GET",
        "/scheduler/admin/requeue",
        lambda runtime, request: runtime.engine.schedules.requeue_all_execution_records(),
    ),
    Route(
        "PUT",
        "/scheduler/bulk/pause",
        lambda runtime, request: runtime.engine.schedules.bulk_pause(request.json_strings()),
    ),
    Route(
        "PUT",
        "/scheduler/bulk/resume",
        lambda runtime, request: runtime.engine.schedules.bulk_resume(request.json_strings()),
    ),
)

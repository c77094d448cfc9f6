"""Administration: `/admin`, and what tells which server this is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async._version import __version__
from conductor_async.devserver.exchange import Request, Response, as_json, as_text
from conductor_async.devserver.routing import Route
from conductor_async.engine.errors import NotFound, Refused

if TYPE_CHECKING:
    from conductor_async.devserver.runtime import Runtime

LIKE_SERVER = "3.32.1"
"""The version of the real server that this one behaves like."""


def _version(_: Runtime, __: Request) -> Response:
    return as_text(LIKE_SERVER)


def _config(_: Runtime, __: Request) -> Response:
    # The real one dumps its settings. A client can tell by this that it talks to no real server.
    return as_json({"conductor_async.embedded": "true", "conductor_async.version": __version__})


def _queues(_: Runtime, __: Request) -> Response:
    return as_json({})


def _tasks(runtime: Runtime, ask: Request) -> Response:
    start, count = ask.number_or("start", 0), ask.number_or("count", 100)
    found = runtime.engine.search.tasks_v2(
        query=f"taskType={ask['task_type']} AND status IN (SCHEDULED,IN_PROGRESS)", start=start, size=count
    )
    return as_json(found["results"])


def _requeue(runtime: Runtime, ask: Request) -> Response:
    workflow_id = ask["workflow_id"]
    try:
        runtime.engine.workflows.decide(workflow_id)
    except NotFound:
        return as_text(f"false.{workflow_id}")
    return as_text(f"true.{workflow_id}")


def _verify_and_repair(_: Runtime, __: Request) -> Response:
    raise Refused("WorkflowRepairService is disabled.")


ROUTES = (
    Route("GET", "/version", _version),
    Route("GET", "/admin/config", _config),
    Route("GET", "/admin/queues", _queues),
    Route("GET", "/admin/task/{task_type}", _tasks),
    Route("POST", "/admin/sweep/requeue/{workflow_id}", _requeue),
    Route("POST", "/admin/consistency/verifyAndRepair/{workflow_id}", _verify_and_repair),
)

"""Administration: `/admin` and `/version`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async._version import __version__
from conductor_async.devserver.response import Response, json_response, text_response
from conductor_async.devserver.routing import Route
from conductor_async.engine.errors import NotFound, Refused

if TYPE_CHECKING:
    from conductor_async.devserver.request import Request
    from conductor_async.devserver.runtime import Runtime

__all__ = ["ROUTES"]

SERVER_VERSION = "3.32.3"
"""The version of the real server that this one imitates."""


def _version(_: Runtime, __: Request) -> Response:
    return text_response(SERVER_VERSION)


def _config(_: Runtime, __: Request) -> Response:
    # The real server returns its settings. A client can tell by these that this is not a real server.
    return json_response({"conductor_async.embedded": "true", "conductor_async.version": __version__})


def _tasks(runtime: Runtime, request: Request) -> Response:
    start, count = request.number_or("start", 0), request.number_or("count", 100)
    found = runtime.engine.search.tasks_v2(
        query=f"taskType={request['task_type']} AND status IN (SCHEDULED,IN_PROGRESS)", start=start, size=count
    )
    return json_response(found["results"])


def _requeue(runtime: Runtime, request: Request) -> Response:
    workflow_id = request["workflow_id"]
    try:
        runtime.engine.workflows.decide(workflow_id)
    except NotFound:
        return text_response(f"false.{workflow_id}")
    return text_response(f"true.{workflow_id}")


def _verify_and_repair(_: Runtime, __: Request) -> Response:
    raise Refused("WorkflowRepairService is disabled.")


ROUTES = (
    Route("GET", "/version", _version),
    Route("GET", "/admin/config", _config),
    Route("GET", "/admin/queues", lambda runtime, request: {}),
    Route("GET", "/admin/task/{task_type}", _tasks),
    Route("POST", "/admin/sweep/requeue/{workflow_id}", _requeue),
    Route("POST", "/admin/consistency/verifyAndRepair/{workflow_id}", _verify_and_repair),
)

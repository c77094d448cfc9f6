"""Event queues: `/queue`. As on the real server by default, there are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.devserver.response import Response, json_response
from conductor_async.devserver.routing import Route
from conductor_async.engine.errors import Invalid

if TYPE_CHECKING:
    from conductor_async.devserver.request import Request
    from conductor_async.devserver.runtime import Runtime

__all__ = ["ROUTES"]


def _get_queues(_: Runtime, __: Request) -> Response:
    return json_response({})


def _update(_: Runtime, request: Request) -> Response:
    raise Invalid(f"There is no queue for handling {request['status']} status")


ROUTES = (
    Route("GET", "/queue/", _get_queues),
    Route("GET", "/queue/size", _get_queues),
    Route("POST", "/queue/update/{workflow_id}/{reference_name}/{status}", _update),
    Route("POST", "/queue/update/{workflow_id}/task/{task_id}/{status}", _update),
)

"""Queues of events: `/queue`. There are none by default, on the real server either."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.devserver.exchange import Request, Response, as_json
from conductor_async.devserver.routing import Route
from conductor_async.engine.errors import Invalid

if TYPE_CHECKING:
    from conductor_async.devserver.runtime import Runtime


def _get_queues(_: Runtime, __: Request) -> Response:
    return as_json({})


def _update(_: Runtime, ask: Request) -> Response:
    raise Invalid(f"There is no queue for handling {ask['status']} status")


ROUTES = (
    Route("GET", "/queue/", _get_queues),
    Route("GET", "/queue/size", _get_queues),
    Route("POST", "/queue/update/{workflow_id}/{reference_name}/{status}", _update),
    Route("POST", "/queue/update/{workflow_id}/task/{task_id}/{status}", _update),
)

"""Environment values: `/environment`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.devserver.response import EMPTY, Response, json_response, text_response
from conductor_async.devserver.routing import Route

if TYPE_CHECKING:
    from conductor_async.devserver.request import Request
    from conductor_async.devserver.runtime import Runtime


def _get_all(runtime: Runtime, _: Request) -> Response:
    return json_response(runtime.engine.environment.get_all())


def _get(runtime: Runtime, request: Request) -> Response:
    value = runtime.engine.environment.get(request["key"])
    return EMPTY if value is None else text_response(value)


ROUTES = (
    Route("GET", "/environment", _get_all),
    Route("GET", "/environment/{key}", _get),
)

"""Environment values: `/environment`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.devserver.response import EMPTY, Response, text_response
from conductor_async.devserver.routing import Route

if TYPE_CHECKING:
    from conductor_async.devserver.request import Request
    from conductor_async.devserver.runtime import Runtime

__all__ = ["ROUTES"]


def _get(runtime: Runtime, request: Request) -> Response:
    value = runtime.engine.environment.get(request["key"])
    return EMPTY if value is None else text_response(value)


ROUTES = (
    Route("GET", "/environment", lambda runtime, request: runtime.engine.environment.get_all()),
    Route("GET", "/environment/{key}", _get),
)

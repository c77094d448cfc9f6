"""Event handlers: `/event`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.devserver.response import EMPTY, Response, json_response
from conductor_async.devserver.routing import Route

if TYPE_CHECKING:
    from conductor_async.devserver.request import Request
    from conductor_async.devserver.runtime import Runtime

_HANDLER = "com.netflix.conductor.common.metadata.events.EventHandler"


def _add(runtime: Runtime, request: Request) -> Response:
    runtime.engine.events.add_handler(request.json_object(_HANDLER))
    return EMPTY


def _update(runtime: Runtime, request: Request) -> Response:
    runtime.engine.events.update_handler(request.json_object(_HANDLER))
    return EMPTY


def _remove(runtime: Runtime, request: Request) -> Response:
    runtime.engine.events.remove_handler(request["name"])
    return EMPTY


def _get_all(runtime: Runtime, _: Request) -> Response:
    return json_response(runtime.engine.events.get_handlers(active_only=False))


def _get_for_event(runtime: Runtime, request: Request) -> Response:
    return json_response(runtime.engine.events.get_handlers(request["name"], request.flag("activeOnly", True)))


ROUTES = (
    Route("POST", "/event", _add),
    Route("PUT", "/event", _update),
    Route("GET", "/event", _get_all),
    Route("GET", "/event/{name}", _get_for_event),
    Route("DELETE", "/event/{name}", _remove),
)

"""Event handlers: `/event`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.devserver.exchange import NOTHING, Request, Response, as_json
from conductor_async.devserver.routing import Route

if TYPE_CHECKING:
    from conductor_async.devserver.runtime import Runtime

_HANDLER = "com.netflix.conductor.common.metadata.events.EventHandler"


def _add(runtime: Runtime, ask: Request) -> Response:
    runtime.engine.events.add_handler(ask.object(_HANDLER))
    return NOTHING


def _update(runtime: Runtime, ask: Request) -> Response:
    runtime.engine.events.update_handler(ask.object(_HANDLER))
    return NOTHING


def _remove(runtime: Runtime, ask: Request) -> Response:
    runtime.engine.events.remove_handler(ask["name"])
    return NOTHING


def _get_all(runtime: Runtime, _: Request) -> Response:
    return as_json(runtime.engine.events.get_handlers(active_only=False))


def _get_for_event(runtime: Runtime, ask: Request) -> Response:
    return as_json(runtime.engine.events.get_handlers(ask["name"], ask.flag("activeOnly", True)))


ROUTES = (
    Route("POST", "/event", _add),
    Route("PUT", "/event", _update),
    Route("GET", "/event", _get_all),
    Route("GET", "/event/{name}", _get_for_event),
    Route("DELETE", "/event/{name}", _remove),
)

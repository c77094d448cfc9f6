"""Event handlers: `/event`."""

from __future__ import annotations

from conductor_async.devserver.routing import Route

__all__ = ["ROUTES"]

_HANDLER = "com.netflix.conductor.common.metadata.events.EventHandler"

ROUTES = (
    Route("POST", "/event", lambda runtime, request: runtime.engine.events.add_handler(request.json_object(_HANDLER))),
    Route(
        "PUT", "/event", lambda runtime, request: runtime.engine.events.update_handler(request.json_object(_HANDLER))
    ),
    Route("GET", "/event", lambda runtime, request: runtime.engine.events.get_handlers(active_only=False)),
    Route(
        "GET",
        "/event/{name}",
        lambda runtime, request: runtime.engine.events.get_handlers(request["name"], request.flag("activeOnly", True)),
    ),
    Route("DELETE", "/event/{name}", lambda runtime, request: runtime.engine.events.remove_handler(request["name"])),
)

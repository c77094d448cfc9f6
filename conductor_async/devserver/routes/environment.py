"""Environment values: `/environment`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.devserver.exchange import NOTHING, Request, Response, as_json, as_text
from conductor_async.devserver.routing import Route

if TYPE_CHECKING:
    from conductor_async.devserver.runtime import Runtime


def _get_all(runtime: Runtime, _: Request) -> Response:
    return as_json(runtime.engine.environment.get_all())


def _get(runtime: Runtime, ask: Request) -> Response:
    value = runtime.engine.environment.get(ask["key"])
    return NOTHING if value is None else as_text(value)


ROUTES = (
    Route("GET", "/environment", _get_all),
    Route("GET", "/environment/{key}", _get),
)

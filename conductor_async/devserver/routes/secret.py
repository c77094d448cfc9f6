"""Secrets: `/secrets`. As on a server as it comes, they are given to the process: nobody can change them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.devserver.response import Response, json_response, text_response
from conductor_async.devserver.routing import Route

if TYPE_CHECKING:
    from conductor_async.devserver.request import Request
    from conductor_async.devserver.runtime import Runtime

__all__ = ["ROUTES"]

# The server labels both texts as JSON, which they are not.
_READ_ONLY = Response(501, b"env-backed secrets are read-only", "application/json")
_NO_VALUE = Response(400, b"value is required", "application/json")


def _names(runtime: Runtime, _: Request) -> Response:
    return json_response(runtime.engine.secrets.get_names())


def _descriptions(runtime: Runtime, _: Request) -> Response:
    return json_response([{"name": name} for name in runtime.engine.secrets.get_names()])


def _get(runtime: Runtime, request: Request) -> Response:
    value = runtime.engine.secrets.get(request["key"])
    return Response(404) if value is None else text_response(value)


def _exists(runtime: Runtime, request: Request) -> Response:
    return json_response(runtime.engine.secrets.get(request["key"]) is not None)


def _put(_: Runtime, request: Request) -> Response:
    return _READ_ONLY if request.body else _NO_VALUE


ROUTES = (
    Route("GET", "/secrets", _names),
    Route("POST", "/secrets", _names),
    Route("GET", "/secrets/v2", _descriptions),
    Route("GET", "/secrets/{key}", _get),
    Route("PUT", "/secrets/{key}", _put),
    Route("DELETE", "/secrets/{key}", lambda runtime, request: _READ_ONLY),
    Route("GET", "/secrets/{key}/exists", _exists),
)

"""Error responses: the one place that turns the engine's errors into the real server's status and body."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.devserver.response import Response, json_response
from conductor_async.engine.errors import Invalid

if TYPE_CHECKING:
    from conductor_async.engine.errors import EngineError
    from conductor_async.models import JsonObject

__all__ = ["BAD_REQUEST_PAGE", "INSTANCE", "error_response", "method_not_allowed", "no_such_endpoint"]

INSTANCE = "embedded"
"""The name of the server in error bodies, where the real server has its host name."""

BAD_REQUEST_PAGE = Response(
    400,
    b'<!doctype html><html lang="en"><head><title>HTTP Status 400 \xe2\x80\x93 Bad Request</title></head>'
    b"<body><h1>HTTP Status 400 \xe2\x80\x93 Bad Request</h1></body></html>",
    "text/html;charset=utf-8",
)
"""What the real server's web server says to a malformed URL, before Conductor sees it. It is not JSON."""


def error_response(error: EngineError) -> Response:
    """Returns the response to a request that the engine rejects."""
    if isinstance(error, Invalid) and error.validation_errors:
        body: JsonObject = {
            "status": error.status,
            "message": error.message,
            "retryable": False,
            "validationErrors": error.validation_errors,
        }
        return json_response(body, error.status)
    return _error(error.status, error.message)


def no_such_endpoint(path: str) -> Response:
    """Returns the response to an unknown path. Clients recognize by this message that the server lacks an endpoint."""
    return _error(404, f"No static resource {path.strip('/')}.")


def method_not_allowed(method: str) -> Response:
    """Returns the response to a path that has other methods."""
    return _error(405, f"Request method '{method}' is not supported")


def _error(status: int, message: str) -> Response:
    body: JsonObject = {"status": status, "message": message, "instance": INSTANCE, "retryable": False}
    if not message:
        del body["message"]
    return json_response(body, status)

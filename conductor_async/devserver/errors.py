"""What goes wrong, as the real server answers it: the one table from the engine's errors to status and body."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.devserver.exchange import Response, as_json
from conductor_async.engine.errors import Invalid

if TYPE_CHECKING:
    from conductor_async.engine.errors import EngineError
    from conductor_async.models import JsonObject

__all__ = ["BAD_REQUEST_PAGE", "INSTANCE", "error_answer", "method_not_allowed", "no_such_endpoint"]

INSTANCE = "embedded"
"""What error bodies name as the server that says so: the real one says its host's name."""

#: What the web server below Conductor says to a URL that it does not let through; no JSON, by no route's doing.
BAD_REQUEST_PAGE = Response(
    400,
    b'<!doctype html><html lang="en"><head><title>HTTP Status 400 \xe2\x80\x93 Bad Request</title></head>'
    b"<body><h1>HTTP Status 400 \xe2\x80\x93 Bad Request</h1></body></html>",
    "text/html;charset=utf-8",
)


def error_answer(error: EngineError) -> Response:
    """The answer to a request that the engine refuses."""
    if isinstance(error, Invalid) and error.validation_errors:
        body: JsonObject = {
            "status": error.status,
            "message": error.message,
            "retryable": False,
            "validationErrors": error.validation_errors,
        }
        return as_json(body, error.status)
    return _complaint(error.status, error.message)


def no_such_endpoint(path: str) -> Response:
    """The answer where the server has no such path. Clients tell by its words that an endpoint is missing."""
    return _complaint(404, f"No static resource {path.strip('/')}.")


def method_not_allowed(method: str) -> Response:
    """The answer where the path is there, for other methods."""
    return _complaint(405, f"Request method '{method}' is not supported")


def _complaint(status: int, message: str) -> Response:
    body: JsonObject = {"status": status, "message": message, "instance": INSTANCE, "retryable": False}
    return as_json(body, status)

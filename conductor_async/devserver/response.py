"""A response, apart from any HTTP library, and how the server writes JSON and text."""

from __future__ import annotations

from typing import Any, NamedTuple

from pydantic_core import to_json

__all__ = ["EMPTY", "NO_CONTENT", "Response", "json_response", "response_of", "text_response"]


class Response(NamedTuple):
    """A response.

    Attributes:
        status: The HTTP status.
        body: The body.
        content_type: The type of the body; None where the real server sends none, as with a 200 without a body.
        headers: Further headers.
    """

    status: int = 200
    body: bytes = b""
    content_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


EMPTY = Response(200)
NO_CONTENT = Response(204)


def json_response(value: Any, status: int = 200) -> Response:
    """Returns JSON as the server writes it: NaN and the infinities become strings."""
    return Response(status, to_json(value, inf_nan_mode="strings"), "application/json")


def response_of(result: Any) -> Response:
    """Returns the response for what a handler returns: JSON, an empty response for None, or the response itself."""
    if isinstance(result, Response):
        return result
    return EMPTY if result is None else json_response(result)


def text_response(text: str, status: int = 200) -> Response:
    """Returns plain text; the server sends ids like this."""
    return Response(status, text.encode(), "text/plain;charset=UTF-8")

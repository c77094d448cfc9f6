"""Bodies: from models and text to bytes, and from bytes to the type that the endpoint returns."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from conductor_async._http.routes import utf8
from conductor_async.errors import ResponseDecodeError
from conductor_async.models import encode_json

if TYPE_CHECKING:
    from conductor_async._http.routes import Route
    from conductor_async._http.transport.interface import Response


class EncodedJson(bytes):
    """A request body that is JSON already, and is sent as it is."""


def encode(json: Any, text: str | None = None, name: str = "body") -> tuple[bytes | None, dict[str, str]]:
    """Returns the body of a request, and its Content-Type header.

    Args:
        json: A model, anything that can be JSON, or `EncodedJson`.
        text: A text instead.
        name: What an error about a value in the body calls the body.

    Raises:
        PayloadError: A value cannot be JSON, or the text is not valid Unicode.
    """
    if text is not None:
        return utf8(text, "text"), {"Content-Type": "text/plain; charset=utf-8"}
    if json is None:
        return None, {}
    content = json if isinstance(json, EncodedJson) else encode_json(json, name)
    return content, {"Content-Type": "application/json"}


@functools.cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def decode(kind: Any, response: Response, method: str, route: Route) -> Any:
    """Returns the body as `kind`: `str` is the text itself, `None` ignores the body, everything else is JSON.

    The endpoint decides how to read it, never the Content-Type: servers label text as JSON, and JSON as text.

    Raises:
        ResponseDecodeError: The body is an HTML page, not JSON, truncated, or does not match `kind`.
    """
    body = response.body
    is_html = "html" in response.headers.get("content-type", "")
    if is_html or body[:15].lstrip()[:9].lower() in (b"<!doctype", b"<html>"):
        problem = "is an HTML page, not a response of Conductor's API. Does server_api_url end in /api?"
        raise _unreadable(problem, response, method, route)
    if kind is None:
        return None
    if not body.strip():
        raise _unreadable("is empty", response, method, route)
    if kind is str:
        try:
            return body.decode()
        except UnicodeDecodeError as error:
            raise _unreadable("is not UTF-8 text", response, method, route) from error
    try:
        return _adapter(kind).validate_json(body)
    except ValidationError as error:
        raise _unreadable(_problem(error), response, method, route) from error


def _problem(error: ValidationError) -> str:
    # Never the input itself: it may hold what must not be logged.
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return f"is not JSON, or is truncated ({first['msg']})"
    path = ".".join(str(part) for part in first["loc"]) or "the top level"
    return f"does not have the expected structure: at {path}, {first['msg']}"


def _unreadable(problem: str, response: Response, method: str, route: Route) -> ResponseDecodeError:
    return ResponseDecodeError(
        f"{method} {route.path}: the response (status {response.status}) {problem}",
        status=response.status,
        method=method,
        route=route.template,
    )

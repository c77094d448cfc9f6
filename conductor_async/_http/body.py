"""Bytes to Python: which decoder an answer needs is decided by the endpoint, never by the answer's headers."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from conductor_async.errors import ResponseDecodeError

if TYPE_CHECKING:
    from conductor_async._http.routes import Route


@functools.cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def decode(kind: Any, body: bytes, *, status: int, content_type: str, method: str, route: Route) -> Any:
    """The answer as `kind`: `str` is text as it came, `None` ignores it, everything else is JSON.

    Raises:
        ResponseDecodeError: It is a web page, not JSON, cut off, or of another shape.
    """
    if "html" in content_type or body[:15].lstrip()[:9].lower() in (b"<!doctype", b"<html>"):
        raise _unreadable(
            "is a web page, not an answer of Conductor's API. Does the URL end in /api?", status, method, route
        )
    if kind is None:
        return None
    if not body.strip():
        raise _unreadable("is empty", status, method, route)
    if kind is str:
        try:
            return body.decode()
        except UnicodeDecodeError as error:
            raise _unreadable("is not text in UTF-8", status, method, route) from error
    try:
        return _adapter(kind).validate_json(body)
    except ValidationError as error:
        raise _unreadable(_what_is_wrong(error), status, method, route) from error


def _what_is_wrong(error: ValidationError) -> str:
    # Never the input itself: it may hold what must not be logged.
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return f"is not JSON, or is cut off ({first['msg']})"
    place = ".".join(str(part) for part in first["loc"]) or "the top"
    return f"has another shape than expected: at {place}, {first['msg']}"


def _unreadable(what: str, status: int, method: str, route: Route) -> ResponseDecodeError:
    return ResponseDecodeError(
        f"{method} {route.path}: the answer (status {status}) {what}",
        status=status,
        method=method,
        route=route.template,
    )

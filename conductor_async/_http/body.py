"""Bodies: from models and text to bytes, and from bytes to the type that the endpoint returns."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from conductor_async._http.elements import UnreadableElement, adapter, decode_elements, problem_of, summary_of
from conductor_async._http.json_reader import read_json
from conductor_async._http.routes import utf8
from conductor_async.errors import ResponseDecodeError
from conductor_async.models import encode_json

if TYPE_CHECKING:
    from conductor_async._http.routes import Route
    from conductor_async._http.transport.interface import Response


logger = logging.getLogger("conductor_async")


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


def decode(
    kind: Any,
    response: Response,
    method: str,
    route: Route,
    *,
    unreadable: list[UnreadableElement] | None = None,
    complete: bool = False,
) -> Any:
    """Returns the body as `kind`: `str` is the text itself, `None` ignores the body, everything else is JSON.

    The endpoint decides how to read it, never the Content-Type: servers label text as JSON, and JSON as text.

    Elements of lists, maps and pages that are not readable are left out, with a warning in the log.

    Args:
        kind: The type.
        response: The response.
        method: The method of the request, for errors.
        route: The endpoint, for errors.
        unreadable: Takes the elements that are not readable, instead of the log. If the body itself is one, the result
            is None.
        complete: Whether an element that is not readable is an error.

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
        return adapter(kind).validate_json(body)
    except ValidationError:
        pass
    # The slow way, only after a failure: one element that is not readable must not cost the others.
    try:
        parsed = read_json(body)
    except ValueError as error:
        raise _unreadable(f"is not JSON, or is truncated ({error})", response, method, route) from error
    try:
        result, failed = decode_elements(kind, parsed)
    except ValidationError as error:
        problem = problem_of(error)
        if unreadable is None or not isinstance(parsed, dict):
            text = f"does not have the expected structure: {problem}"
            raise _unreadable(text, response, method, route) from None  # pydantic's own text shows values
        result, failed = None, [UnreadableElement("", parsed, problem)]
    if unreadable is not None:
        unreadable += failed
    elif failed and complete:
        raise _unreadable(f"has elements that cannot be read ({summary_of(failed)})", response, method, route)
    elif failed:
        logger.warning(
            "%s %s: %d elements of the response cannot be read and are left out: %s",
            method,
            route.path,
            len(failed),
            summary_of(failed),
        )
    return result


def _unreadable(problem: str, response: Response, method: str, route: Route) -> ResponseDecodeError:
    return ResponseDecodeError(
        f"{method} {route.path}: the response (status {response.status}) {problem}",
        status=response.status,
        method=method,
        route=route.template,
    )

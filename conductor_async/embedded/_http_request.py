"""Reads the request that an HTTP task describes, as the server's HTTP client (Spring's) does."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from conductor_async._type_guards import is_array, is_object
from conductor_async.engine.expressions.java_values import as_java_string, java_class

if TYPE_CHECKING:
    from conductor_async.models import JsonObject, JsonValue

__all__ = ["HttpRequest", "RejectedRequestError", "read_request"]

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})
_URI = re.compile(r"(?:([^:/?#]+):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.DOTALL)
_TEMPLATE_VARIABLE = re.compile(r"\{([^/]+?)\}")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2}|.?$)", re.DOTALL)
_AUTHORITY = re.compile(r"[^\s@]*?(?::(\d*))?")
_USER_INFO = re.compile("[^/?#]*//[^/?#]*@")
_MAX_PORT = 65535
# What RFC 3986 allows in a path and in a query. A percent sign is not in it: the server escapes those in a task's URI.
_PATH_CHARACTERS = "/:@!$&'()*+,;="
_QUERY_CHARACTERS = "/?:@!$&'()*+,;="


class RejectedRequestError(Exception):
    """The server rejects a request before it sends it. The message is the server's, with the Java class."""


class HttpRequest(NamedTuple):
    """A request, ready to be sent."""

    method: str
    uri: str
    headers: list[tuple[bytes, bytes]]
    content: str | None

    def failure(self, why: str) -> str:
        """Returns the server's message for a request that could not be sent. It leaves out the query."""
        uri = self.uri.partition("?")[0]
        return f'java.lang.Exception: I/O error on {self.method} request for "{uri}": {why}'


def read_request(described: JsonObject) -> HttpRequest:
    """Returns the request that a task describes.

    Raises:
        RejectedRequestError: The server would not send it.
    """
    method = str(described["method"])
    if method not in _METHODS:
        raise RejectedRequestError(f"java.lang.IllegalArgumentException: Invalid HTTP method: {method}")
    content_type = _media_type(described.get("contentType") or "application/json")
    accept = described.get("accept") or "application/json"
    accepted: list[JsonValue] = accept if is_array(accept) else [accept]
    given = described.get("headers")
    headers: JsonObject = given if is_object(given) else {}
    texts = {name: as_java_string(value) for name, value in headers.items() if value is not None}
    named = {name: text for name, text in texts.items() if name.lower() not in {"content-type", "accept"}}
    named |= {"Content-Type": content_type, "Accept": ", ".join(map(_media_type, accepted))}
    encoded = [(name.encode("latin-1", "replace"), text.encode("latin-1", "replace")) for name, text in named.items()]
    content = _content(described.get("body"), content_type)
    if method == "TRACE" and content is not None:
        raise RejectedRequestError("java.lang.IllegalStateException: TRACE requests may not include an entity.")
    request = HttpRequest(method, _uri(str(described["uri"])), encoded, content)
    if _USER_INFO.match(request.uri):
        raise RejectedRequestError(request.failure("Request URI authority contains deprecated userinfo component"))
    return request


def _media_type(value: JsonValue) -> str:
    text = as_java_string(value)
    if "/" not in text:
        what = f"Invalid mime type \"{text}\": does not contain '/'"
        raise RejectedRequestError(f"org.springframework.http.InvalidMediaTypeException: {what}")
    return ";".join(part.strip() for part in text.split(";"))


def _content(body: JsonValue, content_type: str) -> str | None:
    """Returns the body as text. The server knows how to write texts, and objects and lists as JSON, nothing else."""
    if body is None or isinstance(body, str):
        return body
    kind = content_type.partition(";")[0].lower()
    if kind != "application/json" and not kind.endswith("+json"):
        what = f'No HttpMessageConverter for {java_class(body)} and content type "{content_type}"'
        raise RejectedRequestError(f"java.lang.Exception: {what}")
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _uri(given: str) -> str:
    """Returns the URI with the characters escaped that no URI may have."""
    found = _URI.fullmatch(given.strip())
    scheme, authority, path, query = found.groups() if found is not None else (None, None, given, None)
    variable = _TEMPLATE_VARIABLE.search(given)
    if variable is not None:
        name = variable[1].partition(":")[0]
        what = f"Not enough variable values available to expand '{name}'"
        raise RejectedRequestError(f"java.lang.IllegalArgumentException: {what}")
    _check_authority(authority or "")
    for part, text in (("path", path), ("query", query or "")):
        if _BROKEN_ESCAPE.search(text):
            raise RejectedRequestError(f"org.springframework.web.util.InvalidUrlException: Bad {part}")
    path = re.sub("/{2,}", "/", path)
    if scheme is None and path and not path.startswith("/"):
        path = f"/{path}"
    prefix = f"{scheme}://{authority}" if scheme is not None else f"//{authority}" if authority else ""
    suffix = "" if query is None else "?" + "&".join(_grouped(quote(query, safe=_QUERY_CHARACTERS).split("&")))
    return prefix + quote(path, safe=_PATH_CHARACTERS) + suffix


def _check_authority(authority: str) -> None:
    host = authority.rpartition("@")[2]
    found = _AUTHORITY.fullmatch(host)
    if found is None:
        raise RejectedRequestError("org.springframework.web.util.InvalidUrlException: Bad authority")
    if found[1] and int(found[1]) > _MAX_PORT:
        what = f"Port number(Use -1 to specify the scheme default port): {found[1]} is out of range [-1, 65535]"
        raise RejectedRequestError(f"java.lang.IllegalArgumentException: {what}")


def _grouped(parameters: list[str]) -> list[str]:
    """Returns query parameters with those of one name together: the server keeps them in a map."""
    groups: dict[str, list[str]] = {}
    for parameter in parameters:
        groups.setdefault(parameter.partition("=")[0], []).append(parameter)
    return [parameter for group in groups.values() for parameter in group]

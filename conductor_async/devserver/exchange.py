"""One request and its answer, apart from any HTTP library: what a route reads and what it returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import parse_qs

from pydantic_core import from_json, to_json

from conductor_async.engine.definitions.conversion import token_of
from conductor_async.engine.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conductor_async.models import JsonObject

__all__ = ["NOTHING", "NO_CONTENT", "Request", "Response", "as_json", "as_text"]

_TRUE = frozenset({"true", "on", "yes", "1"})
_FALSE = frozenset({"false", "off", "no", "0"})


class Response(NamedTuple):
    """What is sent back.

    Attributes:
        status: The HTTP status.
        body: The body.
        content_type: None where the real server sends none: a 200 without a body has none.
        headers: What else is in the head.
    """

    status: int = 200
    body: bytes = b""
    content_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


NOTHING = Response(200)
NO_CONTENT = Response(204)


def as_json(value: Any, status: int = 200) -> Response:
    """An answer that is JSON, as the server writes it: numbers that JSON lacks become strings."""
    return Response(status, to_json(value, inf_nan_mode="strings"), "application/json")


def as_text(text: str, status: int = 200) -> Response:
    """An answer that is text: the server sends ids so."""
    return Response(status, text.encode(), "text/plain;charset=UTF-8")


@dataclass(slots=True)
class Request:
    """A request.

    Attributes:
        method: The HTTP method.
        path: The path as it was sent, percent-encoded.
        query: The query string as it was sent.
        content_type: What the body is said to be; empty if nothing is said.
        body: The body.
        segments: The path's values by the names that the route gives them, decoded.
    """

    method: str
    path: str
    query: str = ""
    content_type: str = ""
    body: bytes = b""
    segments: dict[str, str] = field(default_factory=dict[str, str])
    _parameters: dict[str, list[str]] | None = None

    def __getitem__(self, segment: str) -> str:
        return self.segments[segment]

    # -- the query -------------------------------------------------------------------------------

    @property
    def parameters(self) -> dict[str, list[str]]:
        """The query, decoded."""
        if self._parameters is None:
            self._parameters = parse_qs(self.query, keep_blank_values=True) if self.query else {}
        return self._parameters

    def text(self, name: str) -> str | None:
        """A parameter of the query; None if it is not there. Repeated, it is what the server makes of it: a list."""
        values = self.parameters.get(name)
        return None if values is None else ",".join(values)

    def texts(self, name: str) -> list[str]:
        """A parameter that may be repeated, or hold several values with commas between."""
        values = self.parameters.get(name, [])
        return values[0].split(",") if len(values) == 1 and values[0] else values

    def required(self, name: str) -> str:
        """A parameter that has to be there.

        Raises:
            Refused: It is not.
        """
        value = self.text(name)
        if value is None:
            raise Refused(f"Required request parameter '{name}' for method parameter type String is not present")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """A parameter that is a truth value.

        Raises:
            Refused: It is none.
        """
        value = self.text(name)
        if not value:
            return default
        if value.lower() in _TRUE:
            return True
        if value.lower() in _FALSE:
            return False
        raise Refused(_unconvertible(name, "boolean", f"Invalid boolean value [{value}]"))

    def number(self, name: str, java_type: str = "java.lang.Integer") -> int | None:
        """A parameter that is a whole number; None if it is not there.

        Raises:
            Refused: It is none.
        """
        value = self.parameters.get(name, [""])[0]  # repeated, the first counts
        return whole_number(name, value, java_type) if value else None

    def number_or(self, name: str, default: int) -> int:
        """A parameter that is a whole number."""
        value = self.number(name, "int")
        return default if value is None else value

    def segment_number(self, name: str) -> int:
        """A segment of the path that is a whole number."""
        return whole_number(name, self.segments[name], "int")

    # -- the body --------------------------------------------------------------------------------

    def object(self, java_type: str = "java.util.LinkedHashMap<java.lang.String,java.lang.Object>") -> JsonObject:
        """The body, a JSON object; `java_type` is what the server's complaint calls it.

        Raises:
            Refused: It is none.
        """
        value = self._json()
        if not isinstance(value, dict):
            raise Refused(_misplaced(value, java_type))
        return cast("JsonObject", value)

    def objects(self, java_type: str) -> list[JsonObject]:
        """The body, a list of JSON objects.

        Raises:
            Refused: It is none.
        """
        value = self._json()
        if not isinstance(value, list):
            raise Refused(_misplaced(value, f"java.util.ArrayList<{java_type}>"))
        listed = cast("Sequence[Any]", value)
        for each in listed:
            if not isinstance(each, dict):
                raise Refused(_misplaced(each, java_type))
        return list(listed)

    def strings(self) -> list[str]:
        """The body, a list of strings.

        Raises:
            Refused: It is none.
        """
        value = self._json()
        if not isinstance(value, list):
            raise Refused(_misplaced(value, "java.util.ArrayList<java.lang.String>"))
        return [each if isinstance(each, str) else to_json(each).decode() for each in cast("Sequence[Any]", value)]

    def raw_text(self) -> str:
        """The body as it came, whatever it is said to be.

        Raises:
            Refused: There is none.
        """
        if not self.body:
            raise Refused("Required request body is missing")
        return self.body.decode(errors="replace")

    def _json(self) -> Any:
        if not self.body:
            raise Refused("Required request body is missing")
        kind = self.content_type.partition(";")[0].strip().lower()
        if kind != "application/json" and not kind.endswith("+json"):
            raise Refused(f"Content-Type '{self.content_type or 'application/octet-stream'}' is not supported")
        try:
            return from_json(self.body, allow_inf_nan=False)
        except ValueError as error:
            raise Refused(f"JSON parse error: {error}") from None


def whole_number(name: str, value: str, java_type: str) -> int:
    """What Java's parser makes of it.

    Raises:
        Refused: It is none.
    """
    if value.lstrip("+-").isascii() and value.removeprefix("-").removeprefix("+").isdigit():
        return int(value)
    raise Refused(_unconvertible(name, java_type, f'For input string: "{value}"'))


def _unconvertible(name: str, java_type: str, why: str) -> str:
    return (
        f"Method parameter '{name}': Failed to convert value of type 'java.lang.String' to required type"
        f" '{java_type}'; {why}"
    )


def _misplaced(value: Any, java_type: str) -> str:
    if value is None:
        return "Required request body is missing"
    if isinstance(value, str):
        plain = java_type.partition("<")[0]
        return (
            f"JSON parse error: Cannot construct instance of `{plain}` (although at least one Creator exists):"
            f" no String-argument constructor/factory method to deserialize from String value ('{value}')"
        )
    return f"JSON parse error: Cannot deserialize value of type `{java_type}` from {token_of(value)}"

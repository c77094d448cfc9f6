"""A request, apart from any HTTP library: query parameters and bodies as the real server reads and rejects them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs

from pydantic_core import from_json, to_json

from conductor_async.engine.definitions.conversion import token_of
from conductor_async.engine.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from conductor_async.models import JsonObject

__all__ = ["Request"]

_TRUE = frozenset({"true", "on", "yes", "1"})
_FALSE = frozenset({"false", "off", "no", "0"})


@dataclass(slots=True)
class Request:
    """A request.

    Attributes:
        method: The HTTP method.
        path: The path as it was sent, percent-encoded.
        query: The query string as it was sent.
        content_type: The `Content-Type` header; empty if there is none.
        body: The body.
        path_parameters: The values in the path, decoded, by the names that the route gives them.
    """

    method: str
    path: str
    query: str = ""
    content_type: str = ""
    body: bytes = b""
    path_parameters: dict[str, str] = field(default_factory=dict[str, str])
    _query_parameters: dict[str, list[str]] | None = None

    @property
    def is_poll(self) -> bool:
        """Whether it asks for tasks, or withdraws such a request."""
        return self.path.startswith(("/api/tasks/poll/", "/api/dev/polls"))

    # -- the path --------------------------------------------------------------------------------

    def __getitem__(self, name: str) -> str:
        return self.path_parameters[name]

    def path_number(self, name: str) -> int:
        """Returns a path parameter that must be a whole number.

        Raises:
            Refused: It is not a whole number.
        """
        return _whole_number(name, self.path_parameters[name], "int")

    # -- the query -------------------------------------------------------------------------------

    @property
    def query_parameters(self) -> dict[str, list[str]]:
        """The query, decoded."""
        if self._query_parameters is None:
            self._query_parameters = parse_qs(self.query, keep_blank_values=True) if self.query else {}
        return self._query_parameters

    def text(self, name: str) -> str | None:
        """Returns a query parameter; None if it is missing. The server joins the values of a repeated one by commas."""
        values = self.query_parameters.get(name)
        return None if values is None else ",".join(values)

    def texts(self, name: str) -> list[str]:
        """Returns the values of a query parameter that is repeated or holds values separated by commas."""
        values = self.query_parameters.get(name, [])
        return values[0].split(",") if len(values) == 1 and values[0] else values

    def required(self, name: str) -> str:
        """Returns a query parameter.

        Raises:
            Refused: It is missing.
        """
        value = self.text(name)
        if value is None:
            raise Refused(f"Required request parameter '{name}' for method parameter type String is not present")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """Returns a query parameter that must be a boolean.

        Raises:
            Refused: It is not a boolean.
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
        """Returns a query parameter that must be a whole number; None if it is missing.

        Raises:
            Refused: It is not a whole number.
        """
        value = self.query_parameters.get(name, [""])[0]  # of a repeated one, the server takes the first
        return _whole_number(name, value, java_type) if value else None

    def number_or(self, name: str, default: int) -> int:
        """Returns a query parameter that must be a whole number, or the default if it is missing."""
        value = self.number(name, "int")
        return default if value is None else value

    def choice(self, name: str, value: str, java_type: str, choices: Collection[str]) -> str:
        """Returns the value of a path or query parameter that must be one of the choices.

        Args:
            name: The parameter, for the error message.
            value: Its value.
            java_type: The Java enum, for the error message.
            choices: The values of the enum.

        Raises:
            Refused: The value is none of the choices.
        """
        if value not in choices:
            why = f"Failed to convert from type [java.lang.String] to type [{java_type}] for value [{value}]"
            raise Refused(_unconvertible(name, java_type, why))
        return value

    # -- the body --------------------------------------------------------------------------------

    def json_object(self, java_type: str = "java.util.LinkedHashMap<java.lang.String,java.lang.Object>") -> JsonObject:
        """Returns the body, which must be a JSON object.

        Args:
            java_type: What the server's error message calls the body's type.

        Raises:
            Refused: It is not a JSON object.
        """
        value = self._json()
        if not isinstance(value, dict):
            raise Refused(_wrong_type(value, java_type))
        return cast("JsonObject", value)

    def json_objects(self, java_type: str) -> list[JsonObject]:
        """Returns the body, which must be a list of JSON objects.

        Args:
            java_type: What the server's error message calls the type of one object.

        Raises:
            Refused: It is not a list of JSON objects.
        """
        values = self._json_list(java_type)
        for each in values:
            if not isinstance(each, dict):
                raise Refused(_wrong_type(each, java_type))
        return list(values)

    def json_strings(self) -> list[str]:
        """Returns the body, a list of strings. Like the server, it takes other plain values as their JSON.

        Raises:
            Refused: It is not a list, or one of its values is null, a list or an object.
        """
        values = self._json_list("java.lang.String")
        for each in values:
            if each is None or isinstance(each, (list, dict)):
                raise Refused(_wrong_type(each, "java.lang.String"))
        return [each if isinstance(each, str) else to_json(each).decode() for each in values]

    def body_text(self) -> str:
        """Returns the body as text, whatever its content type.

        Raises:
            Refused: There is no body.
        """
        if not self.body:
            raise Refused("Required request body is missing")
        return self.body.decode(errors="replace")

    def _json_list(self, java_type: str) -> Sequence[Any]:
        value = self._json()
        if not isinstance(value, list):
            raise Refused(_wrong_type(value, f"java.util.ArrayList<{java_type}>"))
        return cast("Sequence[Any]", value)

    def _json(self) -> Any:
        if not self.body:
            raise Refused("Required request body is missing")
        media_type = self.content_type.partition(";")[0].strip().lower()
        if media_type != "application/json" and not media_type.endswith("+json"):
            raise Refused(f"Content-Type '{self.content_type or 'application/octet-stream'}' is not supported")
        try:
            return from_json(self.body, allow_inf_nan=False)
        except ValueError as error:
            raise Refused(f"JSON parse error: {error}") from None


def _whole_number(name: str, value: str, java_type: str) -> int:
    # As Java's parser: ASCII digits with at most one sign; no spaces, no points, no underscores.
    if value.lstrip("+-").isascii() and value.removeprefix("-").removeprefix("+").isdigit():
        return int(value)
    raise Refused(_unconvertible(name, java_type, f'For input string: "{value}"'))


def _unconvertible(name: str, java_type: str, why: str) -> str:
    return (
        f"Method parameter '{name}': Failed to convert value of type 'java.lang.String' to required type"
        f" '{java_type}'; {why}"
    )


def _wrong_type(value: Any, java_type: str) -> str:
    if value is None:
        return "Required request body is missing"
    if isinstance(value, str):
        plain = java_type.partition("<")[0]
        return (
            f"JSON parse error: Cannot construct instance of `{plain}` (although at least one Creator exists):"
            f" no String-argument constructor/factory method to deserialize from String value ('{value}')"
        )
    return f"JSON parse error: Cannot deserialize value of type `{java_type}` from {token_of(value)}"

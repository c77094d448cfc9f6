"""What the server says of a value that it cannot make an object of: the words are those of its JSON library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.errors import Invalid
from conductor_async.engine.expressions.java_values import as_java_string

if TYPE_CHECKING:
    from conductor_async.models import JsonValue

__all__ = ["token_of", "unreadable"]

_NOWHERE = "\n at [Source: UNKNOWN; byte offset: #UNKNOWN]"


def unreadable(value: JsonValue, java_type: str, *path: str) -> Invalid:
    """The refusal of a value that was to be a `java_type`; `path` says where it is, from the outermost type on."""
    problem = _problem(value, java_type)
    chain = f" (through reference chain: {'->'.join(path)})" if path else ""
    return Invalid(problem + _NOWHERE + chain)


def token_of(value: JsonValue) -> str:
    """What the value begins with, as the library calls it."""
    match value:
        case dict():
            return "Object value (token `JsonToken.START_OBJECT`)"
        case list():
            return "Array value (token `JsonToken.START_ARRAY`)"
        case bool():
            return f"Boolean value (token `JsonToken.VALUE_{str(value).upper()}`)"
        case str():
            return "String value (token `JsonToken.VALUE_STRING`)"
        case int():
            return "Integer value (token `JsonToken.VALUE_NUMBER_INT`)"
        case _:
            return "Floating-point value (token `JsonToken.VALUE_NUMBER_FLOAT`)"


def _problem(value: JsonValue, java_type: str) -> str:
    plain = java_type.partition("<")[0]
    is_map = plain == "java.util.LinkedHashMap"
    if value == "" and (is_map or plain == java_type):
        target = f"element of `{plain}`" if is_map else f"`{plain}` value"
        return f'Cannot coerce empty String ("") to {target} (but could if coercion was enabled using `CoercionConfig`)'
    made_from = _made_from(value) if plain == java_type or (is_map and isinstance(value, str)) else None
    if made_from is None:
        return f"Cannot deserialize value of type `{java_type}` from {token_of(value)}"
    argument, what = made_from
    return (
        f"Cannot construct instance of `{plain}` (although at least one Creator exists): no {argument}-argument "
        f"constructor/factory method to deserialize from {what}"
    )


def _made_from(value: JsonValue) -> tuple[str, str] | None:
    """The constructor that would be needed, and how the value is called then."""
    match value:
        case bool():
            return "boolean/Boolean", f"boolean value ({as_java_string(value)})"
        case int():
            return "int/Int", f"Number value ({value})"
        case float():
            return "double/Double", f"Number value ({as_java_string(value)})"
        case str():
            return "String", f"String value ('{value}')"
        case _:
            return None

"""The server's messages about JSON values that it cannot deserialize. The words are Jackson's, its JSON library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.errors import Invalid
from conductor_async.engine.expressions.java_values import as_java_string

if TYPE_CHECKING:
    from conductor_async.models import JsonValue

__all__ = ["token_of", "unreadable"]

_NOWHERE = "\n at [Source: UNKNOWN; byte offset: #UNKNOWN]"


def unreadable(value: JsonValue, java_type: str, *path: str) -> Invalid:
    """Returns the error for a value that is no `java_type`. `path` leads to it, from the outermost type inwards."""
    problem = _problem(value, java_type)
    chain = f" (through reference chain: {'->'.join(path)})" if path else ""
    return Invalid(problem + _NOWHERE + chain)


def token_of(value: JsonValue) -> str:
    """Returns Jackson's name for the token that the value begins with."""
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
    constructor = _missing_constructor(value) if plain == java_type or (is_map and isinstance(value, str)) else None
    if constructor is None:
        return f"Cannot deserialize value of type `{java_type}` from {token_of(value)}"
    argument, description = constructor
    return (
        f"Cannot construct instance of `{plain}` (although at least one Creator exists): no {argument}-argument "
        f"constructor/factory method to deserialize from {description}"
    )


def _missing_constructor(value: JsonValue) -> tuple[str, str] | None:
    """Returns the constructor that Jackson misses, and its description of the value."""
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

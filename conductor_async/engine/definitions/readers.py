"""How a JSON object is read into a Java class: its fields, their defaults, and the values that are coerced.

Values are coerced as Jackson, the server's JSON library, does: it takes `1` for a string, `"1"` for a number, and an
empty string for a number or boolean that is absent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conductor_async.engine.errors import Refused
from conductor_async.engine.json_kinds import is_array, is_object

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conductor_async.models import JsonObject, JsonValue

__all__ = [
    "ANYTHING",
    "FALSE",
    "LONG",
    "LONG_ZERO",
    "MAP",
    "NUMBER",
    "STRING",
    "STRINGS",
    "TEXTS_BY_NAME",
    "TRUE",
    "ZERO",
    "Field",
    "enum_reader",
    "filled",
    "list_reader",
    "map_reader",
    "object_reader",
    "read_int",
    "read_long",
    "read_object",
    "read_string",
]

_INT = 2**31
_LONG = 2**63


class Field:
    """How one field is read. With `default` None, the field is left out when it is absent."""

    __slots__ = ("default", "read")

    def __init__(self, default: JsonValue, read: Callable[[JsonValue], JsonValue]) -> None:
        self.default: JsonValue = default
        self.read: Callable[[JsonValue], JsonValue] = read


def filled(wire: JsonValue, fields: Mapping[str, Field], java_type: str) -> JsonObject:
    """Returns an object with its fields read and its defaults filled in; unknown fields and nulls are left out.

    Raises:
        Refused: It is no object, or a value has the wrong type.
    """
    if not is_object(wire):
        msg = f"JSON parse error: Cannot construct instance of `{java_type}` from {type(wire).__name__} value"
        raise Refused(msg)
    result: JsonObject = {}
    for name, field in fields.items():
        given = wire.get(name)
        value = None if given is None else _read(field, given, f"{java_type}.{name}")
        if value is not None:
            result[name] = value
        elif field.default is not None:
            result[name] = _copied(field.default)
    return result


def _read(field: Field, value: JsonValue, where: str) -> JsonValue:
    try:
        return field.read(value)
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        msg = f"JSON parse error: Cannot deserialize value of `{where}` from {value!r}"
        raise Refused(msg) from error


def _copied(default: JsonValue) -> JsonValue:
    return default.copy() if is_array(default) or is_object(default) else default


# -- values ------------------------------------------------------------------------------------------


def read_string(value: JsonValue) -> str:
    """Returns a string; numbers and booleans as their text."""
    if isinstance(value, (dict, list)):
        raise TypeError
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def read_int(value: JsonValue) -> int | None:
    """Returns a whole number of 32 bits."""
    return _whole_number(value, _INT)


def read_long(value: JsonValue) -> int | None:
    """Returns a whole number of 64 bits."""
    return _whole_number(value, _LONG)


def _whole_number(value: JsonValue, bound: int) -> int | None:
    if isinstance(value, (dict, list, bool)):
        raise TypeError
    if value == "":
        return None
    number = int(value)
    if not -bound <= number < bound:
        raise ValueError
    return number


def _read_bool(value: JsonValue) -> bool | None:
    if value in ("", "true", "false") and isinstance(value, str):
        return None if value == "" else value == "true"
    if not isinstance(value, int):
        raise TypeError
    return bool(value)


def read_object(value: JsonValue) -> JsonObject:
    """Returns an object."""
    if not is_object(value):
        raise TypeError
    return value


def _read_any(value: JsonValue) -> JsonValue:
    return value


def enum_reader(*values: str) -> Callable[[JsonValue], JsonValue]:
    """Returns a reader of a Java enumeration: of its names, and of their positions."""

    def read(value: JsonValue) -> JsonValue:
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(values):
            return values[value]
        if value not in values:
            msg = (
                f'JSON parse error: Cannot deserialize value from String "{value}": '
                f"not one of the values accepted for Enum class: [{', '.join(values)}]"
            )
            raise Refused(msg)
        return value

    return read


def list_reader(read: Callable[[JsonValue], JsonValue]) -> Callable[[JsonValue], JsonValue]:
    """Returns a reader of a list. Its nulls stay."""

    def read_list(value: JsonValue) -> JsonValue:
        if not is_array(value):
            raise TypeError
        return [None if item is None else read(item) for item in value]

    return read_list


def map_reader(read: Callable[[JsonValue], JsonValue]) -> Callable[[JsonValue], JsonValue]:
    """Returns a reader of an object whose values are alike. Its nulls stay."""

    def read_map(value: JsonValue) -> JsonValue:
        return {key: None if item is None else read(item) for key, item in read_object(value).items()}

    return read_map


def object_reader(fields: Mapping[str, Field], java_type: str) -> Callable[[JsonValue], JsonValue]:
    """Returns a reader of an object with these fields."""
    return lambda value: filled(value, fields, java_type)


STRING: Final = Field(None, read_string)
NUMBER: Final = Field(None, read_int)
ZERO: Final = Field(0, read_int)
LONG: Final = Field(None, read_long)
LONG_ZERO: Final = Field(0, read_long)
FALSE: Final = Field(False, _read_bool)
TRUE: Final = Field(True, _read_bool)
MAP: Final = Field({}, read_object)
STRINGS: Final = Field([], list_reader(read_string))
TEXTS_BY_NAME: Final = Field({}, map_reader(read_string))
ANYTHING: Final = Field(None, _read_any)

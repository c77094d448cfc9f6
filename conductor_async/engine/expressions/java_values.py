"""How Java writes values as text, and in which order its hash maps keep their keys.

The server is written in Java, and it shows wherever a value becomes a piece of text: in `"total: ${sum.output}"`, in
the key that a SWITCH looks for, in the inputs and outputs of search results.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from conductor_async.engine.json_kinds import is_array, is_object

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from conductor_async.models import JsonObject, JsonValue

__all__ = [
    "PathResults",
    "as_java_string",
    "as_json_text",
    "as_stored",
    "hash_order",
    "hash_ordered",
    "java_class",
]


class PathResults(list["JsonValue"]):
    """The values that a path may lead to several of: a list that writes itself as JSON, until it has been stored."""


def as_java_string(value: JsonValue) -> str:
    """The value as Java's `String.valueOf` writes it: `null`, `true`, `1.0E10`, `[1, two]`, `{a=1, b={c=x}}`."""
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _double(value)
    if is_object(value):
        return "{" + ", ".join(f"{key}={as_java_string(item)}" for key, item in value.items()) + "}"
    if isinstance(value, PathResults):
        return as_json_text(value)
    return "[" + ", ".join(map(as_java_string, value)) + "]"


def as_json_text(value: JsonValue) -> str:
    """The value as json-smart writes it: what becomes of a list of a path's results in a text."""
    if isinstance(value, str):
        return f'"{_ESCAPED.sub(_escape, value)}"'
    if is_object(value):
        return "{" + ",".join(f"{as_json_text(key)}:{as_json_text(item)}" for key, item in value.items()) + "}"
    if is_array(value):
        return "[" + ",".join(map(as_json_text, value)) + "]"
    return as_java_string(value)


def as_stored(value: JsonValue) -> JsonValue:
    """The value as it comes back when it has been stored: lists are lists. Changes objects and lists in place."""
    if is_object(value):
        value.update({key: as_stored(item) for key, item in value.items()})
    elif is_array(value):
        value[:] = map(as_stored, value)
    return list(value) if isinstance(value, PathResults) else value


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    return _SHORT.get(character) or f"\\u{ord(character):04X}"


_ESCAPED = re.compile(r'["\\/\x00-\x1f\x7f-\x9f\u2000-\u20ff]')
_SHORT = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\", "/": "\\/"}


def _double(value: float) -> str:
    """A double as `Double.toString` writes it: decimals between 0.001 and 10 million, else with an exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    significant = "".join(map(str, digits)).rstrip("0")
    if len(significant) < 2:  # Java writes two digits at least, and chooses them for this: 4.9E-324
        mantissa, _, power = f"{value:.1e}".partition("e")
        return f"{mantissa}E{int(power)}"
    power_of_ten = int(exponent) + len(digits) - 1
    return f"{'-' * sign}{significant[0]}.{significant[1:]}E{power_of_ten}"


def hash_ordered(values: Mapping[str, JsonValue], *, copied: int = 0) -> JsonObject:
    """The same entries in the order in which a Java `HashMap` goes through them, filled in the order given.

    Args:
        values: The entries.
        copied: How many of them came first and all at once: a map that begins so is only as large as these need.
    """
    return {key: values[key] for key in hash_order(values, copied=copied)}


def hash_order(keys: Collection[str], *, copied: int = 0) -> list[str]:
    """Keys in the order of a Java `HashMap`: by bucket, within a bucket in the order of their coming."""
    buckets = 16
    if copied:
        buckets = 1
        while buckets < int(copied / 0.75 + 1):
            buckets *= 2
    while len(keys) > buckets * 3 / 4:
        buckets *= 2
    return sorted(keys, key=lambda key: _spread_hash(key) & (buckets - 1))


@lru_cache(maxsize=4096)
def _spread_hash(text: str) -> int:
    """What `HashMap` makes of `String.hashCode`."""
    value = 0
    encoded = text.encode("utf-16-be", "surrogatepass")
    for high, low in zip(encoded[::2], encoded[1::2], strict=True):
        value = (value * 31 + (high << 8 | low)) & 0xFFFFFFFF
    return value ^ (value >> 16)


def java_class(value: JsonValue) -> str:
    """The class that a value has in the server. Messages about casts that went wrong name it."""
    if isinstance(value, bool):
        return "java.lang.Boolean"
    if isinstance(value, int):
        bits = value.bit_length()
        return "java.lang.Integer" if bits < 32 else "java.lang.Long" if bits < 64 else "java.math.BigInteger"
    if isinstance(value, float):
        return "java.lang.Double"
    if value is None or isinstance(value, str):
        return "java.lang.String"
    if isinstance(value, PathResults):
        return "net.minidev.json.JSONArray"
    return "java.util.LinkedHashMap" if is_object(value) else "java.util.ArrayList"

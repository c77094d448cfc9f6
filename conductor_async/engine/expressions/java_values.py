"""Values as Java writes them, and keys in the order of Java's hash maps.

That the server is written in Java shows wherever a value becomes text: in `"total: ${sum.output}"`, in the case that a
SWITCH chooses, in the inputs and outputs of search results.
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
    """The values of a path that may lead to several. Until it is stored, such a list becomes text as JSON."""


def as_java_string(value: JsonValue) -> str:
    """Returns what Java's `String.valueOf` gives: `null`, `true`, `1.0E10`, `[1, two]`, `{a=1, b={c=x}}`."""
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
    """Returns what json-smart, Jayway's JSON library, writes: the text of a `PathResults`."""
    if isinstance(value, str):
        return f'"{_ESCAPED.sub(_escape, value)}"'
    if is_object(value):
        return "{" + ",".join(f"{as_json_text(key)}:{as_json_text(item)}" for key, item in value.items()) + "}"
    if is_array(value):
        return "[" + ",".join(map(as_json_text, value)) + "]"
    return as_java_string(value)


def as_stored(value: JsonValue) -> JsonValue:
    """Returns the value as it is after it was stored: every `PathResults` is a list. Changes it in place."""
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
    """Returns what `Double.toString` gives: decimals from 0.001 to 10 million, an exponent otherwise."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    significant = "".join(map(str, digits)).rstrip("0")
    if len(significant) < 2:  # Java writes two digits at least: 4.9E-324, where the shortest form is 5E-324
        mantissa, _, power = f"{value:.1e}".partition("e")
        return f"{mantissa}E{int(power)}"
    power_of_ten = int(exponent) + len(digits) - 1
    return f"{'-' * sign}{significant[0]}.{significant[1:]}E{power_of_ten}"


def hash_ordered(values: Mapping[str, JsonValue], *, copied: int = 0) -> JsonObject:
    """Returns the same entries in the iteration order of a Java `HashMap`.

    Args:
        values: The entries, in the order in which they are put into the map.
        copied: How many of them the map was created with, as a copy: such a map starts with fewer buckets.
    """
    return {key: values[key] for key in hash_order(values, copied=copied)}


def hash_order(keys: Collection[str], *, copied: int = 0) -> list[str]:
    """Returns keys in the iteration order of a Java `HashMap`: by bucket, then in the order of insertion."""
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
    """Returns `String.hashCode`, spread as `HashMap` does it."""
    value = 0
    encoded = text.encode("utf-16-be", "surrogatepass")
    for high, low in zip(encoded[::2], encoded[1::2], strict=True):
        value = (value * 31 + (high << 8 | low)) & 0xFFFFFFFF
    return value ^ (value >> 16)


def java_class(value: JsonValue) -> str:
    """Returns the Java class that the value has in the server, which its messages about failed casts name."""
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

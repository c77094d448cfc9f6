"""The differences between two JSON values, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conductor_async.engine.json_kinds import is_array, is_object
from conductor_async.models import encode_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conductor_async.models import JsonObject

__all__ = ["json_diff"]


def json_diff(expected: Any, found: Any, path: str) -> Iterator[str]:
    """Yields a line for each difference, at the deepest path where both values are of the same kind."""
    if is_object(expected) and is_object(found):
        yield from _object_diff(expected, found, path)
    elif is_array(expected) and is_array(found) and len(expected) == len(found):
        for index, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from json_diff(one, other, f"{path}[{index}]")
    elif expected != found or isinstance(expected, bool) is not isinstance(found, bool):
        yield f"{path} should be {_shown(expected)}, and is {_shown(found)}"


def _object_diff(expected: JsonObject, found: JsonObject, path: str) -> Iterator[str]:
    for key in dict.fromkeys([*expected, *found]):
        at = f"{path}.{key}"
        if key not in found:
            yield f"{at} is missing: it should be {_shown(expected[key])}"
        elif key not in expected:
            yield f"{at} should not be there, and is {_shown(found[key])}"
        else:
            yield from json_diff(expected[key], found[key], at)


def _shown(value: Any) -> str:
    try:
        return encode_json(value).decode()
    except ValueError:
        return repr(value)  # an object that only compares, such as pytest.approx(…)

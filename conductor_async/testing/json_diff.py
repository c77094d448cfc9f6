"""Where two values of JSON differ, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conductor_async.engine.json_kinds import is_array, is_object
from conductor_async.models import encode_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conductor_async.models import JsonObject

__all__ = ["differences"]


def differences(expected: Any, found: Any, path: str) -> Iterator[str]:
    """One line for each place where they differ, as far down as they are of the same kind."""
    if is_object(expected) and is_object(found):
        yield from _of_objects(expected, found, path)
    elif is_array(expected) and is_array(found) and len(expected) == len(found):
        for index, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from differences(one, other, f"{path}[{index}]")
    elif expected != found or isinstance(expected, bool) is not isinstance(found, bool):
        yield f"{path} should be {_shown(expected)}, and is {_shown(found)}"


def _of_objects(expected: JsonObject, found: JsonObject, path: str) -> Iterator[str]:
    for key in dict.fromkeys([*expected, *found]):
        at = f"{path}.{key}"
        if key not in found:
            yield f"{at} is missing: it should be {_shown(expected[key])}"
        elif key not in expected:
            yield f"{at} should not be there, and is {_shown(found[key])}"
        else:
            yield from differences(expected[key], found[key], at)


def _shown(value: Any) -> str:
    try:
        return encode_json(value).decode()
    except ValueError:
        return repr(value)  # something that only compares: pytest.approx(…)

"""Where two values of JSON differ, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from conductor_async.models import encode_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conductor_async.models import JsonObject

__all__ = ["differences"]


def differences(expected: Any, found: Any, path: str) -> Iterator[str]:
    """One line for each place where they differ, as far down as they are of the same kind."""
    if isinstance(expected, dict) and isinstance(found, dict):
        yield from _of_objects(cast("JsonObject", expected), cast("JsonObject", found), path)
    elif _are_lists(expected, found):
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


def _are_lists(expected: Any, found: Any) -> bool:
    return isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found)  # pyright: ignore[reportUnknownArgumentType]


def _shown(value: Any) -> str:
    try:
        return encode_json(value).decode()
    except ValueError:
        return repr(value)  # something that only compares: pytest.approx(…)

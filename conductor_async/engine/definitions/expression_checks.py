"""What the server refuses of the expressions in `inputParameters`.

This is the server's own check at registration. It cuts texts in a simpler way than the evaluation does (nested
expressions fall apart, for example), and looks only at the tasks at the top of a definition.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from conductor_async.engine.expressions._jayway import PathError, compile_path
from conductor_async.engine.json_kinds import is_array, is_object

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from conductor_async.models import JsonObject, JsonValue

__all__ = ["broken_expressions"]

_PREDEFINED = frozenset({"CPEWF_TASK_ID", "NETFLIX_ENV", "NETFLIX_STACK"})


def broken_expressions(tasks: list[JsonObject], reference_names: Collection[str | None]) -> Iterator[str]:
    """Yields the server's message for each expression that it cannot read, or whose root it does not know.

    Args:
        tasks: The tasks at the top of a definition.
        reference_names: Those of all its tasks.
    """

    def is_known(path: str, root: str) -> bool:
        return root == "workflow" or root in reference_names or path in _PREDEFINED

    for task in tasks:
        name = task.get("name")
        for key, text in _strings_in_object(task["inputParameters"]):
            yield from _broken_in(text, key, "null" if name is None else str(name), is_known)


def _strings_in_object(values: JsonObject) -> Iterator[tuple[str, str]]:
    """Yields all strings, each with the innermost key that it is under, which the messages name."""
    for key, value in values.items():
        yield from _strings_in(key, value)


def _strings_in(key: str, value: JsonValue) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif is_object(value):
        yield from _strings_in_object(value)
    elif is_array(value):
        for item in value:
            yield from _strings_in(key, item)


def _broken_in(text: str, key: str, task_name: str, is_known: Callable[[str, str], bool]) -> Iterator[str]:
    for piece in _PIECES.split(text):
        if not (piece.startswith("${") and piece.endswith("}")):
            continue
        path = piece[2:-1]
        root = path.partition(".")[0]
        if not _is_path(path):
            yield f"key: {key} input parameter value: {path} is not valid"
        elif not is_known(path, root):
            yield (
                f"taskReferenceName: {root} for given task: {task_name} input value: {key} of input parameter: {text} "
                "is not defined in workflow definition."
            )


# Cuts before each `${`, but not before that of `$${`, and after each brace.
_PIECES = re.compile(r"(?=(?<!\$)\$\{)|(?<=\})")


def _is_path(text: str) -> bool:
    try:
        compile_path(text)
    except PathError:
        return False
    return bool(text)

"""From the text of a path to its steps."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from conductor_async.engine.expressions._jayway.characters import Characters, unescape
from conductor_async.engine.expressions._jayway.filters import compile_filter
from conductor_async.engine.expressions._jayway.functions import Function
from conductor_async.engine.expressions._jayway.steps import (
    Filtered,
    Index,
    Path,
    PathError,
    Property,
    Scan,
    Slice,
    Step,
    Wildcard,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conductor_async.models import JsonValue

__all__ = ["compile_path"]


@lru_cache(maxsize=2048)
def compile_path(text: str) -> Path:
    """The path that a text says. One that starts with neither `$` nor `@` starts at the document's root.

    Raises:
        PathError: The text is no path.
    """
    characters = Characters(text if text.startswith(("$", "@")) else "$." + text).trimmed()
    if characters.text.endswith("."):
        raise PathError
    return _linked(list(_steps(characters)), from_root=characters.text[0] == "$")


def _linked(steps: list[Step], *, from_root: bool = True) -> Path:
    if len(steps) > 1 and isinstance(steps[0], Scan) and isinstance(steps[-1], Function):
        # `$..a.sum()` is `$.sum($..a)`: the function of all that the scan finds.
        position = next(at for at, step in enumerate(steps) if isinstance(step, Function))
        if position == 1:
            raise PathError
        steps[position:] = [Function(_function_name(steps[position]), [_linked(steps[:position])])]
        del steps[:position]
    definite = True
    for position, step in enumerate(steps):
        step.following = steps[position + 1] if position + 1 < len(steps) else None
        step.after_definite = definite
        definite = definite and step.definite
    keys = tuple(key for step in steps if (key := _key(step)) is not None)
    return Path(tuple(steps), definite, from_root, keys if len(keys) == len(steps) else None)


def _function_name(step: Step) -> str:
    return step.name if isinstance(step, Function) else ""


def _key(step: Step) -> str | int | None:
    """The one name or index of a step that has just one."""
    if isinstance(step, Property) and len(step.names) == 1:
        return step.names[0]
    if isinstance(step, Index) and len(step.indexes) == 1:
        return step.indexes[0]
    return None


def _steps(characters: Characters) -> Iterator[Step]:
    if characters.is_last:
        return
    characters.position += 1
    if characters.here not in (".", "["):
        raise PathError
    while True:
        yield from _next(characters)
        # As in the server, one character that is left over at the end is passed over.
        if characters.is_last:
            return


def _next(characters: Characters) -> Iterator[Step]:
    here = characters.here
    if here == ".":
        yield from _dots(characters)
    elif here == "[":
        yield _bracket(characters)
    elif here == "*":
        characters.position += 1
        yield Wildcard()
    else:
        yield _name(characters)


def _dots(characters: Characters) -> Iterator[Step]:
    if characters.at(characters.position + 1) == ".":
        characters.position += 2
        yield Scan()
    else:
        characters.position += 1
    if characters.here in (".", ""):
        raise PathError
    yield from _next(characters)


def _name(characters: Characters) -> Step:
    found = _NAME.match(characters.text, characters.position)
    if found is None:
        raise PathError
    characters.position = found.end()
    if characters.here == " ":
        raise PathError
    if characters.here != "(":
        return Property((found[0],))
    closing = characters.closing(characters.position, "(", ")")
    if closing == characters.position + 1:
        characters.position = closing
        return Function(found[0])
    arguments = characters.text[characters.position + 1 : closing]
    characters.position = closing + 1
    return Function(found[0], list(_arguments(arguments)))


_NAME = re.compile(r"[^ .\[(]+|(?=\()")


def _arguments(text: str) -> Iterator[JsonValue | Path]:
    for part in _split(text):
        argument = part.strip()
        if argument.startswith(("$", "@")):
            yield compile_path(argument)
        elif argument.startswith(("{", '"', "-")) or argument[:1].isdigit():
            try:
                yield json.loads(argument)
            except ValueError:
                raise PathError from None


def _split(text: str) -> Iterator[str]:
    """The arguments between commas that are in no brackets and in no quotes."""
    depth = start = 0
    quoted = False
    for position, character in enumerate(text):
        if character == '"' and text[position - 1 : position] != "\\":
            quoted = not quoted
        elif not quoted and character in "([{":
            depth += 1
        elif not quoted and character in ")]}":
            depth -= 1
        elif character == "," and not quoted and depth == 0:
            yield text[start:position]
            start = position + 1
    yield text[start:]


def _bracket(characters: Characters) -> Step:
    first = characters.significant_after(characters.position)
    if first in ("'", '"'):
        return _quoted_names(characters, first)
    if first == "*":
        characters.position = (
            characters.find_significant(characters.find_significant(characters.position, "*"), "]") + 1
        )
        return Wildcard()
    if first == "?":
        return _filter(characters)
    return _positions(characters)


def _quoted_names(characters: Characters, quote: str) -> Step:
    names: list[str] = []
    position = characters.position
    while True:
        opening = characters.find_significant(position, quote)
        closing = characters.closing_quote(opening)
        names.append(unescape(characters.text[opening + 1 : closing]))
        after = characters.significant_after(closing)
        if after == "]":
            characters.position = characters.find_significant(closing, "]") + 1
            return Property(tuple(names))
        position = characters.find_significant(closing, ",")


def _filter(characters: Characters) -> Step:
    opening = characters.find_significant(characters.find_significant(characters.position, "?"), "(")
    closing = characters.closing(opening, "(", ")", skip_quotes=True, skip_patterns=True)
    end = characters.find_significant(closing, "]")
    condition = compile_filter(characters.text[opening : closing + 1], compile_path)
    characters.position = end + 1
    return Filtered(condition)


def _positions(characters: Characters) -> Step:
    end = characters.text.find("]", characters.position)
    inside = characters.text[characters.position + 1 : end].strip() if end >= 0 else ""
    characters.position = end + 1
    if _SLICE.fullmatch(inside):
        start, stop = inside.split(":")[:2]
        if start or stop:
            return Slice(int(start) if start else None, int(stop) if stop else None)
    elif _INDEXES.fullmatch(inside):
        return Index([int(index) for index in inside.split(",")])
    raise PathError


_SLICE = re.compile(r"(-?\d+)?:(-?\d+)?(:[-\d:]*)?", re.ASCII)
_INDEXES = re.compile(r"-?\d+(\s*,\s*-?\d+)*", re.ASCII)

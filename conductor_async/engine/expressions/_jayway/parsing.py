"""Compiles the text of a path into its steps."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from conductor_async.engine.expressions._jayway.filters import compile_filter
from conductor_async.engine.expressions._jayway.functions import Function
from conductor_async.engine.expressions._jayway.reader import CharacterReader, unescape
from conductor_async.engine.expressions._jayway.steps import (
    DeepScan,
    Filter,
    Index,
    Path,
    PathError,
    Property,
    Slice,
    Step,
    Wildcard,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conductor_async.models import JsonValue

__all__ = ["compile_path"]

_MAX_LENGTH = 10_000
"""Characters of a path: some take time that grows with the square of this."""


@lru_cache(maxsize=2048)
def compile_path(text: str) -> Path:
    """Returns the compiled path. Without `$` or `@` at its start, it starts at the document's root.

    Raises:
        PathError: The path is malformed.
    """
    if len(text) > _MAX_LENGTH:
        raise PathError
    reader = CharacterReader(text if text.startswith(("$", "@")) else "$." + text).trimmed()
    if reader.text.endswith("."):
        raise PathError
    try:
        return _linked(list(_steps(reader)), from_root=reader.text[0] == "$")
    except RecursionError:
        raise PathError from None


def _linked(steps: list[Step], *, from_root: bool = True) -> Path:
    if len(steps) > 1 and isinstance(steps[0], DeepScan) and isinstance(steps[-1], Function):
        # Jayway rewrites `$..a.sum()` to `$.sum($..a)`: the function gets all that the scan finds.
        position = next(at for at, step in enumerate(steps) if isinstance(step, Function))
        if position == 1:
            raise PathError
        steps[position:] = [Function(_function_name(steps[position]), [_linked(steps[:position])])]
        del steps[:position]
    definite = True
    for position, step in enumerate(steps):
        step.next_step = steps[position + 1] if position + 1 < len(steps) else None
        step.follows_definite = definite
        definite = definite and step.definite
    keys = tuple(key for step in steps if (key := _key(step)) is not None)
    return Path(tuple(steps), definite, from_root, keys if len(keys) == len(steps) else None)


def _function_name(step: Step) -> str:
    return step.name if isinstance(step, Function) else ""


def _key(step: Step) -> str | int | None:
    """Returns the name or index of a step that has exactly one."""
    if isinstance(step, Property) and len(step.names) == 1:
        return step.names[0]
    if isinstance(step, Index) and len(step.indexes) == 1:
        return step.indexes[0]
    return None


def _steps(reader: CharacterReader) -> Iterator[Step]:
    if reader.is_last:
        return
    reader.position += 1
    if reader.here not in (".", "["):
        raise PathError
    while True:
        yield from _step_at(reader)
        # A quirk of Jayway's: one character that is left over at the end is ignored.
        if reader.is_last:
            return


def _step_at(reader: CharacterReader) -> Iterator[Step]:
    here = reader.here
    if here == ".":
        yield from _dotted(reader)
    elif here == "[":
        yield _bracket(reader)
    elif here == "*":
        reader.position += 1
        yield Wildcard()
    else:
        yield _named(reader)


def _dotted(reader: CharacterReader) -> Iterator[Step]:
    if reader.at(reader.position + 1) == ".":
        reader.position += 2
        yield DeepScan()
    else:
        reader.position += 1
    if reader.here in (".", ""):
        raise PathError
    yield from _step_at(reader)


def _named(reader: CharacterReader) -> Step:
    found = _NAME.match(reader.text, reader.position)
    if found is None:
        raise PathError
    reader.position = found.end()
    if reader.here == " ":
        raise PathError
    if reader.here != "(":
        return Property((found[0],))
    closing = reader.closing(reader.position, "(", ")")
    if closing == reader.position + 1:
        reader.position = closing
        return Function(found[0])
    arguments = reader.text[reader.position + 1 : closing]
    reader.position = closing + 1
    return Function(found[0], list(_arguments(arguments)))


_NAME = re.compile(r"[^ .\[(]+|(?=\()")


def _arguments(text: str) -> Iterator[JsonValue | Path]:
    for part in _split_arguments(text):
        argument = part.strip()
        if argument.startswith(("$", "@")):
            yield compile_path(argument)
        elif argument.startswith(("{", '"', "-")) or argument[:1].isdigit():
            try:
                yield json.loads(argument)
            except ValueError:
                raise PathError from None


def _split_arguments(text: str) -> Iterator[str]:
    """Yields the arguments: what is between commas, except commas in brackets or quotes."""
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


def _bracket(reader: CharacterReader) -> Step:
    first = reader.next_non_blank(reader.position)
    if first in ("'", '"'):
        return _quoted_names(reader, first)
    if first == "*":
        reader.position = reader.expect_next(reader.expect_next(reader.position, "*"), "]") + 1
        return Wildcard()
    if first == "?":
        return _filter(reader)
    return _indexes(reader)


def _quoted_names(reader: CharacterReader, quote: str) -> Step:
    names: list[str] = []
    position = reader.position
    while True:
        opening = reader.expect_next(position, quote)
        closing = reader.closing_quote(opening)
        names.append(unescape(reader.text[opening + 1 : closing]))
        after = reader.next_non_blank(closing)
        if after == "]":
            reader.position = reader.expect_next(closing, "]") + 1
            return Property(tuple(names))
        position = reader.expect_next(closing, ",")


def _filter(reader: CharacterReader) -> Step:
    opening = reader.expect_next(reader.expect_next(reader.position, "?"), "(")
    closing = reader.closing(opening, "(", ")", skip_quotes=True, skip_patterns=True)
    end = reader.expect_next(closing, "]")
    condition = compile_filter(reader.text[opening : closing + 1], compile_path)
    reader.position = end + 1
    return Filter(condition)


def _indexes(reader: CharacterReader) -> Step:
    end = reader.text.find("]", reader.position)
    inside = reader.text[reader.position + 1 : end].strip() if end >= 0 else ""
    reader.position = end + 1
    if _SLICE.fullmatch(inside):
        start, stop = inside.split(":")[:2]
        if start or stop:
            return Slice(int(start) if start else None, int(stop) if stop else None)
    elif _INDEXES.fullmatch(inside):
        return Index([int(index) for index in inside.split(",")])
    raise PathError


_SLICE = re.compile(r"(-?\d+)?:(-?\d+)?(:[-\d:]*)?", re.ASCII)
_INDEXES = re.compile(r"-?\d+(\s*,\s*-?\d+)*", re.ASCII)

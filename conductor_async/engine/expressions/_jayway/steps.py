"""The steps of a path, and how each goes on from a value."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

from conductor_async.engine.json_kinds import is_array, is_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from conductor_async.models import JsonValue

__all__ = [
    "Filtered",
    "Index",
    "NotThereError",
    "OutOfRangeError",
    "Path",
    "PathError",
    "Property",
    "Scan",
    "Slice",
    "Step",
    "Walk",
    "Wildcard",
]


class PathError(Exception):
    """The path cannot be read, or not on this document."""


class NotThereError(PathError):
    """A definite path leads nowhere."""


class OutOfRangeError(PathError):
    """A function asked for an item that is not there. Within an array, the next item is tried."""


class Walk:
    """One evaluation of a path: what it goes over, and what it has found.

    Attributes:
        root: What `$` stands for.
        found: The results so far.
        strict: Whether a property that is missing ends it, as in the check of a filter that something exists.
        passes: Whether the last step takes properties. A scan that has come through an array makes it deaf to them,
            unless the array's item is the one that the step before it names: a slip of the server's library.
    """

    __slots__ = ("found", "passes", "root", "strict")

    def __init__(self, root: JsonValue, *, strict: bool = False) -> None:
        self.root = root
        self.strict = strict
        self.passes = True
        self.found: list[JsonValue] = []


class Step:
    """A step of a path. `following` is the next one, None for the last."""

    definite = False
    """Whether it leads to one value at most."""

    after_definite = True
    """Whether all steps before it are definite."""

    following: Step | None = None

    def visit(self, value: JsonValue, walk: Walk) -> None:
        """Go on from `value`."""
        raise NotImplementedError

    def starts_at(self, value: JsonValue, walk: Walk) -> bool:
        """Whether a scan (`..`) that comes by takes this step from `value`."""
        del value, walk
        return False

    def hand_on(self, value: JsonValue, walk: Walk) -> None:
        """`value` is what this step leads to."""
        if self.following is None:
            walk.found.append(value)
        else:
            self.following.visit(value, walk)

    def hand_on_property(self, value: JsonValue, walk: Walk) -> None:
        """`value` is a property that this step leads to."""
        if walk.passes or self.following is not None:
            self.hand_on(value, walk)

    def hand_on_item(self, value: JsonValue, walk: Walk) -> None:
        """`value` is an item of an array that this step leads to."""
        with suppress(OutOfRangeError):
            self.hand_on(value, walk)

    def not_there(self, walk: Walk) -> None:
        """There is nothing for this step to go to."""
        if walk.strict and self.after_definite:
            raise NotThereError


class Property(Step):
    """`.name`, `['name']`, `['one','other']`."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names

    @property
    def definite(self) -> bool:  # type: ignore[override]
        """Several names at the end of a path give one object."""
        return len(self.names) == 1 or self.following is None

    @override
    def visit(self, value: JsonValue, walk: Walk) -> None:
        if not is_object(value):
            self.not_there(walk)
        elif len(self.names) > 1 and self.following is None:
            walk.found.append({name: value[name] for name in self.names if name in value})
        else:
            for name in self.names:
                if name in value:
                    self.hand_on_property(value[name], walk)
                elif walk.strict and (self.following is None or self.after_definite):
                    raise NotThereError

    @override
    def starts_at(self, value: JsonValue, walk: Walk) -> bool:
        return is_object(value) and (not self.definite or all(name in value for name in self.names))


class _OfArray(Step):
    @override
    def visit(self, value: JsonValue, walk: Walk) -> None:
        if is_array(value):
            for position in self.positions(len(value)):
                if -len(value) <= position < len(value):
                    self.hand_on_item(value[position], walk)
        else:
            self.not_there(walk)

    @override
    def starts_at(self, value: JsonValue, walk: Walk) -> bool:
        return is_array(value)

    def positions(self, length: int) -> Sequence[int]:
        """Which items of an array of this length."""
        raise NotImplementedError


class Index(_OfArray):
    """`[0]`, `[-1]`, `[0,2]`."""

    def __init__(self, indexes: Sequence[int]) -> None:
        self.indexes = indexes
        self.definite = len(indexes) == 1

    @override
    def positions(self, length: int) -> Sequence[int]:
        return self.indexes


class Slice(_OfArray):
    """`[1:]`, `[:2]`, `[0:2]`."""

    def __init__(self, start: int | None, stop: int | None) -> None:
        self.start = start
        self.stop = stop

    @override
    def positions(self, length: int) -> Sequence[int]:
        if self.start is None:
            stop = self.stop or 0
            return range(min(length, stop if stop >= 0 else length + stop))
        if self.stop is None:
            return range(max(0, self.start if self.start >= 0 else length + self.start), length)
        return range(self.start, min(length, self.stop)) if length else ()


class Wildcard(Step):
    """`*`, `[*]`."""

    @override
    def visit(self, value: JsonValue, walk: Walk) -> None:
        hand_on = self.hand_on_property if is_object(value) else self.hand_on_item
        for item in _items(value):
            hand_on(item, walk)

    @override
    def starts_at(self, value: JsonValue, walk: Walk) -> bool:
        return True


class Filtered(Step):
    """`[?(…)]`."""

    def __init__(self, condition: Callable[[JsonValue, JsonValue], bool]) -> None:
        self.condition = condition

    @override
    def visit(self, value: JsonValue, walk: Walk) -> None:
        if is_object(value):
            if self.accepts(value, walk):
                self.hand_on(value, walk)
        elif is_array(value):
            for item in value:
                if self.accepts(item, walk):
                    self.hand_on_item(item, walk)
        elif self.after_definite:
            raise PathError

    @override
    def starts_at(self, value: JsonValue, walk: Walk) -> bool:
        return self.accepts(value, walk)

    def accepts(self, value: JsonValue, walk: Walk) -> bool:
        """Whether the condition holds. What it cannot be asked of does not meet it."""
        try:
            return self.condition(value, walk.root)
        except PathError:
            return False


class Scan(Step):
    """`..`: the next step, from everywhere below."""

    @override
    def visit(self, value: JsonValue, walk: Walk) -> None:
        step = self.following
        if step is None or not (is_object(value) or is_array(value)):
            return
        if step.starts_at(value, walk):
            if is_object(value) or step.following is None:
                step.visit(value, walk)
            else:  # from an array the items themselves are taken
                for position, item in enumerate(value):
                    if step.following.following is None:
                        walk.passes = isinstance(step, Index) and step.indexes == [position]
                    step.following.visit(item, walk)
        for item in _items(value):
            self.visit(item, walk)


def _items(value: JsonValue) -> Iterator[JsonValue]:
    if is_object(value):
        yield from value.values()
    elif is_array(value):
        yield from value


@dataclass(frozen=True, slots=True)
class Path:
    """A path, ready to be read from documents.

    Attributes:
        steps: Its steps, linked by `following`. None: the document itself.
        definite: Whether it leads to one value at most.
        from_root: Whether it starts with `$`; in a filter `@` is the item.
        plain: Its names and indexes if it has nothing else: the way nearly all paths are, and the fast one.
    """

    steps: tuple[Step, ...]
    definite: bool
    from_root: bool
    plain: tuple[str | int, ...] | None

    def read(self, document: JsonValue) -> JsonValue:
        """What the path leads to: None if nowhere; for a path that can lead to several values, the list of them.

        Raises:
            PathError: It cannot be read on this document.
        """
        if self.plain is not None:
            return follow(self.plain, document)
        found = self._found(document, Walk(document))
        if self.definite:
            return found[-1] if found else None
        return found

    def value(self, item: JsonValue, root: JsonValue, *, strict: bool = False) -> JsonValue:
        """What the path leads to from `item`, in a filter.

        Raises:
            NotThereError: A definite path leads nowhere.
        """
        found = self._found(item, Walk(root, strict=strict))
        if not self.definite:
            return found
        if not found:
            raise NotThereError
        return found[-1]

    def _found(self, start: JsonValue, walk: Walk) -> list[JsonValue]:
        if not self.steps:
            return [start]
        self.steps[0].visit(start, walk)
        return walk.found


def follow(keys: Sequence[str | int], value: JsonValue) -> JsonValue:
    """What names and indexes lead to, None if nowhere."""
    for key in keys:
        if isinstance(key, str):
            if not is_object(value):
                return None
            value = value.get(key)
        elif is_array(value) and -len(value) <= key < len(value):
            value = value[key]
        else:
            return None
    return value

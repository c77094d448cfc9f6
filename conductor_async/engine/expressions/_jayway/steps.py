"""The steps of a path. Each takes a value and passes what it leads to on to the next step."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

from conductor_async.engine.json_kinds import is_array, is_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from conductor_async.engine.expressions.budget import Budget
    from conductor_async.models import JsonValue

__all__ = [
    "DeepScan",
    "Evaluation",
    "Filter",
    "Index",
    "NoMatchError",
    "OutOfRangeError",
    "Path",
    "PathError",
    "Property",
    "Slice",
    "Step",
    "Wildcard",
]


class PathError(Exception):
    """The path is malformed, or cannot be evaluated on this document."""


class NoMatchError(PathError):
    """A definite path matches nothing."""


class OutOfRangeError(PathError):
    """A function asked for an item beyond the end. Jayway then goes on with the next item of an array around it."""


class Evaluation:
    """The state of one evaluation of a path.

    Attributes:
        root: The value of `$`.
        budget: What is left to compute.
        results: The values found so far.
        strict: Whether a missing property ends the evaluation, as when a filter tests that a path exists.
        takes_properties: Whether the last step still emits properties. A quirk of Jayway's: after a deep scan has gone
            through an array, it does not, unless the step before it names the index of the item.
    """

    __slots__ = ("budget", "results", "root", "strict", "takes_properties")

    def __init__(self, root: JsonValue, budget: Budget, *, strict: bool = False) -> None:
        self.root = root
        self.budget = budget
        self.strict = strict
        self.takes_properties = True
        self.results: list[JsonValue] = []


class Step:
    """A step of a path.

    Attributes:
        definite: Whether it leads to one value at most.
        follows_definite: Whether all steps before it are definite.
        next_step: The step after it; None for the last one.
    """

    definite = False
    follows_definite = True
    next_step: Step | None = None

    def visit(self, value: JsonValue, evaluation: Evaluation) -> None:
        """Takes the step from `value`, and goes on with the next."""
        raise NotImplementedError

    def matches_in_scan(self, value: JsonValue, evaluation: Evaluation) -> bool:
        """Whether a deep scan (`..`) takes this step when it comes by `value`."""
        del value, evaluation
        return False

    def emit(self, value: JsonValue, evaluation: Evaluation) -> None:
        """Passes a value that this step leads to on to the next step, or to the results."""
        evaluation.budget.spend()
        if self.next_step is None:
            evaluation.results.append(value)
        else:
            self.next_step.visit(value, evaluation)

    def emit_property(self, value: JsonValue, evaluation: Evaluation) -> None:
        """Passes on the value of a property."""
        if evaluation.takes_properties or self.next_step is not None:
            self.emit(value, evaluation)

    def emit_item(self, value: JsonValue, evaluation: Evaluation) -> None:
        """Passes on an item of an array."""
        with suppress(OutOfRangeError):
            self.emit(value, evaluation)

    def no_match(self, evaluation: Evaluation) -> None:
        """Ends a strict evaluation, since this step leads nowhere."""
        if evaluation.strict and self.follows_definite:
            raise NoMatchError


class Property(Step):
    """`.name`, `['name']`, `['one','other']`."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names

    @property
    def definite(self) -> bool:  # type: ignore[override]
        """Whether it leads to one value: several names do, too, at the end of a path, where they give one object."""
        return len(self.names) == 1 or self.next_step is None

    @override
    def visit(self, value: JsonValue, evaluation: Evaluation) -> None:
        if not is_object(value):
            self.no_match(evaluation)
        elif len(self.names) > 1 and self.next_step is None:
            evaluation.results.append({name: value[name] for name in self.names if name in value})
        else:
            for name in self.names:
                if name in value:
                    self.emit_property(value[name], evaluation)
                elif evaluation.strict and (self.next_step is None or self.follows_definite):
                    raise NoMatchError

    @override
    def matches_in_scan(self, value: JsonValue, evaluation: Evaluation) -> bool:
        return is_object(value) and (not self.definite or all(name in value for name in self.names))


class _ArrayStep(Step):
    @override
    def visit(self, value: JsonValue, evaluation: Evaluation) -> None:
        if is_array(value):
            for position in self.positions(len(value)):
                evaluation.budget.spend()
                if -len(value) <= position < len(value):
                    self.emit_item(value[position], evaluation)
        else:
            self.no_match(evaluation)

    @override
    def matches_in_scan(self, value: JsonValue, evaluation: Evaluation) -> bool:
        return is_array(value)

    def positions(self, length: int) -> Sequence[int]:
        """Returns the indexes of the items that it takes of an array of this length."""
        raise NotImplementedError


class Index(_ArrayStep):
    """`[0]`, `[-1]`, `[0,2]`."""

    def __init__(self, indexes: Sequence[int]) -> None:
        self.indexes = indexes
        self.definite = len(indexes) == 1

    @override
    def positions(self, length: int) -> Sequence[int]:
        return self.indexes


class Slice(_ArrayStep):
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
    def visit(self, value: JsonValue, evaluation: Evaluation) -> None:
        emit = self.emit_property if is_object(value) else self.emit_item
        for item in _items(value):
            emit(item, evaluation)

    @override
    def matches_in_scan(self, value: JsonValue, evaluation: Evaluation) -> bool:
        return True


class Filter(Step):
    """`[?(…)]`."""

    def __init__(self, condition: Callable[[JsonValue, Evaluation], bool]) -> None:
        self.condition = condition

    @override
    def visit(self, value: JsonValue, evaluation: Evaluation) -> None:
        if is_object(value):
            if self.accepts(value, evaluation):
                self.emit(value, evaluation)
        elif is_array(value):
            for item in value:
                if self.accepts(item, evaluation):
                    self.emit_item(item, evaluation)
        elif self.follows_definite:
            raise PathError

    @override
    def matches_in_scan(self, value: JsonValue, evaluation: Evaluation) -> bool:
        return self.accepts(value, evaluation)

    def accepts(self, value: JsonValue, evaluation: Evaluation) -> bool:
        """Whether the condition holds. A value that it cannot be evaluated on does not meet it."""
        evaluation.budget.spend()
        try:
            return self.condition(value, evaluation)
        except PathError:
            return False


class DeepScan(Step):
    """`..`: takes the next step from the value and from everything below it."""

    @override
    def visit(self, value: JsonValue, evaluation: Evaluation) -> None:
        evaluation.budget.spend()
        step = self.next_step
        if step is None or not (is_object(value) or is_array(value)):
            return
        if step.matches_in_scan(value, evaluation):
            if is_object(value) or step.next_step is None:
                step.visit(value, evaluation)
            else:  # a quirk of Jayway's: of an array, the step after the next is taken, from each item
                for position, item in enumerate(value):
                    if step.next_step.next_step is None:
                        evaluation.takes_properties = isinstance(step, Index) and step.indexes == [position]
                    step.next_step.visit(item, evaluation)
        for item in _items(value):
            self.visit(item, evaluation)


def _items(value: JsonValue) -> Iterator[JsonValue]:
    if is_object(value):
        yield from value.values()
    elif is_array(value):
        yield from value


@dataclass(frozen=True, slots=True)
class Path:
    """A compiled path.

    Attributes:
        steps: Its steps, linked by `next_step`. If there are none, it is the document itself.
        definite: Whether it leads to one value at most.
        from_root: Whether it starts with `$`; in a filter `@` stands for the item.
        plain: Its names and indexes, if there is nothing else in it: nearly all paths are so, and fast to evaluate.
    """

    steps: tuple[Step, ...]
    definite: bool
    from_root: bool
    plain: tuple[str | int, ...] | None

    def read(self, document: JsonValue, budget: Budget) -> JsonValue:
        """Returns the value that the path leads to, or None; for an indefinite path the list of all values.

        Raises:
            PathError: It cannot be evaluated on this document.
            OverBudgetError: That takes too long.
        """
        if self.plain is not None:
            return follow(self.plain, document)
        results = self._results(document, Evaluation(document, budget))
        if self.definite:
            return results[-1] if results else None
        return results

    def value(self, item: JsonValue, outer: Evaluation, *, strict: bool = False) -> JsonValue:
        """Returns what the path leads to from `item`, in a filter or an argument of another path.

        Raises:
            NoMatchError: A definite path matches nothing.
        """
        results = self._results(item, Evaluation(outer.root, outer.budget, strict=strict))
        if not self.definite:
            return results
        if not results:
            raise NoMatchError
        return results[-1]

    def _results(self, start: JsonValue, evaluation: Evaluation) -> list[JsonValue]:
        if not self.steps:
            return [start]
        self.steps[0].visit(start, evaluation)
        return evaluation.results


def follow(keys: Sequence[str | int], value: JsonValue) -> JsonValue:
    """Returns the value that names and indexes lead to, or None."""
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

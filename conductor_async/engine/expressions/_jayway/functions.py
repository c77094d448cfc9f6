"""The functions of paths, such as `length()`, `sum()` and `keys()`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from typing_extensions import override

from conductor_async.engine.expressions._jayway.steps import (
    Evaluation,
    OutOfRangeError,
    Path,
    PathError,
    Step,
    Wildcard,
)
from conductor_async.engine.expressions.java_values import as_java_string
from conductor_async.engine.json_kinds import is_array, is_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from conductor_async.models import JsonValue

__all__ = ["Function"]


class Function(Step):
    """`.name()`, `.name(argument, …)`. An argument is a value, or a path from the document's root."""

    definite = True

    def __init__(self, name: str, arguments: Sequence[JsonValue | Path] = ()) -> None:
        self.name = name
        self.arguments = arguments

    @override
    def visit(self, value: JsonValue, evaluation: Evaluation) -> None:
        if is_array(value) or is_object(value):
            evaluation.budget.spend(len(value))
        if self.name in ("length", "size"):
            result = _length(value, self.arguments, evaluation)
        elif function := _FUNCTIONS.get(self.name):
            result = function(value, [_argument(argument, evaluation) for argument in self.arguments])
        else:
            raise PathError
        evaluation.results.append(result)
        if self.next_step is not None:
            self.next_step.visit(result, evaluation)


def _argument(argument: JsonValue | Path, evaluation: Evaluation) -> JsonValue:
    return argument.value(evaluation.root, evaluation) if isinstance(argument, Path) else argument


def _length(value: JsonValue, arguments: Sequence[JsonValue | Path], outer: Evaluation) -> JsonValue:
    if arguments and isinstance(arguments[0], Path):
        path = arguments[0]
        evaluation = Evaluation(value, outer.budget)
        inner: JsonValue = path.value(value, evaluation)
        if not (path.steps and isinstance(path.steps[-1], Function)):
            for item in [inner] if path.definite else inner:
                Wildcard().visit(item, evaluation)
            inner = evaluation.results
        if is_array(inner):
            return len(inner)
    return len(value) if is_object(value) or is_array(value) else None


def _numbers(value: JsonValue, arguments: Sequence[JsonValue]) -> list[float]:
    given = [*(value if is_array(value) else ()), *_flat(arguments)]
    numbers = [float(item) for item in given if isinstance(item, int | float) and not isinstance(item, bool)]
    if not numbers:
        raise PathError
    return numbers


def _flat(arguments: Sequence[JsonValue]) -> Iterator[JsonValue]:
    for argument in arguments:
        if is_array(argument):
            yield from argument
        else:
            yield argument


def _sum(value: JsonValue, arguments: Sequence[JsonValue]) -> float:
    total = 0.0
    for number in _numbers(value, arguments):  # not sum(): from Python 3.12 on it is more exact than Java's addition
        total += number
    return total


def _average(value: JsonValue, arguments: Sequence[JsonValue]) -> float:
    return _sum(value, arguments) / len(_numbers(value, arguments))


def _maximum(value: JsonValue, arguments: Sequence[JsonValue]) -> float:
    return max(5e-324, *_numbers(value, arguments))  # Jayway starts at Double.MIN_VALUE, so it is never negative


def _minimum(value: JsonValue, arguments: Sequence[JsonValue]) -> float:
    return min(_numbers(value, arguments))


def _deviation(value: JsonValue, arguments: Sequence[JsonValue]) -> float:
    numbers = _numbers(value, arguments)
    total = squares = 0.0
    for number in numbers:
        total += number
        squares += number * number
    count = len(numbers)
    variance = squares / count - total * total / count / count
    return math.sqrt(variance) if variance >= 0 else math.nan


def _concat(value: JsonValue, arguments: Sequence[JsonValue]) -> str:
    texts = [item for item in value if isinstance(item, str)] if is_array(value) else []
    return "".join([*texts, *(as_java_string(item) for item in _flat(arguments) if item is not None)])


def _keys(value: JsonValue, _: Sequence[JsonValue]) -> JsonValue:
    return list(value) if is_object(value) else None


def _append(value: JsonValue, arguments: Sequence[JsonValue]) -> JsonValue:
    return [*value, *arguments] if is_array(value) else value


def _item(value: JsonValue, index: int) -> JsonValue:
    if not is_array(value):
        raise PathError
    if index < 0 and len(value) + index <= 0:
        raise PathError  # a quirk of Jayway's: counted from the end, the first item is out of range
    if index >= len(value):
        raise OutOfRangeError
    return value[index]


def _index(value: JsonValue, arguments: Sequence[JsonValue]) -> JsonValue:
    return _item(value, int(_numbers(None, arguments)[0]))


_FUNCTIONS: Mapping[str, Callable[[JsonValue, Sequence[JsonValue]], JsonValue]] = {
    "sum": _sum,
    "avg": _average,
    "max": _maximum,
    "min": _minimum,
    "stddev": _deviation,
    "concat": _concat,
    "keys": _keys,
    "append": _append,
    "first": lambda value, _: _item(value, 0),
    "last": lambda value, _: _item(value, -1),
    "index": _index,
}

"""The comparison operators of filters, on operands of any types."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from typing import TYPE_CHECKING, TypeAlias

from conductor_async.engine.expressions._jayway.patterns import matches
from conductor_async.engine.expressions._jayway.steps import PathError
from conductor_async.engine.expressions.java_values import as_java_string
from conductor_async.engine.json_kinds import is_array, is_object

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conductor_async.engine.expressions.budget import Budget
    from conductor_async.models import JsonValue

__all__ = ["OPERATORS", "JsonLiteral", "Operand", "as_operand"]


@dataclass(frozen=True, slots=True)
class JsonLiteral:
    """An array or object that is written as a literal in the filter."""

    value: JsonValue


@dataclass(frozen=True, slots=True)
class _JsonNode:
    """An array or object of the document."""

    value: JsonValue


Operand: TypeAlias = "str | bool | Decimal | re.Pattern[str] | JsonLiteral | _JsonNode | None"


def as_operand(value: JsonValue) -> Operand:
    """Returns a value of the document as an operand."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int | float):
        return Decimal(as_java_string(value))
    return _JsonNode(value)


def _equal(left: Operand, right: Operand) -> bool:
    if isinstance(left, JsonLiteral | _JsonNode) and isinstance(right, JsonLiteral | _JsonNode):
        # A quirk of Jayway's: it compares a literal on the left as text, so it never equals anything.
        return isinstance(left, _JsonNode) and _java_equals(left.value, right.value)
    if isinstance(left, Decimal):
        number = _number(right)
        return number is not None and left == number
    if isinstance(left, str):
        return isinstance(right, str | Decimal) and left == _text(right)
    if left is None or isinstance(left, bool):
        return left is right
    return False


def _java_equals(left: JsonValue, right: JsonValue) -> bool:
    """Equality as in Java: 1 is not 1.0, and true is not 1."""
    if is_object(left) and is_object(right):
        return left.keys() == right.keys() and all(_java_equals(item, right[key]) for key, item in left.items())
    if is_array(left) and is_array(right):
        return len(left) == len(right) and all(map(_java_equals, left, right))
    return type(left) is type(right) and bool(left == right)


def _number(operand: Operand) -> Decimal | None:
    if isinstance(operand, Decimal):
        return operand
    if isinstance(operand, str):
        try:
            number = Decimal(operand)
        except InvalidOperation:
            return None
        return number if number.is_finite() else None
    return None


def _text(operand: Operand) -> str:
    return str(operand) if isinstance(operand, str | Decimal) else ""


def _type_safe_equal(left: Operand, right: Operand) -> bool:
    kinds = [_JsonNode if isinstance(side, JsonLiteral) else type(side) for side in (left, right)]
    return kinds[0] is kinds[1] and _equal(left, right)


def _order(left: Operand, right: Operand) -> int | None:
    """Returns -1, 0 or 1; None if the operands have no order."""
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        return (left > right) - (left < right)
    if isinstance(left, str) and isinstance(right, str):
        first, second = left.encode("utf-16-be", "surrogatepass"), right.encode("utf-16-be", "surrogatepass")
        return (first > second) - (first < second)
    return None


def _items(operand: Operand) -> list[Operand] | None:
    """Returns the items of an array; None for an object. Raises `PathError` for anything else."""
    if not isinstance(operand, JsonLiteral | _JsonNode):
        raise PathError
    return [as_operand(item) for item in operand.value] if is_array(operand.value) else None


def _has_item(items: list[Operand], wanted: Operand) -> bool:
    return any(_equal(wanted, item) for item in items)


def _in(left: Operand, right: Operand) -> bool:
    items = _items(right)
    return items is not None and _has_item(items, left)


def _contains(left: Operand, right: Operand) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return right in left
    if isinstance(left, JsonLiteral | _JsonNode):
        items = _items(left)
        return items is not None and _has_item(items, right)
    return False


def _all(left: Operand, right: Operand) -> bool:
    del left, right
    raise PathError  # Jayway 2.9 parses this operator, but does not implement it


def _subset_of(left: Operand, right: Operand) -> bool:
    outer, inner = _items(right), _items(left)
    return outer is not None and inner is not None and all(_has_item(outer, each) for each in inner)


def _any_of(left: Operand, right: Operand) -> bool:
    outer, inner = _items(right), _items(left)
    return outer is not None and inner is not None and any(_has_item(outer, each) for each in inner)


def _none_of(left: Operand, right: Operand) -> bool:
    outer, inner = _items(right), _items(left)
    return outer is not None and inner is not None and not any(_has_item(outer, each) for each in inner)


def _size(left: Operand, right: Operand) -> bool:
    if not isinstance(right, Decimal) or not right.is_finite():
        return False
    right = right.to_integral_value(ROUND_DOWN) if right.adjusted() < _MORE_DIGITS_THAN_ANY_SIZE else right
    if isinstance(left, str):
        return right == len(left)
    if isinstance(left, JsonLiteral | _JsonNode):
        return right == (len(left.value) if is_array(left.value) else -1)
    return False


def _empty(left: Operand, right: Operand) -> bool:
    if not isinstance(left, str | JsonLiteral | _JsonNode):
        return False
    if not isinstance(right, bool):
        raise PathError
    content = left if isinstance(left, str) else left.value
    return (len(content) == 0) is right


def _matches(left: Operand, right: Operand, budget: Budget) -> bool:
    if isinstance(left, re.Pattern) == isinstance(right, re.Pattern):
        return False
    pattern, other = (left, right) if isinstance(left, re.Pattern) else (right, left)
    if not isinstance(pattern, re.Pattern):
        return False
    candidates = [other]
    if isinstance(other, JsonLiteral | _JsonNode) and is_array(other.value):
        candidates = _items(other) or []
    return matches(pattern, [_matched_text(each) for each in candidates], budget)


def _matched_text(operand: Operand) -> str:
    if isinstance(operand, bool):
        return "true" if operand else "false"
    return _text(operand)


def _compared(test: Callable[[int], bool]) -> Callable[[Operand, Operand], bool]:
    def compare(left: Operand, right: Operand) -> bool:
        order = _order(left, right)
        return order is not None and test(order)

    return compare


def _counted(compare: Callable[[Operand, Operand], bool]) -> Callable[[Operand, Operand, Budget], bool]:
    def counted(left: Operand, right: Operand, budget: Budget) -> bool:
        budget.spend(_count(left) * _count(right))
        return compare(left, right)

    return counted


def _count(operand: Operand) -> int:
    """Returns how many values there are in an operand, or a number that is above any budget."""
    if not isinstance(operand, JsonLiteral | _JsonNode):
        return 1
    count, rest = 0, [operand.value]
    while rest and count < _MORE_THAN_ANY_BUDGET:
        value = rest.pop()
        count += 1
        if is_object(value):
            rest.extend(value.values())
        elif is_array(value):
            rest.extend(value)
    return count


_MORE_THAN_ANY_BUDGET = 10_000_000
_MORE_DIGITS_THAN_ANY_SIZE = 20

_PLAIN: Mapping[str, Callable[[Operand, Operand], bool]] = {
    "==": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "===": _type_safe_equal,
    "!==": lambda left, right: not _type_safe_equal(left, right),
    "<": _compared(lambda order: order < 0),
    "<=": _compared(lambda order: order <= 0),
    ">": _compared(lambda order: order > 0),
    ">=": _compared(lambda order: order >= 0),
    "IN": _in,
    "NIN": lambda left, right: not _in(left, right),
    "CONTAINS": _contains,
    "ALL": _all,
    "SIZE": _size,
    "EMPTY": _empty,
    "SUBSETOF": _subset_of,
    "ANYOF": _any_of,
    "NONEOF": _none_of,
}

OPERATORS: Mapping[str, Callable[[Operand, Operand, Budget], bool]] = {
    **{name: _counted(compare) for name, compare in _PLAIN.items()},
    "=~": _matches,
}
"""The operators by name, in upper case."""

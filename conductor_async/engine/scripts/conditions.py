"""Evaluates the conditions that almost all loops have, such as `$.loop['iteration'] < 3`, without JavaScript.

It is an optimisation. Comparing two numbers is the same in every language, but passing the growing output of a loop to
V8 a thousand times is slow.
"""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Final

from conductor_async.engine.json_kinds import is_object

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conductor_async.models import JsonValue

__all__ = ["compare"]

_NAME = r"[A-Za-z_]\w*"
_PATH = rf"\$(?:\.{_NAME}|\[(?:'[^'\\]*'|\"[^\"\\]*\")\])+"
_NUMBER = r"-?\d+(?:\.\d+)?"
_COMPARISON = rf"(?P<left>{_PATH})\s*(?P<operator><=|>=|===|!==|==|!=|<|>)\s*(?P<right>{_PATH}|{_NUMBER})"
_CONDITION: Final = re.compile(
    rf"\s*(?:if\s*\(\s*{_COMPARISON}\s*\)\s*\{{\s*true;?\s*\}}\s*else\s*\{{\s*false;?\s*\}}|"
    + _COMPARISON.replace("<left>", "<left2>").replace("<operator>", "<operator2>").replace("<right>", "<right2>")
    + r")\s*;?\s*"
)
_MAX_LENGTH = 500
_LITERALS = {"true": True, "false": False}
_STEP = re.compile(rf"\.({_NAME})|\['([^']*)'\]|\[\"([^\"]*)\"\]")
_OPERATORS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "===": operator.eq,
    "!=": operator.ne,
    "!==": operator.ne,
}


def compare(condition: str, values: Mapping[str, JsonValue]) -> bool | None:
    """Returns the result of a condition that compares two numbers, or is `true` or `false`; None for any other."""
    if len(condition) > _MAX_LENGTH:
        return None
    found = _CONDITION.fullmatch(condition)
    if found is None:
        return _LITERALS.get(condition.strip())
    left, operator_text, right = (found[name] or found[f"{name}2"] for name in ("left", "operator", "right"))
    one, other = _number(left, values), _number(right, values)
    if one is None or other is None:
        return None
    return _OPERATORS[operator_text](one, other)


def _number(text: str, values: Mapping[str, JsonValue]) -> float | None:
    if not text.startswith("$"):
        return float(text)
    value: JsonValue = values
    for step in _STEP.finditer(text):
        key = step[1] or step[2] or step[3] or ""
        if not is_object(value) or key not in value:
            return None
        value = value[key]
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None

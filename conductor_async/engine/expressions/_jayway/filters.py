"""Compiles filters: the conditions in `[?(…)]`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, TypeAlias

from conductor_async.engine.expressions._jayway.comparisons import (
    OPERATORS,
    JsonLiteral,
    Operand,
    as_operand,
)
from conductor_async.engine.expressions._jayway.patterns import compile_pattern
from conductor_async.engine.expressions._jayway.reader import CharacterReader, unescape
from conductor_async.engine.expressions._jayway.steps import NoMatchError, Path, PathError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conductor_async.engine.expressions._jayway.steps import Evaluation
    from conductor_async.models import JsonValue

    Condition: TypeAlias = Callable[[JsonValue, Evaluation], bool]

__all__ = ["compile_filter"]


def compile_filter(text: str, compile_path: Callable[[str], Path]) -> Condition:
    """Returns the condition of a text in parentheses, as a function of an item and the evaluation.

    Raises:
        PathError: The text is no condition.
    """
    parser = _FilterParser(text, compile_path)
    condition = parser.disjunction()
    if parser.reader.skip_blanks():
        raise PathError
    return condition


@dataclass(frozen=True, slots=True)
class _PathOperand:
    """A path on one side of a comparison.

    Attributes:
        path: The path.
        negated: Whether it is to be absent, if it stands alone: `!@.a`.
    """

    path: Path
    negated: bool

    def operand(self, item: JsonValue, outer: Evaluation) -> Operand:
        start = outer.root if self.path.from_root else item
        try:
            return as_operand(self.path.value(start, outer))
        except NoMatchError:
            return None

    def exists(self, item: JsonValue, outer: Evaluation) -> bool:
        try:
            self.path.value(item, outer, strict=True)
        except NoMatchError:
            return self.negated
        return not self.negated


class _FilterParser:
    def __init__(self, text: str, compile_path: Callable[[str], Path]) -> None:
        self.reader = CharacterReader(text)
        self.compile_path = compile_path

    def disjunction(self) -> Condition:
        """`one || other`."""
        conditions = [self.conjunction()]
        while self._accept("||"):
            conditions.append(self.conjunction())
        return (
            conditions[0] if len(conditions) == 1 else lambda item, outer: any(each(item, outer) for each in conditions)
        )

    def conjunction(self) -> Condition:
        """`one && other`."""
        conditions = [self.term()]
        while self._accept("&&"):
            conditions.append(self.term())
        return (
            conditions[0] if len(conditions) == 1 else lambda item, outer: all(each(item, outer) for each in conditions)
        )

    def term(self) -> Condition:
        """`!(…)`, `(…)`, `left == right`, `@.path`."""
        reader = self.reader
        if reader.skip_blanks() == "!" and reader.next_non_blank(reader.position) not in ("$", "@"):
            reader.position += 1
            negated = self.term()
            return lambda item, outer: not negated(item, outer)
        if reader.skip_blanks() == "(":
            reader.position += 1
            inner = self.disjunction()
            if not self._accept(")"):
                raise PathError
            return inner
        return self.comparison()

    def comparison(self) -> Condition:
        left = self._operand()
        position = self.reader.position
        try:
            compare = OPERATORS[self._operator().upper()]
            right = self._operand()
        except (KeyError, PathError):
            self.reader.position = position
            if isinstance(left, _PathOperand):
                return left.exists
            raise PathError from None
        return lambda item, outer: compare(_evaluated(left, item, outer), _evaluated(right, item, outer), outer.budget)

    def _accept(self, token: str) -> bool:
        position = self.reader.position
        self.reader.skip_blanks()
        if self.reader.text.startswith(token, self.reader.position):
            self.reader.position += len(token)
            return True
        self.reader.position = position
        return False

    def _operator(self) -> str:
        self.reader.skip_blanks()
        found = _OPERATOR.match(self.reader.text, self.reader.position)
        if found is None:
            raise PathError
        self.reader.position = found.end()
        return found[0]

    def _operand(self) -> Operand | _PathOperand:
        here = self.reader.skip_blanks()
        negated = here == "!"
        if negated:
            self.reader.position += 1
            here = self.reader.skip_blanks()
        if here in ("$", "@") and here:
            return self._path_operand(negated)
        if negated:
            raise PathError
        return self._literal(here)

    def _path_operand(self, negated: bool) -> _PathOperand:
        reader = self.reader
        start = reader.position
        reader.position += 1
        while True:
            if reader.here == "[":
                reader.position = reader.closing(reader.position, "[", "]", skip_quotes=True) + 1
            here = reader.here
            if here in ("", " ", "<", ">", "=", "~", "!") or (here == ")" and not self._closes_a_call(start)):
                break
            reader.position += 1
        return _PathOperand(self.compile_path(reader.text[start : reader.position]), negated)

    def _closes_a_call(self, start: int) -> bool:
        before = self.reader.text[start : self.reader.position].rstrip(" ")
        return before.endswith("(") and "." in before[1:-1]

    def _literal(self, here: str) -> Operand:
        reader = self.reader
        start = reader.position
        if here and here in "'\"":
            reader.position = reader.closing_quote(start) + 1
            return unescape(reader.text[start + 1 : reader.position - 1])
        if here and here in "[{":
            reader.position = reader.closing(start, here, "]" if here == "[" else "}", skip_quotes=True) + 1
            return self._json(reader.text[start : reader.position])
        if here == "/":
            return self._pattern(start)
        found = _WORD.match(reader.text, start)
        if found is None:
            raise PathError
        reader.position = found.end()
        return _CONSTANTS[found[0]] if found[0] in _CONSTANTS else self._number(found[0])

    def _json(self, text: str) -> JsonLiteral:
        try:
            return JsonLiteral(json.loads(_QUOTED.sub(_double_quoted, text)))
        except ValueError:
            raise PathError from None

    def _number(self, text: str) -> Decimal:
        try:
            return Decimal(text)
        except InvalidOperation:
            raise PathError from None

    def _pattern(self, start: int) -> re.Pattern[str]:
        end = self.reader.closing_quote(start)
        found = _FLAGS.match(self.reader.text, end + 1)
        flags = found[0] if found else ""
        self.reader.position = end + 1 + len(flags)
        try:
            return compile_pattern(self.reader.text[start + 1 : end], _flags(flags))
        except re.error:
            raise PathError from None


def _evaluated(side: Operand | _PathOperand, item: JsonValue, outer: Evaluation) -> Operand:
    return side.operand(item, outer) if isinstance(side, _PathOperand) else side


def _flags(letters: str) -> re.RegexFlag:
    flags = re.NOFLAG if "U" in letters else re.ASCII
    for letter, flag in (("i", re.IGNORECASE), ("m", re.MULTILINE), ("s", re.DOTALL), ("x", re.VERBOSE)):
        if letter in letters:
            flags |= flag
    return flags


def _double_quoted(found: re.Match[str]) -> str:
    return json.dumps(unescape(found[0][1:-1])) if found[0].startswith("'") else found[0]


_OPERATOR = re.compile(r"[<>=~!]+|[^ ]+")
_WORD = re.compile(r"true|false|null|[-0-9.eE]+")
_CONSTANTS: dict[str, Operand] = {"true": True, "false": False, "null": None}
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'')
_FLAGS = re.compile(r"[dixmsuU]+")

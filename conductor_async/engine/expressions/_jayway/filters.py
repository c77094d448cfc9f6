"""Conditions in a path: what stands in `[?(…)]`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, TypeAlias

from conductor_async.engine.expressions._jayway.characters import Characters, unescape
from conductor_async.engine.expressions._jayway.comparisons import (
    OPERATORS,
    JsonText,
    Operand,
    as_operand,
)
from conductor_async.engine.expressions._jayway.steps import NotThereError, Path, PathError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conductor_async.models import JsonValue

    Condition: TypeAlias = Callable[[JsonValue, JsonValue], bool]

__all__ = ["compile_filter"]


def compile_filter(text: str, compile_path: Callable[[str], Path]) -> Condition:
    """The condition that a text in parentheses says, to be asked of an item and the document.

    Raises:
        PathError: The text is no condition.
    """
    parser = _Parser(text, compile_path)
    condition = parser.either()
    if parser.characters.skip_blanks():
        raise PathError
    return condition


@dataclass(frozen=True, slots=True)
class _Place:
    """A path on one side of a comparison.

    Attributes:
        path: The path.
        wanted: Whether it is asked to exist, if it stands alone: `@.a`, `!@.a`.
    """

    path: Path
    wanted: bool

    def operand(self, item: JsonValue, root: JsonValue) -> Operand:
        start = root if self.path.from_root else item
        try:
            return as_operand(self.path.value(start, root))
        except NotThereError:
            return None

    def exists(self, item: JsonValue, root: JsonValue) -> bool:
        try:
            self.path.value(item, root, strict=True)
        except NotThereError:
            return not self.wanted
        return self.wanted


class _Parser:
    def __init__(self, text: str, compile_path: Callable[[str], Path]) -> None:
        self.characters = Characters(text)
        self.compile_path = compile_path

    def either(self) -> Condition:
        """`one || other`."""
        conditions = [self.all()]
        while self._takes("||"):
            conditions.append(self.all())
        return (
            conditions[0] if len(conditions) == 1 else lambda item, root: any(each(item, root) for each in conditions)
        )

    def all(self) -> Condition:
        """`one && other`."""
        conditions = [self.single()]
        while self._takes("&&"):
            conditions.append(self.single())
        return (
            conditions[0] if len(conditions) == 1 else lambda item, root: all(each(item, root) for each in conditions)
        )

    def single(self) -> Condition:
        """`!(…)`, `(…)`, `left == right`, `@.path`."""
        start = self.characters
        if start.skip_blanks() == "!" and start.significant_after(start.position) not in ("$", "@"):
            start.position += 1
            negated = self.single()
            return lambda item, root: not negated(item, root)
        if start.skip_blanks() == "(":
            start.position += 1
            inner = self.either()
            if not self._takes(")"):
                raise PathError
            return inner
        return self.comparison()

    def comparison(self) -> Condition:
        left = self._operand()
        position = self.characters.position
        try:
            compare = OPERATORS[self._operator().upper()]
            right = self._operand()
        except (KeyError, PathError):
            self.characters.position = position
            if isinstance(left, _Place):
                return left.exists
            raise PathError from None
        return lambda item, root: compare(_of(left, item, root), _of(right, item, root))

    def _takes(self, token: str) -> bool:
        position = self.characters.position
        self.characters.skip_blanks()
        if self.characters.text.startswith(token, self.characters.position):
            self.characters.position += len(token)
            return True
        self.characters.position = position
        return False

    def _operator(self) -> str:
        self.characters.skip_blanks()
        found = _OPERATOR.match(self.characters.text, self.characters.position)
        if found is None:
            raise PathError
        self.characters.position = found.end()
        return found[0]

    def _operand(self) -> Operand | _Place:
        here = self.characters.skip_blanks()
        wanted = True
        if here == "!":
            wanted = False
            self.characters.position += 1
            here = self.characters.skip_blanks()
        if here in ("$", "@") and here:
            return self._place(wanted)
        if not wanted:
            raise PathError
        return self._literal(here)

    def _place(self, wanted: bool) -> _Place:
        characters = self.characters
        start = characters.position
        characters.position += 1
        while True:
            if characters.here == "[":
                characters.position = characters.closing(characters.position, "[", "]", skip_quotes=True) + 1
            here = characters.here
            if here in ("", " ", "<", ">", "=", "~", "!") or (here == ")" and not self._closes_a_call(start)):
                break
            characters.position += 1
        return _Place(self.compile_path(characters.text[start : characters.position]), wanted)

    def _closes_a_call(self, start: int) -> bool:
        before = self.characters.text[start : self.characters.position].rstrip(" ")
        return before.endswith("(") and "." in before[1:-1]

    def _literal(self, here: str) -> Operand:
        characters = self.characters
        start = characters.position
        if here and here in "'\"":
            characters.position = characters.closing_quote(start) + 1
            return unescape(characters.text[start + 1 : characters.position - 1])
        if here and here in "[{":
            characters.position = characters.closing(start, here, "]" if here == "[" else "}", skip_quotes=True) + 1
            return self._json(characters.text[start : characters.position])
        if here == "/":
            return self._pattern(start)
        found = _WORD.match(characters.text, start)
        if found is None:
            raise PathError
        characters.position = found.end()
        return _CONSTANTS[found[0]] if found[0] in _CONSTANTS else self._number(found[0])

    def _json(self, text: str) -> JsonText:
        try:
            return JsonText(json.loads(_SINGLE_QUOTED.sub(_double_quoted, text)))
        except ValueError:
            raise PathError from None

    def _number(self, text: str) -> Decimal:
        try:
            return Decimal(text)
        except InvalidOperation:
            raise PathError from None

    def _pattern(self, start: int) -> re.Pattern[str]:
        end = self.characters.closing_quote(start)
        found = _FLAGS.match(self.characters.text, end + 1)
        flags = found[0] if found else ""
        self.characters.position = end + 1 + len(flags)
        try:
            return re.compile(self.characters.text[start + 1 : end], _flags(flags))
        except re.error:
            raise PathError from None


def _of(side: Operand | _Place, item: JsonValue, root: JsonValue) -> Operand:
    return side.operand(item, root) if isinstance(side, _Place) else side


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
_SINGLE_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'')
_FLAGS = re.compile(r"[dixmsuU]+")

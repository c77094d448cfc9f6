"""Strings with `${…}`, compiled once and cached. Evaluating a plain path then takes microseconds."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from conductor_async._language.expressions import expression_spans, is_blank
from conductor_async.engine.expressions._jayway import Path, PathError, compile_path
from conductor_async.engine.expressions._jayway.steps import follow
from conductor_async.engine.expressions.budget import OverBudgetError
from conductor_async.engine.expressions.java_values import PathResults, as_java_string
from conductor_async.engine.expressions.named_values import look_up
from conductor_async.engine.json_kinds import is_array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conductor_async.engine.expressions.scope import Scope
    from conductor_async.models import JsonValue

__all__ = ["Template", "compile_template"]

logger: logging.Logger = logging.getLogger("conductor_async")

_SECRET_PREFIX = "workflow.secrets."  # noqa: S105 - the prefix of references, no secret
_ENVIRONMENT_PREFIX = "workflow.env."
_TASK_ID = "CPEWF_TASK_ID"
_PREDEFINED = frozenset({_TASK_ID, "NETFLIX_ENV", "NETFLIX_STACK"})
"""Names that the server defines itself. Those of Netflix are variables of its process, which the engine has not."""


@dataclass(frozen=True, slots=True)
class Template:
    """A string, cut at its outermost expressions.

    Attributes:
        source: The string.
        literals: What stands between the expressions: one more than there are expressions.
        expressions: Each expression as it is written, and compiled.
    """

    source: str
    literals: Sequence[str]
    expressions: Sequence[tuple[str, _Expression]]

    def value(self, scope: Scope) -> JsonValue:
        """Returns the value of an expression that is the whole string, else the text with the values filled in."""
        if len(self.expressions) == 1 and self.source == self.expressions[0][0]:
            try:
                return self.expressions[0][1].value(scope)
            except _KeepSource:
                return self.source
        return self.text(scope)

    def text(self, scope: Scope) -> str:
        """Returns the string with the values filled in."""
        pieces = [self.literals[0]]
        for (source, expression), literal in zip(self.expressions, self.literals[1:], strict=True):
            try:
                pieces.append(expression.text(scope))
            except _KeepSource:
                pieces.append(source)
            pieces.append(literal)
        return "".join(pieces).replace("$${", "${")


@lru_cache(maxsize=4096)
def compile_template(text: str) -> Template:
    """Returns the string as a template. Never raises: an expression that cannot be read has no value."""
    literals: list[str] = []
    expressions: list[tuple[str, _Expression]] = []
    previous_end = 0
    for start, end in expression_spans(text):
        if end is None:
            break
        source = text[start:end]
        path = compile_template(source[2:-1])
        nested = _Nested(source, path) if path.expressions else None
        literals.append(text[previous_end:start])
        expressions.append((source, nested or _compile_expression(path.source.replace("$${", "${"), source)))
        previous_end = end
    return Template(text, (*literals, text[previous_end:]), tuple(expressions))


@lru_cache(maxsize=4096)
def _compile_expression(path: str, source: str) -> _Expression:
    if is_blank(path):
        return _Literal("")
    if path.startswith(_SECRET_PREFIX):
        return _Literal(source)  # replaced when the task is handed out: see substitute_secrets
    if path.startswith(_ENVIRONMENT_PREFIX):
        return _Environment(path.removeprefix(_ENVIRONMENT_PREFIX))
    if path in _PREDEFINED:
        return _Predefined(path)
    return _Reference.compile(path)


class _KeepSource(Exception):  # noqa: N818 - an outcome, no error
    """The expression stays in the text as it is written."""


class _Expression:
    __slots__ = ()

    def value(self, scope: Scope) -> JsonValue:
        """Returns what it evaluates to. Raises `_KeepSource`."""
        raise NotImplementedError

    def text(self, scope: Scope) -> str:
        """Returns what is filled in for it in a longer text."""
        return as_java_string(self.value(scope))


@dataclass(frozen=True, slots=True)
class _Literal(_Expression):
    content: str

    def value(self, scope: Scope) -> JsonValue:
        del scope
        return self.content


@dataclass(frozen=True, slots=True)
class _Environment(_Expression):
    """`${workflow.env.NAME}`."""

    name: str

    def value(self, scope: Scope) -> JsonValue:
        if scope.environment is None:
            return _Reference.compile(_ENVIRONMENT_PREFIX + self.name).value(scope)
        return look_up(self.name, scope.environment)


@dataclass(frozen=True, slots=True)
class _Reference(_Expression):
    """A path from a root. `path` is None if it cannot be read."""

    name: str
    path: Path | None

    @classmethod
    def compile(cls, name: str) -> _Reference:
        try:
            return cls(name, compile_path(name))
        except PathError:
            return cls(name, None)

    def value(self, scope: Scope) -> JsonValue:
        path = self.path
        if path is None:
            return None
        if path.plain:  # the fast way, which computes the one root that it needs
            root, *keys = path.plain
            return follow(keys, scope.roots.get(root)) if isinstance(root, str) else None
        try:
            value = path.read({name: scope.roots[name] for name in scope.roots}, scope.budget)
        except (PathError, RecursionError):
            return None
        except OverBudgetError:
            # The real server would go on, without a limit.
            logger.warning("The expression ${%.200s} takes too long to evaluate here, and is taken as null", self.name)
            return None
        if not path.definite and is_array(value):
            value = PathResults(value)
            scope.path_results.append(value)
        return value


@dataclass(frozen=True, slots=True)
class _Predefined(_Expression):
    """A name that the server defines itself. Without a value, the expression stays as it is written."""

    name: str

    def value(self, scope: Scope) -> JsonValue:
        if self.name != _TASK_ID or scope.task_id is None:
            raise _KeepSource
        return scope.task_id


@dataclass(frozen=True, slots=True)
class _Nested(_Expression):
    """An expression whose path has expressions in it: they are evaluated first."""

    source: str
    path: Template

    def value(self, scope: Scope) -> JsonValue:
        return _compile_expression(self.path.text(scope), self.source).value(scope)

    def text(self, scope: Scope) -> str:
        return _compile_expression(self.path.text(scope), self.source).text(scope)

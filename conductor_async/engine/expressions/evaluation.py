"""`${…}` as the server evaluates it.

A text is read once into a template and kept; evaluating one that is a plain path costs microseconds.

```
resolve({"total": "${cart.output.sum}", "note": "for ${workflow.input.name}"}, scope)
```
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from conductor_async.engine.expressions._jayway import Path, PathError, compile_path
from conductor_async.engine.expressions._jayway.steps import follow
from conductor_async.engine.expressions.java_values import PathResults, as_java_string, hash_order, is_blank
from conductor_async.engine.json_kinds import is_array, is_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from conductor_async.models import JsonObject, JsonValue

__all__ = ["Scope", "resolve", "resolve_input", "substitute_secrets", "with_template"]

_SECRET = "workflow.secrets."  # noqa: S105 - not a secret, the place of them
_ENVIRONMENT = "workflow.env."
_TASK_ID = "CPEWF_TASK_ID"
_KNOWN_TO_THE_SERVER = frozenset({_TASK_ID, "NETFLIX_ENV", "NETFLIX_STACK"})


@dataclass(frozen=True, slots=True)
class Scope:
    """What expressions can refer to.

    Attributes:
        roots: What a path can start with: `workflow`, and each task's reference name. May make its values when asked.
            In the action of an event handler, the payload.
        task_id: What `${CPEWF_TASK_ID}` stands for. None leaves the expression as it is.
        environment: What `${workflow.env.NAME}` stands for. None: it is a path like any other, as in event handlers.
        process_environment: What `${NAME}` stands for: on the server, the variables of its own process.
        found: What paths led to that may lead to several values.
    """

    roots: Mapping[str, JsonValue]
    task_id: str | None = None
    environment: Mapping[str, str] | None = field(default_factory=dict[str, str])
    process_environment: Mapping[str, str] = field(default_factory=dict[str, str])
    found: list[PathResults] = field(default_factory=list[PathResults])


def resolve(value: JsonValue, scope: Scope) -> JsonValue:
    """The value with every `${…}` in its texts replaced, at any depth. Keys stay as they are.

    Never raises: what cannot be found or read is None. Objects come back with their keys in the order of a Java
    `HashMap`, as from the server; a value that an expression leads to comes back as the very same object.
    """
    if isinstance(value, str):
        return _template(value).value(scope) if "${" in value else value
    if is_object(value):
        return {key: resolve(value[key], scope) for key in hash_order(value)}
    if is_array(value):
        return [resolve(item, scope) for item in value]
    return value


def resolve_input(parameters: JsonObject | None, scope: Scope, template: JsonObject | None = None) -> JsonObject:
    """The input of a task: its `inputParameters`, with the `inputTemplate` of its task definition.

    The template gives what the parameters do not name, and what they name but resolves to None. In this last case its
    value is taken as it stands, expressions and all, as on the server.
    """
    merged = {**(parameters or {})}
    for key, value in (template or {}).items():
        if merged.get(key) is None:
            merged[key] = value
    resolved: JsonObject = resolve(merged, scope)
    if template:
        for key, value in resolved.items():
            if value is None:
                resolved[key] = template.get(key)
    return resolved


def with_template(given: JsonObject, template: JsonObject | None) -> JsonObject:
    """A workflow's input with the `inputTemplate` of its definition in place of what is absent or None.

    An empty input stays empty, as on the server.
    """
    if not given or not template:
        return given
    return {**given, **{key: value for key, value in template.items() if given.get(key) is None}}


def substitute_secrets(value: JsonValue, secrets: Mapping[str, str]) -> JsonValue:
    """The value with every `${workflow.secrets.…}` replaced: the last thing before a task is handed out or run."""
    if isinstance(value, str):
        return _with_secrets(value, secrets) if "${workflow.secrets." in value else value
    if is_object(value):
        return {key: substitute_secrets(item, secrets) for key, item in value.items()}
    if is_array(value):
        items = [substitute_secrets(item, secrets) for item in value]
        return PathResults(items) if isinstance(value, PathResults) else items
    return value


def _with_secrets(text: str, secrets: Mapping[str, str]) -> JsonValue:
    if whole := _SECRET_REFERENCE.fullmatch(text):
        return _looked_up(whole[1], secrets)

    def as_text(found: re.Match[str]) -> str:
        value = _looked_up(found[1], secrets)
        return "" if value is None else as_java_string(value)

    return _SECRET_REFERENCE.sub(as_text, text)


_SECRET_REFERENCE = re.compile(r"\$\{workflow\.secrets\.([^}]+)\}")


def _looked_up(reference: str, values: Mapping[str, str]) -> JsonValue:
    """`NAME`, or `NAME.path` into a value that is JSON."""
    name, dot, path = reference.partition(".")
    text = values.get(name)
    if text is None or not dot:
        return text
    try:
        return compile_path(path).read(json.loads(text))
    except (PathError, ValueError):
        return None


# -- templates -------------------------------------------------------------------------------------


class _Part:
    """One `${…}` of a text."""

    __slots__ = ()

    def value(self, scope: Scope) -> JsonValue:
        """What it stands for.

        Raises:
            _Stays: It stays as it is.
        """
        raise NotImplementedError

    def text(self, scope: Scope) -> str:
        """What is written for it within a text."""
        return as_java_string(self.value(scope))


class _Stays(Exception):  # noqa: N818 - no error: an outcome
    """The expression stays in the text as it is."""


@dataclass(frozen=True, slots=True)
class _Literal(_Part):
    content: str

    def value(self, scope: Scope) -> JsonValue:
        del scope
        return self.content


@dataclass(frozen=True, slots=True)
class _Environment(_Part):
    name: str

    def value(self, scope: Scope) -> JsonValue:
        if scope.environment is None:
            return _Reference.of(_ENVIRONMENT + self.name).value(scope)
        return _looked_up(self.name, scope.environment)


@dataclass(frozen=True, slots=True)
class _Reference(_Part):
    """A path from a root."""

    name: str
    path: Path | None

    @classmethod
    def of(cls, name: str) -> _Reference:
        try:
            return cls(name, compile_path(name))
        except PathError:
            return cls(name, None)

    def value(self, scope: Scope) -> JsonValue:
        path = self.path
        if self.name in scope.process_environment:
            return scope.process_environment[self.name]
        if path is None:
            return None
        if path.plain:
            root, *keys = path.plain
            return follow(keys, scope.roots.get(root)) if isinstance(root, str) else None
        try:
            value = path.read({name: scope.roots[name] for name in scope.roots})
        except (PathError, RecursionError):
            return None
        if not path.definite and is_array(value):
            value = PathResults(value)
            scope.found.append(value)
        return value


@dataclass(frozen=True, slots=True)
class _KnownName(_Part):
    """A name that the server takes for one of its own: without a value, the expression stays as it is."""

    name: str

    def value(self, scope: Scope) -> JsonValue:
        value = scope.task_id if self.name == _TASK_ID else scope.process_environment.get(self.name)
        if value is None:
            raise _Stays
        return value


@dataclass(frozen=True, slots=True)
class _Nested(_Part):
    """An expression whose path holds expressions."""

    source: str
    path: _Template

    def value(self, scope: Scope) -> JsonValue:
        return _part(self.path.text(scope), self.source).value(scope)

    def text(self, scope: Scope) -> str:
        return _part(self.path.text(scope), self.source).text(scope)


@lru_cache(maxsize=4096)
def _part(path: str, source: str) -> _Part:
    if is_blank(path):
        return _Literal("")
    if path.startswith(_SECRET):
        return _Literal(source)  # replaced when the task is handed out: see substitute_secrets
    if path.startswith(_ENVIRONMENT):
        return _Environment(path.removeprefix(_ENVIRONMENT))
    if path in _KNOWN_TO_THE_SERVER:
        return _KnownName(path)
    return _Reference.of(path)


@dataclass(frozen=True, slots=True)
class _Template:
    """A text, cut at its expressions: text, expression, text, expression, …, text."""

    source: str
    texts: Sequence[str]
    parts: Sequence[tuple[str, _Part]]

    def value(self, scope: Scope) -> JsonValue:
        """The value of an expression that is the whole text, else the text."""
        if len(self.parts) == 1 and self.source == self.parts[0][0]:
            try:
                return self.parts[0][1].value(scope)
            except _Stays:
                return self.source
        return self.text(scope)

    def text(self, scope: Scope) -> str:
        """The text with the values in the places of the expressions."""
        pieces = [self.texts[0]]
        for (source, part), following in zip(self.parts, self.texts[1:], strict=True):
            try:
                pieces.append(part.text(scope))
            except _Stays:
                pieces.append(source)
            pieces.append(following)
        return "".join(pieces).replace("$${", "${")


@lru_cache(maxsize=4096)
def _template(text: str) -> _Template:
    texts: list[str] = []
    parts: list[tuple[str, _Part]] = []
    end = 0
    for start, stop in _expressions(text):
        source = text[start:stop]
        path = _template(source[2:-1])
        part = _Nested(source, path) if path.parts else _part(path.source.replace("$${", "${"), source)
        texts.append(text[end:start])
        parts.append((source, part))
        end = stop
    return _Template(text, (*texts, text[end:]), tuple(parts))


def _expressions(text: str) -> Iterator[tuple[int, int]]:
    """Where the outermost expressions are. `$${` starts none. After one that is not closed there are no more."""
    start = text.find("${")
    while start >= 0:
        if text[start - 1 : start] == "$":
            stop = start + 1
        elif closed := _closed(text, start):
            stop = closed
            yield start, stop
        else:
            return
        start = text.find("${", stop)


def _closed(text: str, start: int) -> int | None:
    depth = 0
    for brace in _BRACE.finditer(text, start):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.end()
    return None


_BRACE = re.compile(r"[{}]")

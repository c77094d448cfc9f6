"""Values that stand under a name of their own: secrets, and the environment's variables."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from conductor_async.engine.expressions._jayway import PathError, compile_path
from conductor_async.engine.expressions.budget import Budget, OverBudgetError
from conductor_async.engine.expressions.java_values import PathResults, as_java_string
from conductor_async.engine.json_kinds import is_array, is_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conductor_async.models import JsonValue

__all__ = ["look_up", "substitute_secrets"]


def look_up(reference: str, values: Mapping[str, str]) -> JsonValue:
    """Returns the value of `NAME`, or of `NAME.path` if the value is JSON; None if there is none."""
    name, dot, path = reference.partition(".")
    text = values.get(name)
    if text is None or not dot:
        return text
    try:
        return compile_path(path).read(json.loads(text), Budget())
    except (PathError, OverBudgetError, ValueError):
        return None


def substitute_secrets(value: JsonValue, secrets: Mapping[str, str]) -> JsonValue:
    """Returns the value with every `${workflow.secrets.…}` replaced.

    This is the last step before a task is handed out or run, so that no secret is ever stored in an execution.
    """
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
        return look_up(whole[1], secrets)

    def as_text(found: re.Match[str]) -> str:
        value = look_up(found[1], secrets)
        return "" if value is None else as_java_string(value)

    return _SECRET_REFERENCE.sub(as_text, text)


_SECRET_REFERENCE = re.compile(r"\$\{workflow\.secrets\.([^}]+)\}")

"""Evaluates `${…}` as the server does.

```
resolve({"total": "${cart.output.sum}", "note": "for ${workflow.input.name}"}, scope)
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.expressions.java_values import hash_order
from conductor_async.engine.expressions.templates import compile_template
from conductor_async.engine.json_kinds import is_array, is_object

if TYPE_CHECKING:
    from conductor_async.engine.expressions.scope import Scope
    from conductor_async.models import JsonObject, JsonValue

__all__ = ["resolve", "resolve_input"]


def resolve(value: JsonValue, scope: Scope) -> JsonValue:
    """Returns the value with every `${…}` in its strings replaced, at any depth. Keys stay as they are.

    Never raises: what cannot be found or read is None. The keys of objects come in the order of a Java `HashMap`, as
    from the server. A value that an expression leads to is that very object, not a copy.
    """
    if isinstance(value, str):
        return compile_template(value).value(scope) if "${" in value else value
    if is_object(value):
        return {key: resolve(value[key], scope) for key in hash_order(value)}
    if is_array(value):
        return [resolve(item, scope) for item in value]
    return value


def resolve_input(parameters: JsonObject | None, scope: Scope, template: JsonObject | None = None) -> JsonObject:
    """Returns the input of a task: its `inputParameters`, and the `inputTemplate` of its task definition.

    The template supplies parameters that are absent or resolve to None. In the second case its value is taken as it
    stands, with its expressions: the server does not evaluate it again.
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

"""The inputs of tasks: expressions are evaluated when a row is made, secrets are filled in when it is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.expressions.evaluation import resolve_input
from conductor_async.engine.expressions.named_values import substitute_secrets
from conductor_async.engine.expressions.roots import Roots
from conductor_async.engine.expressions.scope import Scope

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.task_definition import TaskDefinition
    from conductor_async.models import JsonObject

__all__ = ["evaluate", "with_secrets"]


def evaluate(
    core: Core,
    execution: Execution,
    parameters: JsonObject,
    *,
    definition: TaskDefinition | None = None,
    task_id: str | None = None,
) -> JsonObject:
    """Returns parameters with their expressions evaluated. The result shares nothing with the definition.

    Args:
        core: The engine.
        execution: The execution that the expressions refer to.
        parameters: Values with expressions at any depth.
        definition: Its input template replaces what is missing or null.
        task_id: The value of `${CPEWF_TASK_ID}`.
    """
    scope = Scope(Roots(execution), task_id=task_id, environment=core.environment, budget=core.budget)
    values = resolve_input(parameters, scope, definition.input_template if definition is not None else None)
    execution.has_path_results = execution.has_path_results or bool(scope.path_results)
    return values


def with_secrets(core: Core, value: JsonObject) -> JsonObject:
    """Returns a value with `${workflow.secrets.…}` replaced. An unknown secret is null."""
    filled: JsonObject = substitute_secrets(value, core.secrets)
    return filled

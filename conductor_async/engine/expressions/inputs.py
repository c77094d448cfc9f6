"""The inputs of tasks: their expressions evaluated over an execution, secrets filled in at the last moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.expressions.evaluation import resolve_input
from conductor_async.engine.expressions.named_values import substitute_secrets
from conductor_async.engine.expressions.roots import Roots
from conductor_async.engine.expressions.scope import Scope

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.definition import TaskDefinition
    from conductor_async.engine.state.execution import Execution
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
    """The parameters with their expressions evaluated. What comes out is new: nothing of the definition is shared.

    Args:
        core: The engine.
        execution: What the expressions are about.
        parameters: Values, at any depth.
        definition: Its input template fills what is missing or comes out as null.
        task_id: What `${CPEWF_TASK_ID}` gives.
    """
    scope = Scope(Roots(execution), task_id=task_id, environment=core.environment)
    values = resolve_input(parameters, scope, definition.input_template if definition is not None else None)
    execution.has_path_results = execution.has_path_results or bool(scope.path_results)
    return values


def with_secrets(core: Core, value: JsonObject) -> JsonObject:
    """The same with `${workflow.secrets.…}` replaced. A secret that nobody has set is null."""
    filled: JsonObject = substitute_secrets(value, core.secrets)
    return filled

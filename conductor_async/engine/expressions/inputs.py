"""The inputs of tasks: their expressions evaluated over an execution, and their secrets filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from conductor_async.engine.expressions.evaluation import resolve_input
from conductor_async.engine.expressions.named_values import substitute_secrets
from conductor_async.engine.expressions.roots import Roots
from conductor_async.engine.expressions.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conductor_async.engine.state.compiled import TaskDefinition
    from conductor_async.engine.state.execution import Execution
    from conductor_async.models import JsonObject

__all__ = ["NamedValues", "evaluate", "with_secrets"]


class NamedValues(Protocol):
    """The part of the engine's state that expressions need."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The values of `${workflow.env.NAME}`."""
        ...

    @property
    def secrets(self) -> Mapping[str, str]:
        """The values of `${workflow.secrets.NAME}`."""
        ...


def evaluate(
    named: NamedValues,
    execution: Execution,
    parameters: JsonObject,
    *,
    definition: TaskDefinition | None = None,
    task_id: str | None = None,
) -> JsonObject:
    """Returns the parameters with their expressions evaluated. The result shares nothing with the definition.

    Args:
        named: The environment's variables.
        execution: The execution that the expressions refer to.
        parameters: Values, at any depth.
        definition: Its input template supplies what is absent or evaluates to null.
        task_id: The value of `${CPEWF_TASK_ID}`.
    """
    scope = Scope(Roots(execution), task_id=task_id, environment=named.environment)
    values = resolve_input(parameters, scope, definition.input_template if definition is not None else None)
    execution.has_path_results = execution.has_path_results or bool(scope.path_results)
    return values


def with_secrets(named: NamedValues, value: JsonObject) -> JsonObject:
    """Returns the value with `${workflow.secrets.…}` replaced. A secret that is not set is null."""
    filled: JsonObject = substitute_secrets(value, named.secrets)
    return filled

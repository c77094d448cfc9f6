"""Tasks that workers run: SIMPLE, DYNAMIC, and every type that the server does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.errors import WorkflowHalted
from conductor_async.engine.expressions.java_values import as_java_string, hash_ordered
from conductor_async.engine.rows.kind import TaskKind
from conductor_async.engine.state.definition import TaskSpec

if TYPE_CHECKING:
    from conductor_async.engine.rows.kind import RowFactory
    from conductor_async.engine.state.task_row import TaskRow

__all__ = ["DynamicKind", "SimpleKind", "UserDefinedKind"]


class SimpleKind(TaskKind):
    """A task whose name workers poll for."""

    type = "SIMPLE"
    is_system = False

    def rows(self, factory: RowFactory) -> list[TaskRow]:
        """Returns one row, scheduled after the start delay."""
        spec, definition = factory.spec, factory.spec.definition
        task_id = factory.core.ids.new()
        row = factory.new_row(
            "SCHEDULED",
            task_id=task_id,
            task_type=spec.name,
            input=factory.input(definition, task_id),
            start_delay=spec.start_delay,
            callback_after=spec.start_delay,
            retry_count=factory.retry_count,
            retried_task_id=factory.retried_task_id,
            response_timeout=definition.response_timeout if definition else 3600,
            rate_limit=definition.rate_limit if definition else 0,
            rate_frequency=definition.rate_frequency if definition else 1,
        )
        return [row]


class UserDefinedKind(TaskKind):
    """A task of a type that the server does not know: workers poll for the type."""

    type = "USER_DEFINED"
    is_system = False

    def rows(self, factory: RowFactory) -> list[TaskRow]:
        """Returns one row, scheduled after the start delay."""
        spec = factory.spec
        definition = factory.definition()
        if definition is None:
            msg = f"Invalid task specified. Cannot find task by name {spec.name} in the task definitions"
            raise WorkflowHalted(msg)
        task_id = factory.core.ids.new()
        row = factory.new_row(
            "SCHEDULED",
            task_id=task_id,
            input=factory.input(definition, task_id),
            callback_after=spec.start_delay,
            retry_count=factory.retry_count,
            rate_limit=definition.rate_limit,
            rate_frequency=definition.rate_frequency,
        )
        return [row]


class DynamicKind(TaskKind):
    """A task whose input names the task to run."""

    type = "DYNAMIC"
    is_system = False

    def rows(self, factory: RowFactory) -> list[TaskRow]:
        """Returns one row of the task that the input names."""
        spec = factory.spec
        parameter = spec.wire.get("dynamicTaskNameParam")
        task_input = factory.input()
        name = task_input.get(parameter or "")
        if name is None:
            shown = as_java_string(hash_ordered(task_input))
            msg = f"Cannot map a dynamic task based on the parameter and input. Parameter= {parameter}, input= {shown}"
            raise WorkflowHalted(msg)
        name = as_java_string(name)
        definition = spec.definition or factory.core.metadata.task_definition(name)
        if definition is None:
            msg = f"Invalid task specified.  Cannot find task by name {name} in the task definitions"
            raise WorkflowHalted(msg)
        named = TaskSpec.compile({**spec.wire, "name": name, "taskDefinition": definition.wire})
        task_id = factory.core.ids.new()
        row = factory.new_row(
            "SCHEDULED",
            task_id=task_id,
            task_type=name,
            task_def_name=name,
            input=factory.input(definition, task_id),
            start_delay=spec.start_delay,
            callback_after=spec.start_delay,
            retry_count=factory.retry_count,
            retried_task_id=factory.retried_task_id,
            response_timeout=definition.response_timeout,
        )
        row.spec = named
        return [row]

"""Tasks that workers run: SIMPLE, DYNAMIC, and every type that is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.errors import WorkflowHalted
from conductor_async.engine.expressions.java_values import as_java_string, hash_ordered
from conductor_async.engine.state.definition import TaskSpec
from conductor_async.engine.task_kinds.base import TaskKind

if TYPE_CHECKING:
    from conductor_async.engine.state.execution import TaskRow
    from conductor_async.engine.task_kinds.base import Place

__all__ = ["DynamicKind", "SimpleKind", "UserDefinedKind"]


class SimpleKind(TaskKind):
    """Workers poll for the task's name."""

    type = "SIMPLE"
    is_system = False

    def rows(self, place: Place) -> list[TaskRow]:
        """One row, scheduled after the start delay."""
        spec, definition = place.spec, place.spec.definition
        task_id = place.core.ids.new()
        row = place.row(
            "SCHEDULED",
            task_id=task_id,
            task_type=spec.name,
            input=place.input(definition, task_id),
            start_delay=spec.start_delay,
            callback_after=spec.start_delay,
            retry_count=place.retry_count,
            retried_task_id=place.retried_task_id,
            response_timeout=definition.response_timeout if definition else 3600,
            rate_limit=definition.rate_limit if definition else 0,
            rate_frequency=definition.rate_frequency if definition else 1,
        )
        return [row]


class UserDefinedKind(TaskKind):
    """Workers poll for the type itself."""

    type = "USER_DEFINED"
    is_system = False

    def rows(self, place: Place) -> list[TaskRow]:
        """One row, scheduled after the start delay."""
        spec = place.spec
        definition = spec.definition or place.core.metadata.task_definition(spec.name)
        if definition is None:
            msg = f"Invalid task specified. Cannot find task by name {spec.name} in the task definitions"
            raise WorkflowHalted(msg)
        task_id = place.core.ids.new()
        row = place.row(
            "SCHEDULED",
            task_id=task_id,
            input=place.input(definition, task_id),
            callback_after=spec.start_delay,
            retry_count=place.retry_count,
            rate_limit=definition.rate_limit,
            rate_frequency=definition.rate_frequency,
        )
        return [row]


class DynamicKind(TaskKind):
    """The task's input says which task it is."""

    type = "DYNAMIC"
    is_system = False

    def rows(self, place: Place) -> list[TaskRow]:
        """One row of the type that the input names."""
        spec = place.spec
        parameter = spec.wire.get("dynamicTaskNameParam")
        task_input = place.input()
        name = task_input.get(parameter or "")
        if name is None:
            shown = as_java_string(hash_ordered(task_input))
            msg = f"Cannot map a dynamic task based on the parameter and input. Parameter= {parameter}, input= {shown}"
            raise WorkflowHalted(msg)
        name = as_java_string(name)
        definition = spec.definition or place.core.metadata.task_definition(name)
        if definition is None:
            msg = f"Invalid task specified.  Cannot find task by name {name} in the task definitions"
            raise WorkflowHalted(msg)
        named = TaskSpec.compile({**spec.wire, "name": name, "taskDefinition": definition.wire})
        task_id = place.core.ids.new()
        row = place.row(
            "SCHEDULED",
            task_id=task_id,
            task_type=name,
            task_def_name=name,
            input=place.input(definition, task_id),
            start_delay=spec.start_delay,
            callback_after=spec.start_delay,
            retry_count=place.retry_count,
            retried_task_id=place.retried_task_id,
            response_timeout=definition.response_timeout,
        )
        row.spec = named
        return [row]

"""Tasks and settings of an existing definition, for a builder that continues it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, ClassVar

from conductor_async.workflow.references import plain
from conductor_async.workflow.tasks.base import TaskInterface

if TYPE_CHECKING:
    from conductor_async.models import WorkflowDef, WorkflowTask

__all__ = ["DefinedTask"]

_COMMON = (
    "name",
    "task_reference_name",
    "description",
    "optional",
    "permissive",
    "retry_count",
    "start_delay",
    "async_complete",
    "rate_limited",
    "task_definition",
    "cache_config",
    "on_state_change",
    "metadata",
)


class DefinedTask(TaskInterface):
    """A task of an existing definition, of any type, with the tasks inside of it and all unknown fields.

    The fields that all tasks have can be read and set, and `task.output` refers to its output. The rest stays as it
    is. A fork and its JOIN are two tasks here, one after the other.

    Args:
        definition: The task. It is copied.
    """

    _task_type: ClassVar[str] = "(as defined)"
    _untracked = frozenset({"_definition"})  # never changes; what is set is an attribute beside it

    def __init__(self, definition: WorkflowTask) -> None:
        super().__init__(definition.task_reference_name)
        self._definition = definition.model_copy(deep=True)
        for name in _COMMON:
            setattr(self, name, getattr(self._definition, name))
        self.input_parameters = self._definition.input_parameters

    @property
    def task_type(self) -> str:
        """The type, as the server knows it."""
        return str(self._definition.type)

    def to_workflow_task(self) -> WorkflowTask:
        """Returns the definition, with the fields that were set since."""
        described = super().to_workflow_task()
        result = self._definition.model_copy(deep=True)
        for name in (*_COMMON, "input_parameters"):
            if name in described.model_fields_set and getattr(described, name) != getattr(result, name):
                setattr(result, name, getattr(described, name))
        return result

    def _own_fields(self) -> dict[str, Any]:
        return {"type": self._definition.type, "input_parameters": plain(self.input_parameters)}


def settings_of(definition: WorkflowDef) -> dict[str, Any]:
    """Returns the settings of a definition by name: all fields but its name, version, description and tasks."""
    known = type(definition).model_fields.keys() - {"name", "version", "description", "tasks"}
    names = sorted(definition.model_fields_set & known)
    return {name: value for name in names if (value := getattr(definition, name)) is not None}


def complete(definition: WorkflowDef, origin: WorkflowDef) -> None:
    """Adds what only the original definition has: unknown fields, explicit nulls, and which fields are absent.

    Args:
        definition: The built definition, which is changed.
        origin: The definition that it was read from.
    """
    for name in origin.model_fields_set - definition.model_fields_set:
        if name in type(origin).model_fields and getattr(origin, name) is None:
            setattr(definition, name, None)
    for name in ("name", "tasks"):
        if name not in origin.model_fields_set and not getattr(definition, name):
            definition.model_fields_set.discard(name)
    if origin.model_extra and definition.model_extra is not None:
        definition.model_extra.update(copy.deepcopy(origin.model_extra))

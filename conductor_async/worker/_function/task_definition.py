"""Derives a task definition from a worker function."""

from __future__ import annotations

import contextlib
import difflib
import inspect
from typing import TYPE_CHECKING, Any

from conductor_async.errors import ConfigurationError
from conductor_async.models import TaskDef

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conductor_async.worker._function.argument_binder import ArgumentBinder
    from conductor_async.worker._function.return_types import ReturnType


def derive_task_def(
    given: TaskDef, function: Callable[..., Any], binder: ArgumentBinder, return_type: ReturnType
) -> TaskDef:
    """Returns a copy of a definition, with what it leaves out read from the function.

    That is the description, from the first line of the docstring, and the names of inputs and outputs.

    Raises:
        ConfigurationError: A parameter's annotation cannot be resolved.
    """
    definition = given.model_copy(deep=True)
    summary = (inspect.getdoc(function) or "").partition("\n")[0].strip()
    if summary and not definition.description:
        definition.description = summary
    if names := definition.input_keys or binder.input_names():
        definition.input_keys = names
    with contextlib.suppress(ConfigurationError):  # only type checkers can import the return type
        if names := definition.output_keys or return_type.output_keys():
            definition.output_keys = names
    return definition


def with_fields(definition: TaskDef, fields: Mapping[str, Any]) -> TaskDef:
    """Returns the definition with some fields replaced.

    Raises:
        TypeError: A `TaskDef` has no such field.
    """
    if unknown := sorted(fields.keys() - TaskDef.model_fields.keys()):
        near = difflib.get_close_matches(unknown[0], TaskDef.model_fields, n=1)
        raise TypeError(f"TaskDef has no field {unknown[0]!r}" + (f": did you mean {near[0]!r}?" if near else ""))
    # Only the fields that were set: the others are not sent, so that the server's defaults apply.
    given = {name: getattr(definition, name) for name in definition.model_fields_set}
    return TaskDef.model_validate({**(definition.model_extra or {}), **given, **fields})

"""Derives a task definition from a worker function."""

from __future__ import annotations

import contextlib
import difflib
import inspect
from typing import TYPE_CHECKING, Any

from conductor_async._language.durations import whole_seconds
from conductor_async.errors import ConfigurationError
from conductor_async.models import RetryLogic, TaskDef

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta

    from conductor_async.worker._function.argument_binder import ArgumentBinder
    from conductor_async.worker._function.return_types import ReturnType


def task_def_from_options(
    given: TaskDef | None,
    *,
    retry_count: int | None = None,
    retry_delay: float | timedelta | None = None,
    retry_logic: RetryLogic | str | None = None,
    timeout: float | timedelta | None = None,
    response_timeout: float | timedelta | None = None,
) -> TaskDef | None:
    """Returns a definition with these fields, and those of the given one; the given one if there are none.

    Raises:
        ConfigurationError: A field has another value in the given definition, or no valid one.
    """
    is_count = isinstance(retry_count, int) and not isinstance(retry_count, bool) and retry_count >= 0
    if retry_count is not None and not is_count:
        raise ConfigurationError(f"retry_count must be a whole number of at least 0, not {retry_count!r}")
    if retry_logic is not None and retry_logic not in list(RetryLogic):
        raise ConfigurationError(f"retry_logic must be one of {', '.join(RetryLogic)}, not {retry_logic!r}")
    durations = {
        "retry_delay_seconds": (retry_delay, "retry_delay"),
        "timeout_seconds": (timeout, "timeout"),
        "response_timeout_seconds": (response_timeout, "response_timeout"),
    }
    fields: dict[str, Any] = {
        name: whole_seconds(value, what) for name, (value, what) in durations.items() if value is not None
    }
    fields |= {} if retry_count is None else {"retry_count": retry_count}
    fields |= {} if retry_logic is None else {"retry_logic": RetryLogic(retry_logic)}
    if not fields:
        return given
    definition = TaskDef() if given is None else given
    for name, value in fields.items():
        if name in definition.model_fields_set and getattr(definition, name) != value:
            raise ConfigurationError(
                f"{name} is {getattr(definition, name)!r} in task_def, and {value!r} by a keyword of worker_task: give"
                " it once"
            )
    if 0 < fields.get("timeout_seconds", 0) < definition.response_timeout_seconds:
        # The server refuses a response timeout beyond the timeout, and its default is an hour.
        fields = {"response_timeout_seconds": fields["timeout_seconds"], **fields}
    return with_fields(definition, fields)


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

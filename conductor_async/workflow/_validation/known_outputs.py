"""The fields that the outputs of workers have, so that a misspelt one shows when the workflow is built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, cast, get_origin
from uuid import UUID

from conductor_async.workflow._typed_references import fields_of, place_of, plain_type
from conductor_async.workflow.tasks.base import TaskSequence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from conductor_async.workflow._validation.context import OutputFields
    from conductor_async.workflow.tasks.base import TaskInterface

__all__ = ["closed_output", "known_outputs", "tasks_within"]


def closed_output(kind: Any) -> OutputFields | None:
    """Returns the fields of the output of a worker with this return type; None if it may have other fields."""
    if place_of(kind) == "output":
        return _closed_fields(kind, ())
    kind = plain_type(kind)
    kind = get_origin(kind) or kind
    # An instance of any other class may be of a subclass, which has fields.
    is_value = kind is Literal or (isinstance(kind, type) and issubclass(kind, _VALUES))
    return {"result": None} if is_value else None


_VALUES = (str, int, float, list, tuple, set, frozenset, date, Enum, UUID)


def _closed_fields(kind: Any, around: tuple[Any, ...]) -> OutputFields | None:
    kind = plain_type(kind)
    kind = get_origin(kind) or kind
    fields = None if kind in around or _may_add_fields(kind) else fields_of(kind)
    if fields is None or any(isinstance(field.step, int) for field in fields.values()):
        return None
    return {str(field.step): _closed_fields(field.kind, (*around, kind)) for field in fields.values()}


def _may_add_fields(kind: Any) -> bool:
    """Whether a model accepts fields that it does not declare, or has serializers of its own."""
    config: Mapping[str, Any] = getattr(kind, "model_config", None) or getattr(kind, "__pydantic_config__", None) or {}
    decorators = getattr(kind, "__pydantic_decorators__", None)
    return config.get("extra") == "allow" or bool(decorators and decorators.model_serializers)


def known_outputs(tasks: Sequence[TaskInterface]) -> dict[str, OutputFields]:
    """Returns the fields of the outputs that are known, by reference name."""
    known: dict[str, OutputFields] = {}
    for task in tasks_within(tasks):
        fields: OutputFields | None = getattr(task, "output_fields", None)  # of a `SimpleTask` of a worker function
        if fields is not None:
            known[task.task_reference_name] = fields
    return known


def tasks_within(tasks: Sequence[TaskInterface]) -> Iterator[TaskInterface]:
    """Yields the tasks, and those in their branches, cases and loop bodies."""
    for task in tasks:
        yield task
        for value in vars(task).values():
            for sequence in _sequences(value):
                yield from tasks_within(list(sequence))


def _sequences(value: object) -> Iterator[TaskSequence]:
    values: Iterable[object] = (value,)
    if isinstance(value, Mapping):
        values = cast("Mapping[object, object]", value).values()
    elif isinstance(value, list | tuple):
        values = cast("Sequence[object]", value)
    return (each for each in values if isinstance(each, TaskSequence))

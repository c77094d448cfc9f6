"""What code may give to a model: names of fields that it has, and values that its enumerations have.

Servers may send others, which are kept: a newer server must not break an older client. Code that does is misspelled.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard, get_args, get_origin

from conductor_async._suggestions import did_you_mean
from conductor_async._type_guards import is_class, is_object
from conductor_async.errors import ConfigurationError
from conductor_async.models._enums import TaskType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["Check", "Where", "check_of", "no_field"]

Where: TypeAlias = "tuple[Where | str, str]"
"""Where a value is: what is around it (the name of a class at last), and a step. It is text only in an error."""

Check: TypeAlias = "Callable[[Any, Where], None]"
"""Raises if a value may not be given to a field."""


def no_field(cls: type[Any], name: object, known: Iterable[str], where: Where | None = None) -> str:
    """Returns the error message for a field that a model does not have."""
    hint = did_you_mean(str(name), known) or (
        f" If only a newer server has it: {cls.__name__}.model_validate({{…}}) keeps what it does not know."
    )
    return f"{cls.__name__}() has no field {name!r}{(where and f' (at {_path(where)})') or ''}.{hint}"


def check_of(annotation: Any, check_of_model: Callable[[type[Any]], Check | None]) -> Check | None:
    """Returns the check of the values of a field; None if every value may be given.

    Args:
        annotation: The field's type.
        check_of_model: Returns the check of the dicts that stand for a class; None if it is no model.
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (list, dict):
        item = check_of(arguments[-1], check_of_model)
        return item and (_check_items(item) if origin is list else _check_values(item))
    if arguments:  # a union, or Annotated
        checks = [check for each in arguments if (check := check_of(each, check_of_model))]
        return _check_all(checks) if checks else None
    if not is_class(annotation):
        return None
    if issubclass(annotation, StrEnum):
        # The types of tasks are open for code, too: the server takes any other for the name of a worker's task.
        return None if annotation is TaskType else _check_enum(annotation)
    return check_of_model(annotation)


def _path(where: Where) -> str:
    around, step = where
    return (around if isinstance(around, str) else _path(around)) + step


def _check_all(checks: list[Check]) -> Check:
    def check(value: Any, where: Where) -> None:
        for each in checks:
            each(value, where)

    return checks[0] if len(checks) == 1 else check


def _is_sequence(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, (list, tuple))


def _check_items(item: Check) -> Check:
    def check(value: Any, where: Where) -> None:
        if _is_sequence(value):
            for index, each in enumerate(value):
                item(each, (where, f"[{index}]"))

    return check


def _check_values(item: Check) -> Check:
    def check(value: Any, where: Where) -> None:
        if is_object(value):
            for key, each in value.items():
                item(each, (where, f"[{key!r}]"))

    return check


def _check_enum(kind: type[StrEnum]) -> Check:
    values = {member.value: member for member in kind}

    def check(value: Any, where: Where) -> None:
        if isinstance(value, str) and value not in values:
            hint = did_you_mean(value, values)
            raise ConfigurationError(f"{_path(where)} cannot be {value!r}.{hint} It is one of {', '.join(values)}.")

    return check

"""One parameter of a worker function that a task's input supplies: its type, its default, the keys of its input."""

from __future__ import annotations

import collections.abc
import inspect
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    NamedTuple,
    NotRequired,
    ParamSpecKwargs,
    Required,
    Union,
    get_args,
    get_origin,
)

from pydantic import AliasChoices, AliasPath
from pydantic.fields import FieldInfo

from conductor_async.errors import ConfigurationError
from conductor_async.models._aliases import key_renamer, reading_names
from conductor_async.models._foreign_types import readable

if TYPE_CHECKING:
    from collections.abc import Callable

_NEVER = (
    collections.abc.Callable,
    collections.abc.Iterator,
    collections.abc.Generator,
    collections.abc.AsyncIterable,
    collections.abc.AsyncIterator,
    collections.abc.AsyncGenerator,
    collections.abc.Awaitable,
    collections.abc.Coroutine,
    type,
)
"""What no JSON value can be."""


class InputParameter(NamedTuple):
    """A parameter that a task's input supplies.

    Attributes:
        annotation: Its type for a TypedDict: `Required` or `NotRequired`, with the default where pydantic supplies it.
        keys: The keys that it is read from, the preferred one first. Its name is always among them.
        is_optional: Whether the input may lack it.
        rename: Renames the keys within its value to those that its type reads, where they differ.
    """

    annotation: Any
    keys: tuple[str, ...]
    is_optional: bool
    rename: Callable[[Any], Any] | None


def input_parameter(worker: str, parameter: inspect.Parameter, hint: Any) -> InputParameter:
    """Returns how the input supplies a parameter. `Field(…)` may stand in its annotation, or be its default.

    Raises:
        ConfigurationError: No JSON value is of its type.
    """
    name, default = parameter.name, parameter.default
    try:
        kind: Any = readable(hint)
    except NameError as error:
        raise ConfigurationError(
            f"worker {worker!r}: the type of parameter {name!r} cannot be resolved: {error}"
        ) from error
    if isinstance(default, FieldInfo):
        kind = Annotated[kind, default]
        field = FieldInfo.from_annotation(kind)
        has_default = not field.is_required()
    else:
        field = FieldInfo.from_annotation(kind)
        has_default = default is not inspect.Parameter.empty or not field.is_required()
        if default is not inspect.Parameter.empty and not field.is_required():
            kind = Annotated[kind, FieldInfo(default=default)]  # as in a model, the one that is nearer to the `=` wins
    if not has_default:
        _check_readable(worker, name, hint)
        if _allows_null(hint):
            kind, has_default = Annotated[kind, FieldInfo(default=None)], True
    annotation = NotRequired[kind] if has_default else Required[kind]
    return InputParameter(annotation, _keys(name, field), has_default, key_renamer(hint))


def kwargs_type(annotation: Any) -> Any:
    """Returns the type of one value of `**kwargs`. Those of a wrapper, `**kwargs: P.kwargs`, can be anything."""
    return Any if isinstance(annotation, ParamSpecKwargs) else readable(annotation)


def _keys(name: str, field: FieldInfo) -> tuple[str, ...]:
    alias = field.validation_alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    within = [each.path[0] for each in choices if isinstance(each, AliasPath) and isinstance(each.path[0], str)]
    return tuple(dict.fromkeys((*reading_names(name, field), name, *within)))


def _check_readable(worker: str, name: str, hint: Any) -> None:
    while get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    if (get_origin(hint) or hint) in _NEVER:
        raise ConfigurationError(
            f"worker {worker!r}: the parameter {name!r} is annotated {hint!r}, but a task's input is JSON: annotate it"
            " with what the input has, such as `list[int]`, or give the parameter a default"
        )


def _allows_null(hint: Any) -> bool:
    """Returns whether None is explicitly one of the values."""
    if get_origin(hint) is Annotated:
        return _allows_null(get_args(hint)[0])
    if hasattr(hint, "__supertype__") or hasattr(hint, "__value__"):  # NewType, `type X = …`
        return _allows_null(getattr(hint, "__supertype__", None) or hint.__value__)
    if get_origin(hint) in (Union, UnionType):
        return any(_allows_null(each) for each in get_args(hint))
    return hint is NoneType or hint is None

"""Binds a task's input to the parameters of a worker function."""

from __future__ import annotations

import contextlib
import functools
import inspect
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic_core import to_jsonable_python

from conductor_async.errors import ConfigurationError
from conductor_async.models import Task
from conductor_async.worker._function.annotations import resolve_hints
from conductor_async.worker._function.input_validator import InputValidator
from conductor_async.worker.context import TaskContext

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class ArgumentBinder:
    """Makes a function's keyword arguments from a task.

    - A parameter annotated `Task` or `TaskContext`, or `TaskContext | None`, is injected.
    - Any other parameter gets the input of its name, validated against its annotation; unchanged without one.
    - A missing input leaves the parameter's default. So does null where the type does not allow it.
    - `**kwargs` get all other inputs. Without `**kwargs`, other inputs are ignored, or an error if `strict`.

    Annotations are resolved at first use, because they may name what is defined later.

    Args:
        worker: The worker's name, for errors.
        function: A function, a bound method, a partial, or an object with `__call__`.
        strict: Whether inputs without a parameter are an error.
        namespace: Names that annotations may use in addition to the function's globals.

    Raises:
        ConfigurationError: The function cannot be called with keyword arguments.
    """

    def __init__(
        self,
        worker: str,
        function: Callable[..., Any],
        *,
        strict: bool = False,
        namespace: Mapping[str, Any] | None = None,
    ) -> None:
        self._worker = worker
        self._function = function
        self._strict = strict
        self._namespace = namespace
        try:
            self._parameters = inspect.signature(function).parameters
        except (TypeError, ValueError) as error:
            raise ConfigurationError(
                f"worker {worker!r}: the signature of {function!r} cannot be read: {error}"
            ) from error
        for parameter in self._parameters.values():
            if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
                raise ConfigurationError(
                    f"worker {worker!r}: the parameter {parameter.name!r} is positional-only, but a worker is called"
                    " with keyword arguments: remove the `/`"
                )

    def with_strict(self, strict: bool) -> ArgumentBinder:
        """Returns the binder with `strict` set so."""
        if strict == self._strict:
            return self
        return ArgumentBinder(self._worker, self._function, strict=strict, namespace=self._namespace)

    def resolve(self) -> None:
        """Resolves the annotations now, so that a mistake in them shows before the first task arrives.

        Raises:
            ConfigurationError: An annotation cannot be resolved, or pydantic does not support its type.
        """
        _ = self._validator

    def bind(self, task: Task, context: TaskContext) -> dict[str, Any]:
        """Returns the keyword arguments for a task.

        Raises:
            InputValidationError: The input is invalid. The text names each invalid field and the reason.
        """
        arguments = self._validator.validate(task.input_data)
        for name, kind in self._injected.items():
            arguments[name] = task if kind is Task else context
        return arguments

    def signature(self) -> inspect.Signature:
        """Returns the signature without the injected parameters: what a workflow has to supply."""
        return inspect.Signature([each for each in self._parameters.values() if each.name not in self._injected])

    def input_names(self) -> list[str]:
        """Returns the names of the inputs that have a parameter, in the order of the parameters."""
        return [name for name in self._parameters if name in self._validator.names]

    def json_schema(self) -> dict[str, Any]:
        """Returns the JSON Schema of the input, with the defaults that JSON can represent.

        Raises:
            ConfigurationError: An annotation cannot be resolved, or its type has no JSON Schema.
        """
        schema = self._validator.json_schema()
        for name, field in schema.get("properties", {}).items():
            default = self._parameters[name].default
            if default is not inspect.Parameter.empty:
                with contextlib.suppress(ValueError, TypeError):
                    field["default"] = to_jsonable_python(default)
        return schema

    @functools.cached_property
    def _hints(self) -> dict[str, Any]:
        annotations = {each.name: each.annotation for each in self._parameters.values()}
        return resolve_hints(self._worker, self._function, annotations, self._namespace)

    @functools.cached_property
    def _injected(self) -> dict[str, type]:
        """The parameters that get the task or its context, with which of the two."""
        named = (name for name, each in self._parameters.items() if each.kind in _NAMED)
        kinds = {name: _injected_type(self._hints.get(name)) for name in named}
        return {name: kind for name, kind in kinds.items() if kind is not None}

    @functools.cached_property
    def _validator(self) -> InputValidator:
        types: dict[str, Any] = {}
        kwargs: Any | None = None
        for name, parameter in self._parameters.items():
            hint = self._hints.get(name, Any)
            if parameter.kind is inspect.Parameter.VAR_KEYWORD:
                kwargs = hint
            elif parameter.kind in _NAMED and name not in self._injected:
                types[name] = hint
        return InputValidator(
            self._worker,
            types=types,
            optional={name for name in types if self._parameters[name].default is not inspect.Parameter.empty},
            kwargs=kwargs,
            reserved=self._injected,
            strict=self._strict,
        )


def _injected_type(hint: Any) -> type | None:
    """Returns `Task` or `TaskContext` if the annotation is one of them, optional or `Annotated` included."""
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    if get_origin(hint) in (Union, UnionType):
        kinds = [each for each in get_args(hint) if each is not NoneType]
        hint = kinds[0] if len(kinds) == 1 else None
    if not isinstance(hint, type):
        return None
    return next((kind for kind in (Task, TaskContext) if issubclass(hint, kind)), None)

"""Binds a task's input to the parameters of a worker function."""

from __future__ import annotations

import contextlib
import functools
import inspect
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from conductor_async.errors import ConfigurationError
from conductor_async.models import Task
from conductor_async.worker._function.annotations import resolve_hints
from conductor_async.worker._function.input_parameter import InputParameter, input_parameter
from conductor_async.worker._function.input_validator import InputValidator
from conductor_async.worker.context import TaskContext

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class ArgumentBinder:
    """Makes a function's keyword arguments from a task.

    - A parameter annotated `Task` or `TaskContext`, or `TaskContext | None`, is injected.
    - A lone parameter without annotation and default, or annotated `object`, gets the `Task`, as in conductor-python.
    - Any other parameter gets the input of its name or alias, validated against its annotation; unchanged without one.
    - A missing input leaves the parameter's default; without one, it is None if the type allows None. Null leaves the
      default where the type does not allow it.
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
        if [each.kind for each in self._parameters.values()] == [inspect.Parameter.VAR_POSITIONAL]:
            raise ConfigurationError(
                f"worker {worker!r} takes only `*args`, which stay empty, since a worker is called with keyword"
                " arguments: name its parameters, or write `**kwargs`"
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
        arguments = self._validator.validate(task.input_data, task)
        for name, kind in self._injected.items():
            arguments[name] = task if kind is Task else context
        return arguments

    def inputs(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the task input for a call of the function: the arguments by the keys that they are read from.

        Raises:
            TypeError: An argument is missing, or there is no such parameter.
        """
        bound = self.signature().bind(*args, **kwargs)
        inputs: dict[str, Any] = {}
        for name, value in bound.arguments.items():
            kind = bound.signature.parameters[name].kind
            inputs |= value if kind is inspect.Parameter.VAR_KEYWORD else {name: value}
        if missing := [name for name, each in self.field_defaults.items() if each.is_required() and name not in inputs]:
            raise TypeError(f"missing a required argument: {missing[0]!r}")
        return {self.key(name): value for name, value in inputs.items()}

    def key(self, name: str) -> str:
        """Returns the key of the input that a parameter is read from: its alias, if it has one."""
        found = self._inputs.get(name)
        return name if found is None else found.keys[0]

    def signature(self) -> inspect.Signature:
        """Returns the signature without the injected parameters: what a workflow has to supply.

        A function that takes the task and nothing else reads what it likes from the task's input: so any name will do.
        """
        given = [each for each in self._parameters.values() if each.name not in self._injected]
        if not given and Task in self._injected.values():
            given = [inspect.Parameter("inputs", inspect.Parameter.VAR_KEYWORD)]
        return inspect.Signature(given)

    @functools.cached_property
    def field_defaults(self) -> dict[str, FieldInfo]:
        """The parameters whose default is a `Field(…)`: the function itself does not know what that stands for."""
        return {name: each.default for name, each in self._parameters.items() if isinstance(each.default, FieldInfo)}

    def missing_defaults(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Returns what the `Field(…)` of parameters stand for that a call of the function leaves out.

        Raises:
            TypeError: The `Field(…)` has no default.
        """
        given = inspect.signature(function).bind_partial(*args, **kwargs).arguments
        missing = {name: each for name, each in self.field_defaults.items() if name not in given}
        if required := [name for name, each in missing.items() if each.is_required()]:
            raise TypeError(f"{self._worker}() is missing a required argument: {required[0]!r}")
        return {name: each.get_default(call_default_factory=True, validated_data={}) for name, each in missing.items()}

    def input_names(self) -> list[str]:
        """Returns the keys of the inputs that have a parameter, in the order of the parameters."""
        return [self.key(name) for name in self._parameters if name in self._validator.names]

    def json_schema(self) -> dict[str, Any]:
        """Returns the JSON Schema of the input, with the defaults that JSON can represent.

        Raises:
            ConfigurationError: An annotation cannot be resolved, or its type has no JSON Schema.
        """
        schema = self._validator.json_schema()
        names = {self.key(name): name for name in self._validator.names}
        for key, field in schema.get("properties", {}).items():
            default = self._parameters[names[key]].default
            if default is not inspect.Parameter.empty and not isinstance(default, FieldInfo):
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
        if self._is_for_the_task_alone():
            return dict.fromkeys(self._parameters, Task)
        named = (name for name, each in self._parameters.items() if each.kind in _NAMED)
        kinds = {name: _injected_type(self._hints.get(name)) for name in named}
        return {name: kind for name, kind in kinds.items() if kind is not None}

    def _is_for_the_task_alone(self) -> bool:
        if len(self._parameters) != 1:
            return False
        (parameter,) = self._parameters.values()
        if parameter.kind not in _NAMED or parameter.default is not inspect.Parameter.empty:
            return False
        return self._hints.get(parameter.name, object) is object

    @functools.cached_property
    def _inputs(self) -> dict[str, InputParameter]:
        """The parameters that the task's input supplies."""
        return {
            name: input_parameter(self._worker, each, self._hints.get(name, Any))
            for name, each in self._parameters.items()
            if each.kind in _NAMED and name not in self._injected
        }

    @functools.cached_property
    def _validator(self) -> InputValidator:
        kwargs = [each.name for each in self._parameters.values() if each.kind is inspect.Parameter.VAR_KEYWORD]
        return InputValidator(
            self._worker,
            self._inputs,
            kwargs=self._hints.get(kwargs[0], Any) if kwargs else None,
            reserved=self._injected,
            strict=self._strict and not (not self._inputs and Task in self._injected.values()),
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

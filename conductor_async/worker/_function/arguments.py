"""From a task's input to the arguments of a worker function, by name and through pydantic."""

from __future__ import annotations

import contextlib
import functools
import inspect
from types import GenericAlias, NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    NotRequired,
    Required,
    Union,
    Unpack,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import ConfigDict, PydanticUndefinedAnnotation, PydanticUserError, TypeAdapter, ValidationError
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic_core import to_jsonable_python
from typing_extensions import TypedDict

from conductor_async.errors import ConfigurationError, NonRetryableException
from conductor_async.models import Task
from conductor_async.worker.context import TaskContext

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class UnfitInputError(NonRetryableException):
    """A task's input does not fit the worker: no retry will change that."""


class Arguments:
    """How a function is called for a task. Made once for a worker; the first use resolves the annotations.

    - A parameter annotated `Task` gets the task, one annotated `TaskContext` its context; `TaskContext | None` as well.
    - Every other one gets the input of its name, validated as annotated; without an annotation, as it came.
    - An input that is missing leaves the parameter's default. So does null, where the type does not allow it: a
      workflow that passes on an input which nobody gave sends null.
    - `**kwargs` get all other inputs. Without them, other inputs are ignored, or refused if `strict`.

    Args:
        name: The worker's name, for errors.
        function: What is called: a function, a bound method, a partial, an object with `__call__`.
        strict: Whether inputs without a parameter are refused.
        namespace: Names that annotations may use beside the function's globals.

    Raises:
        ConfigurationError: The function cannot be called by name.
    """

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        *,
        strict: bool = False,
        namespace: Mapping[str, Any] | None = None,
    ) -> None:
        self._name = name
        self._function = function
        self._strict = strict
        self._namespace = namespace
        try:
            self._parameters = inspect.signature(function).parameters
        except (TypeError, ValueError) as error:
            raise ConfigurationError(
                f"worker {name!r}: the signature of {function!r} cannot be read: {error}"
            ) from error
        for parameter in self._parameters.values():
            if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
                raise ConfigurationError(
                    f"worker {name!r}: the parameter {parameter.name!r} can only be given by position,"
                    " and a task's input has names"
                )

    def with_strict(self, strict: bool) -> Arguments:
        """The same, with inputs that have no parameter refused, or not."""
        if strict == self._strict:
            return self
        return Arguments(self._name, self._function, strict=strict, namespace=self._namespace)

    def resolve(self) -> None:
        """Reads the annotations now, so that a mistake in them shows before the first task does.

        Raises:
            ConfigurationError: An annotation cannot be resolved, or pydantic cannot validate such a type.
        """
        _ = self._plan

    def bind(self, task: Task, context: TaskContext) -> dict[str, Any]:
        """The keyword arguments for this task.

        Raises:
            UnfitInputError: The input does not fit. The text names each field and what is wrong with it.
        """
        plan = self._plan
        bound: dict[str, Any] = plan.validated(task.input_data)
        for name, kind in plan.injected:
            bound[name] = task if kind is Task else context
        return bound

    def signature(self) -> inspect.Signature:
        """The signature without what the host supplies: what a workflow has to give."""
        injected = {name for name, _ in self._plan.injected}
        return inspect.Signature([each for each in self._parameters.values() if each.name not in injected])

    def names(self) -> list[str]:
        """The inputs that have a parameter, in their order."""
        return [name for name in self._parameters if name in self._plan.fields]

    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema of the inputs, with the defaults that JSON can hold.

        Raises:
            ConfigurationError: An annotation cannot be resolved, or has no JSON Schema.
        """
        schema = self._plan.json_schema()
        for name, shown in schema.get("properties", {}).items():
            default = self._parameters[name].default
            if default is not inspect.Parameter.empty:
                with contextlib.suppress(ValueError, TypeError):
                    shown["default"] = to_jsonable_python(default)
        return schema

    @functools.cached_property
    def _plan(self) -> _Plan:
        hints = self._hints()
        injected: list[tuple[str, type]] = []
        fields: dict[str, Any] = {}
        defaults: set[str] = set()
        extras: TypeAdapter[dict[str, Any]] | None = None
        for parameter in self._parameters.values():
            hint = hints.get(parameter.name, Any)
            if parameter.kind is inspect.Parameter.VAR_KEYWORD:
                extras = _adapter(self._name, _of_others(hint))
            elif parameter.kind in _BY_NAME:
                if (kind := _injected(hint)) is not None:
                    injected.append((parameter.name, kind))
                    continue
                required = parameter.default is inspect.Parameter.empty
                fields[parameter.name] = Required[hint] if required else NotRequired[hint]
                if not required:
                    defaults.add(parameter.name)
        shape = _adapter(self._name, _shape(fields, strict=self._strict and extras is None))
        return _Plan(self._name, shape, tuple(injected), frozenset(defaults), extras, frozenset(fields))

    def _hints(self) -> dict[str, Any]:
        def holder() -> None: ...

        # Only the parameters' annotations: what the function returns may be importable by type checkers alone.
        holder.__annotations__ = {
            each.name: each.annotation
            for each in self._parameters.values()
            if each.annotation is not inspect.Parameter.empty
        }
        function = underlying(self._function)
        namespace = {**getattr(function, "__globals__", {}), **(self._namespace or {})}
        try:
            return get_type_hints(holder, globalns=namespace, include_extras=True)
        except (NameError, TypeError, SyntaxError, AttributeError) as error:
            raise ConfigurationError(
                f"worker {self._name!r}: an annotation cannot be resolved: {error}."
                " Import what it names at run time too, outside of `if TYPE_CHECKING`"
            ) from error


class _Plan:
    """What `Arguments` found out from the annotations."""

    __slots__ = ("_adapter", "_defaults", "_extras", "_name", "fields", "injected")

    def __init__(
        self,
        name: str,
        adapter: TypeAdapter[dict[str, Any]],
        injected: tuple[tuple[str, type], ...],
        defaults: frozenset[str],
        extras: TypeAdapter[dict[str, Any]] | None,
        fields: frozenset[str],
    ) -> None:
        self._name = name
        self._adapter = adapter
        self.injected = injected
        self._defaults = defaults
        self._extras = extras
        self.fields = fields

    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema of what `validated` takes."""
        schema = schema_of(self._name, self._adapter, "validation")
        if self._extras is not None:
            # The definitions that it refers to stand at the top.
            others = schema_of(self._name, self._extras, "validation")
            schema["additionalProperties"] = others.get("additionalProperties", True)
            if definitions := {**schema.get("$defs", {}), **others.get("$defs", {})}:
                schema["$defs"] = definitions
        return {**schema, "title": self._name}

    def validated(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The input as arguments.

        Raises:
            UnfitInputError: It does not fit.
        """
        known = {name: value for name, value in given.items() if name in self.fields} if self._extras else given
        try:
            bound = self._adapter.validate_python(known)
        except ValidationError as error:
            bound = self._without_nulls(known, error)
        if self._extras is not None:
            names = {name for name, _ in self.injected}
            others = {name: value for name, value in given.items() if name not in self.fields and name not in names}
            try:
                bound |= self._extras.validate_python(others)
            except ValidationError as error:
                raise self._refused(error) from error
        return bound

    def _without_nulls(self, given: Mapping[str, Any], error: ValidationError) -> dict[str, Any]:
        nulls = {str(problem["loc"][0]) for problem in error.errors(include_url=False) if problem["loc"]}
        nulls = {name for name in nulls if name in self._defaults and name in given and given[name] is None}
        if not nulls:
            raise self._refused(error) from error
        try:
            return self._adapter.validate_python({name: value for name, value in given.items() if name not in nulls})
        except ValidationError as remaining:
            raise self._refused(remaining) from remaining

    def _refused(self, error: ValidationError) -> UnfitInputError:
        problems = "; ".join(
            f"{path_of(problem['loc'])}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_context=False, include_input=False)[:10]
        )
        return UnfitInputError(f"The task's input does not fit the worker {self._name!r}: {problems}")


def _shape(fields: Mapping[str, Any], *, strict: bool) -> Any:
    """A TypedDict, because any name can be a key of it, and because what comes out of it is the keyword arguments."""
    make: Any = TypedDict  # type checkers want the fields as a literal
    shape = make("shape", dict(fields))
    shape.__pydantic_config__ = ConfigDict(extra="forbid" if strict else "ignore")
    return shape


def _of_others(hint: Any) -> Any:
    """The type of all inputs that `**kwargs` annotated so can take."""
    return get_args(hint)[0] if get_origin(hint) is Unpack else GenericAlias(dict, (str, hint))


def _adapter(name: str, kind: Any) -> TypeAdapter[dict[str, Any]]:
    try:
        return TypeAdapter(kind)
    except (PydanticUserError, PydanticUndefinedAnnotation) as error:
        raise ConfigurationError(f"worker {name!r}: pydantic cannot validate a parameter: {error.message}") from error


def schema_of(name: str, adapter: TypeAdapter[Any], mode: Literal["validation", "serialization"]) -> dict[str, Any]:
    """The JSON Schema of a type.

    Raises:
        ConfigurationError: It has none.
    """
    try:
        return adapter.json_schema(mode=mode)
    except PydanticInvalidForJsonSchema as error:
        raise ConfigurationError(f"worker {name!r}: there is no JSON Schema for a type: {error.message}") from error


def _injected(hint: Any) -> type | None:
    """`Task` or `TaskContext`, if that is what the annotation asks for, be it with None beside it."""
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    if get_origin(hint) in (Union, UnionType):
        kinds = [each for each in get_args(hint) if each is not NoneType]
        hint = kinds[0] if len(kinds) == 1 else None
    if not isinstance(hint, type):
        return None
    return next((kind for kind in (Task, TaskContext) if issubclass(hint, kind)), None)


def underlying(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function that was written: without partials, bindings, `__call__` and decorators."""
    while True:
        if isinstance(function, functools.partial):
            function = function.func
        elif inspect.ismethod(function):
            function = function.__func__
        elif hasattr(function, "__wrapped__"):
            function = inspect.unwrap(function)
        elif not inspect.isroutine(function) and not isinstance(function, type):
            function = type(function).__call__
        else:
            return function


def path_of(location: Sequence[int | str]) -> str:
    """`("order", "lines", 2, "price")` → `order.lines[2].price`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")

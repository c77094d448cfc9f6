"""Validates a task's input with pydantic, against the types of a function's parameters."""

from __future__ import annotations

from types import GenericAlias
from typing import TYPE_CHECKING, Any, Unpack, get_args, get_origin

from pydantic import ConfigDict, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from conductor_async._type_guards import is_object
from conductor_async.errors import NonRetryableException
from conductor_async.worker._function.annotations import json_schema, type_adapter
from conductor_async.worker._function.input_parameter import kwargs_type

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pydantic_core import ErrorDetails

    from conductor_async.models import Task
    from conductor_async.worker._function.input_parameter import InputParameter

_MAX_REPORTED_ERRORS = 10
_MAX_EXPRESSION = 200  # characters

_LENIENT = ConfigDict(coerce_numbers_to_str=True)


class InputValidationError(NonRetryableException):
    """A task's input does not match the worker's parameters. A retry gets the same input, so it cannot help."""


class InputValidator:
    """Turns a task's input into keyword arguments. Numbers become text where a text is expected.

    Args:
        worker: The worker's name, for errors.
        parameters: The parameters, by name.
        kwargs: The annotation of `**kwargs`; None if the function has no `**kwargs`.
        reserved: Parameters that the host fills in. Inputs of these names are ignored.
        strict: Whether inputs without a parameter are an error. Without effect if there are `**kwargs`.

    Raises:
        ConfigurationError: pydantic does not support a type.
    """

    __slots__ = ("_adapter", "_kwargs_adapter", "_names", "_optional", "_renames", "_reserved", "_worker", "names")

    def __init__(
        self,
        worker: str,
        parameters: Mapping[str, InputParameter],
        *,
        kwargs: Any | None = None,
        reserved: Collection[str] = (),
        strict: bool = False,
    ) -> None:
        fields = {name: each.annotation for name, each in parameters.items()}
        self._worker = worker
        self._optional = frozenset(name for name, each in parameters.items() if each.is_optional)
        self._reserved = frozenset(reserved)
        self._names = {key: name for name, each in parameters.items() for key in each.keys}
        self._names |= {name: name for name in parameters}  # a name is its parameter's, whatever aliases others have
        self._renames = {key: each.rename for each in parameters.values() if each.rename for key in each.keys}
        self._adapter: TypeAdapter[dict[str, Any]] = type_adapter(
            worker, _typed_dict(fields, strict=strict and kwargs is None)
        )
        self._kwargs_adapter: TypeAdapter[dict[str, Any]] | None = (
            None if kwargs is None else _kwargs_adapter(worker, kwargs)
        )
        self.names = frozenset(fields)

    def validate(self, given: Mapping[str, Any], task: Task | None = None) -> dict[str, Any]:
        """Returns the input as keyword arguments.

        Args:
            given: The input.
            task: The task, whose definition says where the input is from: for errors.

        Raises:
            InputValidationError: The input is invalid.
        """
        if self._renames:
            rename = self._renames
            given = {key: rename[key](value) if key in rename else value for key, value in given.items()}
        if self._kwargs_adapter is None:
            return self._validate_named(given, task)
        arguments = self._validate_named({key: value for key, value in given.items() if key in self._names}, task)
        others = {key: value for key, value in given.items() if key not in self._names and key not in self._reserved}
        try:
            return arguments | self._kwargs_adapter.validate_python(others)
        except ValidationError as error:
            raise self._input_error(error, task) from error

    def json_schema(self) -> dict[str, Any]:
        """Returns the JSON Schema of a valid input.

        Raises:
            ConfigurationError: A type has no JSON Schema.
        """
        schema = json_schema(self._worker, self._adapter, "validation")
        if self._kwargs_adapter is not None:
            others = json_schema(self._worker, self._kwargs_adapter, "validation")
            schema["additionalProperties"] = others.get("additionalProperties", True)
            # A schema's references start at its root, so the nested definitions move there.
            if definitions := {**schema.get("$defs", {}), **others.get("$defs", {})}:
                schema["$defs"] = definitions
        return {**schema, "title": self._worker}

    def _validate_named(self, given: Mapping[str, Any], task: Task | None) -> dict[str, Any]:
        try:
            return self._adapter.validate_python(given)
        except ValidationError as error:
            nulls = self._ignorable_nulls(given, error)
            if not nulls:
                raise self._input_error(error, task) from error
        try:
            return self._adapter.validate_python({key: value for key, value in given.items() if key not in nulls})
        except ValidationError as error:
            raise self._input_error(error, task) from error

    def _ignorable_nulls(self, given: Mapping[str, Any], error: ValidationError) -> set[str]:
        """Returns the keys of invalid inputs that are null and have a default.

        A workflow that passes on an input which its caller left out sends null.
        """
        keys = {str(each["loc"][0]) for each in error.errors(include_url=False) if each["loc"]}
        invalid = {self._names[key] for key in keys if key in self._names} & self._optional
        return {key for key, name in self._names.items() if name in invalid and key in given and given[key] is None}

    def _input_error(self, error: ValidationError, task: Task | None) -> InputValidationError:
        errors = error.errors(include_url=False, include_context=False)
        sources = _expressions(task)
        problems = "; ".join(
            f"{_path(each['loc'])}: {each['msg']}{_explanation(each, sources)}"
            for each in errors[:_MAX_REPORTED_ERRORS]
            for each in errors[:_MAX_REPORTED_ERRORS]
        )
        return InputValidationError(f"The task's input is invalid for worker {self._worker!r}: {problems}")


def _expressions(task: Task | None) -> Mapping[str, str]:
    """Returns the expressions that gave the inputs, by their keys, as far as the task's definition is known."""
    if task is None or task.workflow_task is None:
        return {}
    return {
        key: each
        for key, each in task.workflow_task.input_parameters.items()
        if isinstance(each, str) and "${" in each and len(each) <= _MAX_EXPRESSION
    }


def _explanation(problem: ErrorDetails, sources: Mapping[str, str]) -> str:
    """Returns what helps to find the cause: whether the value was null or missing, and where it is from."""
    location = problem["loc"]
    source = sources.get(str(location[0])) if location else None
    if problem["type"] == "missing":
        keys = sorted(problem["input"])[:_MAX_REPORTED_ERRORS] if is_object(problem["input"]) else []
        fact = f"missing: there is only {', '.join(map(repr, keys))}" if keys else "missing: there is nothing"
    else:
        fact = "it is null" if problem["input"] is None else ""
    facts = [each for each in (fact, f"from {source}" if source else "") if each]
    return f" ({', '.join(facts)})" if facts else ""


def _typed_dict(fields: Mapping[str, Any], *, strict: bool) -> Any:
    """Returns a TypedDict. Unlike a model, it allows any field name, and validates to a dict of keyword arguments."""
    make: Any = TypedDict  # type checkers want the fields as a literal
    kind = make("Input", dict(fields))
    kind.__pydantic_config__ = _LENIENT | ConfigDict(
        extra="forbid" if strict else "ignore", validate_by_name=True, validate_by_alias=True
    )
    return kind


def _kwargs_adapter(worker: str, annotation: Any) -> TypeAdapter[dict[str, Any]]:
    """Returns the adapter of the dict that `**kwargs` with this annotation receives."""
    if get_origin(annotation) is Unpack:
        return type_adapter(worker, get_args(annotation)[0])
    return type_adapter(worker, GenericAlias(dict, (str, kwargs_type(annotation))), _LENIENT)


def _path(location: Sequence[int | str]) -> str:
    """Returns `order.lines[2].price` for `("order", "lines", 2, "price")`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")

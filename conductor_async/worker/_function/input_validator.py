"""Validates a task's input with pydantic, against the types of a function's parameters."""

from __future__ import annotations

from types import GenericAlias
from typing import TYPE_CHECKING, Any, NotRequired, Required, Unpack, get_args, get_origin

from pydantic import ConfigDict, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from conductor_async.errors import NonRetryableException
from conductor_async.worker._function.annotations import json_schema, type_adapter

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

_MAX_REPORTED_ERRORS = 10


class InputValidationError(NonRetryableException):
    """A task's input does not match the worker's parameters. A retry gets the same input, so it cannot help."""


class InputValidator:
    """Turns a task's input into keyword arguments.

    Args:
        worker: The worker's name, for errors.
        types: The parameters' types, by name.
        optional: The names of the parameters that have a default.
        kwargs: The annotation of `**kwargs`; None if the function has no `**kwargs`.
        reserved: Parameters that the host fills in. Inputs of these names are ignored.
        strict: Whether inputs without a parameter are an error. Without effect if there are `**kwargs`.

    Raises:
        ConfigurationError: pydantic does not support a type.
    """

    __slots__ = ("_adapter", "_kwargs_adapter", "_optional", "_reserved", "_worker", "names")

    def __init__(
        self,
        worker: str,
        *,
        types: Mapping[str, Any],
        optional: Collection[str],
        kwargs: Any | None = None,
        reserved: Collection[str] = (),
        strict: bool = False,
    ) -> None:
        fields = {name: NotRequired[kind] if name in optional else Required[kind] for name, kind in types.items()}
        self._worker = worker
        self._optional = frozenset(optional)
        self._reserved = frozenset(reserved)
        self._adapter: TypeAdapter[dict[str, Any]] = type_adapter(
            worker, _typed_dict(fields, strict=strict and kwargs is None)
        )
        self._kwargs_adapter: TypeAdapter[dict[str, Any]] | None = (
            None if kwargs is None else type_adapter(worker, _kwargs_type(kwargs))
        )
        self.names = frozenset(fields)

    def validate(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the input as keyword arguments.

        Raises:
            InputValidationError: The input is invalid.
        """
        if self._kwargs_adapter is None:
            return self._validate_named(given)
        arguments = self._validate_named({name: value for name, value in given.items() if name in self.names})
        named = self.names | self._reserved
        try:
            return arguments | self._kwargs_adapter.validate_python(
                {name: value for name, value in given.items() if name not in named}
            )
        except ValidationError as error:
            raise self._input_error(error) from error

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

    def _validate_named(self, given: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return self._adapter.validate_python(given)
        except ValidationError as error:
            nulls = self._ignorable_nulls(given, error)
            if not nulls:
                raise self._input_error(error) from error
        try:
            return self._adapter.validate_python({name: value for name, value in given.items() if name not in nulls})
        except ValidationError as error:
            raise self._input_error(error) from error

    def _ignorable_nulls(self, given: Mapping[str, Any], error: ValidationError) -> set[str]:
        """Returns the invalid inputs that are null and have a default.

        A workflow that passes on an input which its caller left out sends null.
        """
        invalid = {str(each["loc"][0]) for each in error.errors(include_url=False) if each["loc"]}
        return {name for name in invalid & self._optional if name in given and given[name] is None}

    def _input_error(self, error: ValidationError) -> InputValidationError:
        errors = error.errors(include_url=False, include_context=False, include_input=False)
        problems = "; ".join(f"{_path(each['loc'])}: {each['msg']}" for each in errors[:_MAX_REPORTED_ERRORS])
        return InputValidationError(f"The task's input is invalid for worker {self._worker!r}: {problems}")


def _typed_dict(fields: Mapping[str, Any], *, strict: bool) -> Any:
    """Returns a TypedDict. Unlike a model, it allows any field name, and validates to a dict of keyword arguments."""
    make: Any = TypedDict  # type checkers want the fields as a literal
    kind = make("Input", dict(fields))
    kind.__pydantic_config__ = ConfigDict(extra="forbid" if strict else "ignore")
    return kind


def _kwargs_type(annotation: Any) -> Any:
    """Returns the type of the dict that `**kwargs` with this annotation receives."""
    return get_args(annotation)[0] if get_origin(annotation) is Unpack else GenericAlias(dict, (str, annotation))


def _path(location: Sequence[int | str]) -> str:
    """Returns `order.lines[2].price` for `("order", "lines", 2, "price")`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")

"""Reading a worker function's annotations: the function behind wrappers, its type hints, their JSON Schemas."""

from __future__ import annotations

import functools
import inspect
import re
from typing import TYPE_CHECKING, Any, Literal, get_type_hints

from pydantic import PydanticUndefinedAnnotation, PydanticUserError, TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema

from conductor_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def unwrap(function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns the function as it was written: without partials, bound methods, `__call__` and decorators."""
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


def is_async(function: Callable[..., Any]) -> bool:
    """Returns whether calling it gives a coroutine. Decorators count: they may make a function sync or async."""
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.iscoroutinefunction(function):
        return True
    return not inspect.isroutine(function) and inspect.iscoroutinefunction(type(function).__call__)


def names_used_by(function: Callable[..., Any], namespace: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the part of a namespace that the function's string annotations mention."""
    annotations = getattr(unwrap(function), "__annotations__", {})
    used = set(re.findall(r"\w+", " ".join(each for each in annotations.values() if isinstance(each, str))))
    return {name: value for name, value in namespace.items() if name in used}


def resolve_hints(
    worker: str,
    function: Callable[..., Any],
    annotations: Mapping[str, Any],
    namespace: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Returns the types behind some of a function's annotations, `Annotated` included.

    Args:
        worker: The worker's name, for errors.
        function: The function, whose globals the annotations may use.
        annotations: The annotations to resolve. One that only type checkers can import must not be among them.
        namespace: More names that the annotations may use.

    Raises:
        ConfigurationError: An annotation cannot be resolved.
    """

    def holder() -> None: ...

    holder.__annotations__ = {
        name: each for name, each in annotations.items() if each is not inspect.Parameter.empty
    }  # get_type_hints would otherwise resolve all the function's annotations, or none
    names = {**getattr(unwrap(function), "__globals__", {}), **(namespace or {})}
    try:
        return get_type_hints(holder, globalns=names, include_extras=True)
    except (NameError, TypeError, SyntaxError, AttributeError) as error:
        raise ConfigurationError(
            f"worker {worker!r}: an annotation cannot be resolved: {error}."
            " Import the names it uses at run time too, outside of `if TYPE_CHECKING`"
        ) from error


def type_adapter(worker: str, kind: Any) -> TypeAdapter[Any]:
    """Returns pydantic's adapter for a type.

    Raises:
        ConfigurationError: pydantic does not support the type.
    """
    try:
        return TypeAdapter(kind)
    except (PydanticUserError, PydanticUndefinedAnnotation) as error:
        raise ConfigurationError(f"worker {worker!r}: pydantic does not support a type: {error.message}") from error


def json_schema(worker: str, adapter: TypeAdapter[Any], mode: Literal["validation", "serialization"]) -> dict[str, Any]:
    """Returns the JSON Schema of a type.

    Raises:
        ConfigurationError: The type has none.
    """
    try:
        return adapter.json_schema(mode=mode)
    except PydanticInvalidForJsonSchema as error:
        raise ConfigurationError(f"worker {worker!r}: a type has no JSON Schema: {error.message}") from error

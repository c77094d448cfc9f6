"""Reading a worker function's annotations: the function behind wrappers, its type hints, their JSON Schemas."""

from __future__ import annotations

import functools
import inspect
import re
from typing import TYPE_CHECKING, Any, Literal, get_type_hints

from pydantic import PydanticSchemaGenerationError, PydanticUndefinedAnnotation, PydanticUserError, TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema

from conductor_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

    from pydantic import ConfigDict


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


def called_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns the function that a call runs first: without partials, and `__call__` of an object.

    Unlike in `unwrap`, decorators count: they may make a function sync or async, or a generator something else.
    """
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.iscoroutinefunction(function) or inspect.isroutine(function):
        return function
    return type(function).__call__


def is_async(function: Callable[..., Any]) -> bool:
    """Returns whether calling it gives a coroutine."""
    return inspect.iscoroutinefunction(called_function(function))


def check_form(worker: str, function: Callable[..., Any]) -> None:
    """Refuses what cannot be a worker function.

    Raises:
        ConfigurationError: It is a class, gives its results one by one, or gives the same coroutine twice.
    """
    called = called_function(function)
    if isinstance(function, type):
        raise ConfigurationError(
            f"worker {worker!r} is a class, {function.__qualname__}: decorate a method of it, or"
            f' write worker_task("{worker}")({function.__name__}(…).method)'
        )
    if inspect.isasyncgenfunction(called) or inspect.isgeneratorfunction(called):
        raise ConfigurationError(
            f"worker {worker!r} is a generator function, but a worker must return one result: use `return` instead of"
            " `yield`"
        )
    if isinstance(function, _CACHED) and inspect.iscoroutinefunction(unwrap(function)):
        raise ConfigurationError(
            f"worker {worker!r} is an `async def` below functools.cache, which keeps its coroutine and not its result."
            " Remove the cache, or cache what the function calls"
        )


_CACHED: type[object] = type(functools.cache(len))


def names_for(function: Callable[..., Any], caller: FrameType | None) -> dict[str, Any]:
    """Returns the local names that the function's string annotations mention.

    They are local to the function that decorates, or to those around the function, if these are running.
    """
    qualified = str(getattr(unwrap(function), "__qualname__", ""))
    names: dict[str, Any] = {}
    frame = caller
    while frame is not None:
        is_around = qualified.startswith(f"{frame.f_code.co_qualname}.<locals>.")
        if (frame is caller or is_around) and frame.f_locals is not frame.f_globals:
            names = {**names_used_by(function, frame.f_locals), **names}  # the inner ones win
        frame = frame.f_back
    return names


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


def type_adapter(worker: str, kind: Any, config: ConfigDict | None = None) -> TypeAdapter[Any]:
    """Returns pydantic's adapter for a type, with a configuration if the type can have none of its own.

    Raises:
        ConfigurationError: pydantic does not support the type.
    """
    try:
        return TypeAdapter(kind, config=config)
    except PydanticSchemaGenerationError as error:
        problem = error.message.partition(". ")[0]
        raise ConfigurationError(
            f"worker {worker!r}: pydantic does not support a type: {problem}. Make the class a dataclass or a pydantic"
            " model, give its `__init__` annotated parameters, or write `dict` or `Any` instead"
        ) from error
    except NameError as error:  # in the `__init__` of a class
        raise ConfigurationError(f"worker {worker!r}: an annotation cannot be resolved: {error}") from error
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

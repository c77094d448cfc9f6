"""What a worker function returns, by its annotation, and what its tasks' output has by that."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, Union, get_args, get_type_hints

from pydantic import PydanticUndefinedAnnotation, PydanticUserError, TypeAdapter

from conductor_async.errors import ConfigurationError
from conductor_async.worker._function.arguments import schema_of, underlying
from conductor_async.worker.context import TaskInProgress
from conductor_async.workflow.typed_references import fields_of, place_of
from conductor_async.workflow.validation.known_outputs import closed_output

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conductor_async.models import JsonObject
    from conductor_async.workflow.validation.context import OutputFields


def returned_type(
    name: str, function: Callable[..., Any], namespace: Mapping[str, Any] | None = None
) -> Callable[[], Any]:
    """Gives the type that a function returns, `TaskInProgress` apart; `Any` if it does not say.

    The annotation is resolved at the first call, because it may name what is defined later.

    Args:
        name: The worker's name, for errors.
        function: The function.
        namespace: Names that annotations may use beside the function's globals.

    Raises:
        ConfigurationError: From what is returned: the annotation cannot be resolved.
    """
    annotation = inspect.signature(function).return_annotation
    known = {**getattr(underlying(function), "__globals__", {}), **(namespace or {})}

    @functools.cache
    def resolved() -> Any:
        def holder() -> None: ...

        holder.__annotations__ = {} if annotation is inspect.Signature.empty else {"return": annotation}
        try:
            kind = get_type_hints(holder, globalns=known, include_extras=True).get("return", Any)
        except (NameError, TypeError, SyntaxError, AttributeError) as error:
            raise ConfigurationError(
                f"worker {name!r}: what it returns cannot be resolved: {error}."
                " Import what the annotation names at run time too, outside of `if TYPE_CHECKING`"
            ) from error
        members = get_args(kind)
        if TaskInProgress not in members:
            return kind
        return Union[tuple(each for each in members if each is not TaskInProgress)]  # noqa: UP007 - of a tuple

    return resolved


def output_keys(kind: Any) -> list[str]:
    """The names that the output of a worker with this return type has, as far as they are known."""
    if place_of(kind) == "result":
        return ["result"]
    return [str(field.step) for field in (fields_of(kind) or {}).values()]


def output_schema(name: str, kind: Any) -> JsonObject:
    """The JSON Schema of the output of a worker with this return type.

    Raises:
        ConfigurationError: There is none.
    """
    place = place_of(kind)
    if place is None:  # nothing, or anything
        return {"type": "object", "title": name}
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(kind)
    except (PydanticUserError, PydanticUndefinedAnnotation) as error:
        raise ConfigurationError(f"worker {name!r}: there is no JSON Schema of its result: {error.message}") from error
    schema = schema_of(name, adapter, "serialization")
    if place == "output":
        return schema
    definitions = schema.pop("$defs", None)
    around = {"type": "object", "title": name, "properties": {"result": schema}, "required": ["result"]}
    return around if definitions is None else {**around, "$defs": definitions}


def output_fields(function: Callable[..., Any], returned: Callable[[], Any]) -> OutputFields | None:
    """The fields of the output of a worker function, by the names that are sent; None if it may have others.

    Args:
        function: What the worker calls.
        returned: Gives the type that it returns.
    """
    if _can_set_more(underlying(function)):
        return None
    try:
        kind = returned()
    except ConfigurationError:  # its type is there for type checkers alone
        return None
    return None if kind is TaskInProgress else closed_output(kind)


def _can_set_more(function: Callable[..., Any]) -> bool:
    """Whether it may set output by its context, beside what it returns."""
    kinds = inspect.get_annotations(function).values()
    code = getattr(function, "__code__", None)
    return code is None or "get_task_context" in code.co_names or any("TaskContext" in str(kind) for kind in kinds)

"""What a worker's output contains, by the return annotation of its function."""

from __future__ import annotations

import functools
import inspect
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Iterator,
)
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from conductor_async.errors import ConfigurationError
from conductor_async.models._foreign_types import readable
from conductor_async.worker._function.annotations import is_async, json_schema, resolve_hints, type_adapter, unwrap
from conductor_async.worker.context import TaskInProgress
from conductor_async.workflow._typed_references import fields_of, place_of, plain_type
from conductor_async.workflow._validation.known_outputs import closed_output

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conductor_async.models import JsonObject
    from conductor_async.workflow._validation.context import OutputFields


class ReturnType:
    """A worker function's return type. The annotation is resolved at first use: it may name what is defined later.

    Args:
        worker: The worker's name, for errors.
        function: The function.
        namespace: Names that the annotation may use in addition to the function's globals.
    """

    def __init__(self, worker: str, function: Callable[..., Any], namespace: Mapping[str, Any] | None = None) -> None:
        self._worker = worker
        self._function = function
        self._namespace = namespace

    def resolve(self) -> Any:
        """Returns the type without `TaskInProgress`; `Any` if there is no annotation.

        Raises:
            ConfigurationError: The annotation cannot be resolved.
        """
        return self._resolved

    def check(self) -> None:
        """Refuses an annotation that no result fits.

        Raises:
            ConfigurationError: It is a type that JSON has no form for.
        """
        try:
            kind = self._resolved
        except ConfigurationError:  # only type checkers can import it
            return
        for each in (kind, *get_args(kind)):
            plain = plain_type(each)
            plain = get_origin(plain) or plain
            advice = next((advice for kinds, advice in _NEVER if plain in kinds), None)
            if advice is not None:
                raise ConfigurationError(
                    f"worker {self._worker!r} returns {kind!r}, but the result of a task is JSON: {advice}"
                )

    def output_keys(self) -> list[str]:
        """Returns the keys of the output, as far as they are known.

        Raises:
            ConfigurationError: The annotation cannot be resolved.
        """
        if place_of(self._resolved) == "result":
            return ["result"]
        return [str(field.step) for field in (fields_of(self._resolved) or {}).values()]

    def output_schema(self) -> JsonObject:
        """Returns the JSON Schema of the output.

        Raises:
            ConfigurationError: The annotation cannot be resolved, or its type has no JSON Schema.
        """
        place = place_of(self._resolved)
        if place is None:  # None, or any type
            return {"type": "object", "title": self._worker}
        schema = json_schema(self._worker, type_adapter(self._worker, readable(self._resolved)), "serialization")
        if place == "output":
            return schema
        definitions = schema.pop("$defs", None)
        output: JsonObject = {
            "type": "object",
            "title": self._worker,
            "properties": {"result": schema},
            "required": ["result"],
        }
        return output if definitions is None else {**output, "$defs": definitions}

    @functools.cached_property
    def output_fields(self) -> OutputFields | None:
        """All fields of the output, by the names that are sent; None if the output may have others."""
        if _may_use_context(unwrap(self._function)):
            return None  # `context.set_output` can add any field
        try:
            kind = self._resolved
        except ConfigurationError:  # only type checkers can import the type
            return None
        return None if kind is TaskInProgress else closed_output(kind)

    @functools.cached_property
    def _resolved(self) -> Any:
        # Apart from the parameters' annotations: only this one may be importable by type checkers alone.
        annotations = {"return": inspect.signature(self._function).return_annotation}
        kind = resolve_hints(self._worker, self._function, annotations, self._namespace).get("return", Any)
        if get_origin(kind) in (Awaitable, Coroutine) and not is_async(self._function):
            kind = get_args(kind)[-1]  # it is awaited
        members = get_args(kind)
        if TaskInProgress not in members:
            return kind
        return Union[tuple(each for each in members if each is not TaskInProgress)]  # noqa: UP007 - of a tuple


_NEVER: tuple[tuple[tuple[Any, ...], str], ...] = (
    ((bytes, bytearray, memoryview), "return text, such as base64"),
    ((Iterator, Generator), "return a list"),
    ((AsyncIterator, AsyncGenerator, AsyncIterable), "collect the items in a list, with `async for`"),
    ((Awaitable, Coroutine), "await it"),
    ((Callable, type), "return what it gives"),
)


def _may_use_context(function: Callable[..., Any]) -> bool:
    kinds = inspect.get_annotations(function).values()
    code = getattr(function, "__code__", None)
    return code is None or "get_task_context" in code.co_names or any("TaskContext" in str(kind) for kind in kinds)

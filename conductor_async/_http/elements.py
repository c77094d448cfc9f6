"""Decodes a response element by element, after decoding it as a whole has failed: one bad element costs itself only."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from conductor_async._text import escaped
from conductor_async._type_guards import is_array, is_class, is_object
from conductor_async.models import ConductorModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class UnreadableElement(NamedTuple):
    """An element of a response that does not have the structure of its type.

    Attributes:
        path: Where it is in the response; empty for the response itself.
        value: The element as parsed JSON.
        problem: What is wrong with it, without the values in it.
    """

    path: str
    value: Any
    problem: str


@functools.cache
def adapter(kind: Any) -> TypeAdapter[Any]:
    """Returns what validates values of a type."""
    return TypeAdapter(kind)


def decode_elements(kind: Any, value: Any, path: str = "") -> tuple[Any, list[UnreadableElement]]:
    """Returns parsed JSON as `kind`, without the elements of its lists and maps that are not readable, and these.

    What is an element: the items of `list[X]`, the values of `dict[str, X]`, and those of the fields that a model calls
    its `element_fields`. The tasks of an execution are none: without one of them it would not be the execution.

    Raises:
        ValidationError: It is no list, map or page of elements, and does not match `kind`.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    unreadable: list[UnreadableElement] = []
    add = unreadable.extend
    if origin is list and is_array(value):
        items = ((f"{path}[{index}]", each) for index, each in enumerate(value))
        return [each for _, each in _readable(arguments[0], items, add)], unreadable
    if origin is dict and is_object(value):
        items = ((f"{path}.{key}".lstrip("."), each) for key, each in value.items())
        keys = {f"{path}.{key}".lstrip("."): key for key in value}
        return {keys[where]: each for where, each in _readable(arguments[1], items, add)}, unreadable
    if is_class(kind) and issubclass(kind, ConductorModel) and is_object(value) and kind.element_fields:
        return _decode_page(kind, value, path)
    return adapter(kind).validate_python(value), []


def _readable(
    kind: Any, items: Iterable[tuple[str, Any]], add: Callable[[Iterable[UnreadableElement]], None]
) -> Iterable[tuple[str, Any]]:
    for path, each in items:
        try:
            decoded, unreadable = decode_elements(kind, each, path)
        except ValidationError as error:
            add([UnreadableElement(path, each, problem_of(error))])
        else:
            add(unreadable)
            yield path, decoded


def _decode_page(
    kind: type[ConductorModel], value: dict[str, Any], path: str
) -> tuple[ConductorModel, list[UnreadableElement]]:
    rest = dict(value)
    fields = {name: field for name, field in kind.model_fields.items() if name in kind.element_fields}
    raw = {name: rest.pop(field.alias or name, None) for name, field in fields.items()}
    page = adapter(kind).validate_python(rest)
    unreadable: list[UnreadableElement] = []
    for name, elements in raw.items():
        if elements is not None:
            where = f"{path}.{fields[name].alias or name}".lstrip(".")
            decoded, failed = decode_elements(fields[name].annotation, elements, where)
            setattr(page, name, decoded)
            unreadable += failed
    return page, unreadable


def problem_of(error: ValidationError) -> str:
    """Returns what is wrong with a value, and where in it; not the value itself, which may have to stay secret."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    path = ".".join(str(part) for part in first["loc"]) or "the top level"
    return escaped(f"at {path}, {first['msg']}", 500)


def summary_of(unreadable: list[UnreadableElement]) -> str:
    """Returns what is wrong with the first few of them, for a log line."""
    shown = "; ".join(f"{escaped(each.path, 200)}: {each.problem}" for each in unreadable[:3])
    return shown if len(unreadable) <= 3 else f"{shown}; and {len(unreadable) - 3} more"

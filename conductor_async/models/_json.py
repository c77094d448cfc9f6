"""Strict JSON encoding: a value that JSON cannot hold is an error with its path, before anything is sent."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import decimal
import enum
import functools
import inspect
import ipaddress
import json
import math
import pathlib
import uuid
from collections import UserList, UserString, deque
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping, MappingView
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic import BaseModel, TypeAdapter
from pydantic_core import to_jsonable_python

from conductor_async._type_guards import class_of
from conductor_async.errors import PayloadError
from conductor_async.models._base import ConductorModel
from conductor_async.models._foreign_types import write_foreign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["encode_json", "simplified"]

_AS_TEXT = (
    dt.datetime,
    dt.date,
    dt.time,
    dt.timedelta,
    decimal.Decimal,
    uuid.UUID,
    ipaddress.IPv4Address,
    ipaddress.IPv6Address,
)


def encode_json(value: Any, root: str = "body") -> bytes:
    """Returns the value as JSON in UTF-8.

    It converts models, dataclasses, enums, sets, tuples, dates, UUIDs, decimals and paths. Other pydantic models are
    dumped by alias, according to their own configuration.

    Args:
        value: The value.
        root: The value's name in the path of an error. Paths into a model begin with its field.

    Raises:
        PayloadError: The value contains something that JSON cannot hold, at the error's `path`.
    """
    with contextlib.suppress(Exception):  # the serializers of models are user code, which may raise anything
        return _ENCODER.encode(value).encode()
    # The slow way, only after a failure: find the path, or convert what the encoder itself cannot (a UUID as a key).
    converter = _Converter(root="" if isinstance(value, ConductorModel) else root)
    try:
        return _ENCODER.encode(converter.plain(value)).encode()
    except ValueError as error:  # known to the encoder alone: an integer of thousands of digits
        raise PayloadError(f"{root} cannot be sent as JSON: {error}.", path=root) from error


def simplified(value: Any) -> Any:
    """What the value stands for: something simplified. Asked for what JSON has no form for.

    Raises:
        TypeError: It stands for nothing that JSON has.
        Exception: A serializer of the user's raised it.
    """
    for kinds, convert in _CONVERSIONS:
        if isinstance(value, kinds):
            return convert(value)
    kind: Any = class_of(value)
    if hasattr(kind, "__pydantic_serializer__"):  # such as a dataclass or a URL of pydantic's
        return kind.__pydantic_serializer__.to_python(value, mode="json", by_alias=True)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if hasattr(kind, "__get_pydantic_core_schema__"):
        return _adapter(kind).dump_python(value, mode="json", by_alias=True)
    if isinstance(value, (type, *_NEVER)):
        raise TypeError(kind.__name__)
    return write_foreign(value)


@functools.cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _sorted_if_possible(values: Iterable[Any]) -> list[Any]:
    """Returns a set as a list, sorted if possible, so that it is the same in every process."""
    try:
        return sorted(values)
    except TypeError:
        return list(values)


_CONVERSIONS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (ConductorModel, lambda model: model.to_wire()),
    (BaseModel, lambda model: model.model_dump(mode="json", by_alias=True)),
    (enum.Enum, lambda member: member.value),
    (_AS_TEXT, to_jsonable_python),
    (pathlib.PurePath, str),
    ((set, frozenset), _sorted_if_possible),
    (Mapping, dict),
    ((deque, range, MappingView, UserList), list),
    (UserString, str),
)

_NEVER = (bytes, bytearray, memoryview, Awaitable, Iterator, AsyncIterator)
"""What stands for no JSON value, or gives its values only once."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=simplified)


class _Converter:
    """Walks a value that could not be encoded: converts it, or raises an error with the path of the invalid part."""

    def __init__(self, root: str) -> None:
        self._path: list[str] = [root] if root else []
        self._ancestors: list[Any] = []

    def plain(self, value: Any) -> Any:
        """Returns the value in JSON's own types."""
        try:
            return self._value(value)
        except RecursionError:
            self._path = [*self._path[:8], "…"]
            self._reject("nested too deeply", "Flatten it.")

    def _value(self, value: Any) -> Any:
        if value is None or isinstance(value, (bool, int)):
            return value
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, float):
            return (
                value if math.isfinite(value) else self._reject(f"{value}, and JSON has no such number", "Send None.")
            )
        if any(value is each for each in self._ancestors):
            self._reject("part of itself", "Break the cycle.")
        self._ancestors.append(value)
        try:
            return self._compound(value)
        finally:
            self._ancestors.pop()

    def _compound(self, value: Any) -> Any:
        content: Any = value
        if isinstance(value, dict):
            return {self._key(key): self._at(f".{key}", each) for key, each in content.items()}
        if isinstance(value, (list, tuple)):
            return [self._at(f"[{index}]", each) for index, each in enumerate(content)]
        try:
            plain = simplified(value)
        except Exception as error:  # noqa: BLE001 - a serializer is user code
            self._reject_type(value, error)
        return self._value(plain)

    def _at(self, step: str, value: Any) -> Any:
        self._path.append(step)
        plain = self._value(value)
        self._path.pop()
        return plain

    def _text(self, value: str) -> str:
        try:
            value.encode()
        except UnicodeEncodeError:
            self._reject("text with a lone surrogate, which is not valid Unicode", "Decode it with errors='replace'.")
        return value

    def _key(self, key: Any) -> Any:
        if isinstance(key, str):
            return self._text(key)
        if key is None or isinstance(key, (bool, int)) or (isinstance(key, float) and math.isfinite(key)):
            return key
        if isinstance(key, enum.Enum):
            return self._key(key.value)
        if isinstance(key, (*_AS_TEXT, pathlib.PurePath)):
            return str(simplified(key))
        return self._reject(f"a dict with the key {key!r:.80}", "The keys of an object are strings.")

    def _reject_type(self, value: Any, error: Exception) -> NoReturn:
        name = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
        article = "an" if name[0] in "aeioAEIO" else "a"
        if isinstance(value, (bytes, bytearray, memoryview)):
            self._reject(name, "Decode them to text, or send them as base64.")
        if inspect.iscoroutine(value):
            name = f"coroutine, of {value.__qualname__}()"
            value.close()  # it is named here: Python need not warn that it was never awaited
        if isinstance(value, Awaitable):
            self._reject(f"{article} {name}", "Is an `await` missing?")
        if isinstance(value, Iterator | AsyncIterator):
            self._reject(f"{article} {name}", "Collect what it gives in a list.")
        if isinstance(error, ValueError):
            self._reject(f"{article} {name} that pydantic cannot serialise ({error})", "Give the field a serialiser.")
        if not isinstance(error, TypeError):
            problem = f"{type(error).__name__}: {error}"
            self._reject(f"{article} {name} that cannot be serialised ({problem})", "Correct its serialiser.")
        self._reject(f"{article} {name}", "Convert it to a dict, a list, a string or a number first.")

    def _reject(self, what: str, advice: str) -> NoReturn:
        path = "".join(self._path).lstrip(".")
        raise PayloadError(f"{path or 'The value'} cannot be sent as JSON: it is {what}. {advice}", path=path)

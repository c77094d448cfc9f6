"""Values to JSON, strictly: what JSON cannot hold is refused with its path, before anything is sent."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import ipaddress
import json
import math
import pathlib
import uuid
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from conductor_async.errors import PayloadError
from conductor_async.models._base import ConductorModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["encode_json"]

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
    """The value as JSON in UTF-8.

    Models, dataclasses, enums, sets, tuples, dates, UUIDs, decimals and paths are taken for what they stand for.
    Your own pydantic models are dumped as their own configuration says, by alias.

    Args:
        value: What to encode.
        root: What to call the value in the path of an error. The fields of a model need no such name.

    Raises:
        PayloadError: The value holds something that JSON cannot: its `path` says where.
    """
    try:
        return _ENCODER.encode(value).encode()
    except (TypeError, ValueError, RecursionError):
        pass
    # Slow, and only now: find the place, or make plain what only the encoder could not take (a UUID as a key).
    walk = _Walk(root="" if isinstance(value, ConductorModel) else root)
    try:
        return _ENCODER.encode(walk.plain(value)).encode()
    except ValueError as error:  # what only the encoder knows: a number of thousands of digits
        raise PayloadError(f"{root} cannot be sent as JSON: {error}.", path=root) from error


def _convert(value: Any) -> Any:
    """What the value stands for: something plainer. Asked for what JSON has no form for.

    Raises:
        TypeError: It stands for nothing that JSON has.
    """
    for kinds, plainer in _PLAINER:
        if isinstance(value, kinds):
            return plainer(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _dataclass(value)
    raise TypeError(type(value).__name__)


def _in_order(values: Iterable[Any]) -> list[Any]:
    """A set as a list, in an order that is the same in every process if there is one."""
    try:
        return sorted(values)
    except TypeError:
        return list(values)


def _dataclass(value: Any) -> Any:
    if hasattr(value, "__pydantic_serializer__"):  # pydantic's own dataclass: it knows its aliases
        return value.__pydantic_serializer__.to_python(value, mode="json", by_alias=True)
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


_PLAINER: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (ConductorModel, lambda model: model.to_wire()),
    (BaseModel, lambda model: model.model_dump(mode="json", by_alias=True)),
    (enum.Enum, lambda member: member.value),
    (_AS_TEXT, to_jsonable_python),
    (pathlib.PurePath, str),
    ((set, frozenset), _in_order),
    (deque, list),
    (Mapping, dict),
)

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_convert)


class _Walk:
    """Walks a value that could not be encoded: makes it plain, or refuses it at the place that is wrong."""

    def __init__(self, root: str) -> None:
        self._path: list[str] = [root] if root else []
        self._around: list[Any] = []

    def plain(self, value: Any) -> Any:
        """The value in plain types of JSON."""
        try:
            return self._value(value)
        except RecursionError:
            self._path = [*self._path[:8], "…"]
            self._refuse("nested too deeply", "Flatten it.")

    def _value(self, value: Any) -> Any:
        if value is None or isinstance(value, (bool, int)):
            return value
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, float):
            return (
                value if math.isfinite(value) else self._refuse(f"{value}, and JSON has no such number", "Send None.")
            )
        if any(value is each for each in self._around):
            self._refuse("part of itself", "Break the cycle.")
        self._around.append(value)
        try:
            return self._compound(value)
        finally:
            self._around.pop()

    def _compound(self, value: Any) -> Any:
        content: Any = value
        if isinstance(value, dict):
            return {self._key(key): self._at(f".{key}", each) for key, each in content.items()}
        if isinstance(value, (list, tuple)):
            return [self._at(f"[{index}]", each) for index, each in enumerate(content)]
        try:
            plainer = _convert(value)
        except (TypeError, ValueError) as error:
            self._refuse_kind(value, error)
        return self._value(plainer)

    def _at(self, step: str, value: Any) -> Any:
        self._path.append(step)
        plain = self._value(value)
        self._path.pop()
        return plain

    def _text(self, value: str) -> str:
        try:
            value.encode()
        except UnicodeEncodeError:
            self._refuse("text with a lone surrogate, which is not valid Unicode", "Decode it with errors='replace'.")
        return value

    def _key(self, key: Any) -> Any:
        if isinstance(key, str):
            return self._text(key)
        if key is None or isinstance(key, (bool, int)) or (isinstance(key, float) and math.isfinite(key)):
            return key
        if isinstance(key, enum.Enum):
            return self._key(key.value)
        if isinstance(key, (*_AS_TEXT, pathlib.PurePath)):
            return str(_convert(key))
        return self._refuse(f"a dict with the key {key!r:.80}", "The keys of an object are strings.")

    def _refuse_kind(self, value: Any, error: Exception) -> NoReturn:
        name = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
        article = "an" if name[0] in "aeioAEIO" else "a"
        if isinstance(value, (bytes, bytearray, memoryview)):
            self._refuse(name, "Decode them to text, or send them as base64.")
        if isinstance(error, ValueError):
            self._refuse(f"{article} {name} that pydantic cannot serialise ({error})", "Give the field a serialiser.")
        self._refuse(f"{article} {name}", "Convert it to a dict, a list, a string or a number first.")

    def _refuse(self, what: str, advice: str) -> NoReturn:
        path = "".join(self._path).lstrip(".")
        raise PayloadError(f"{path or 'The value'} cannot be sent as JSON: it is {what}. {advice}", path=path)

"""Names that differ between what a model is written as and what it is read from, such as a `serialization_alias`.

A worker's result is written by its aliases. The next worker takes it as its input, and `handle.result(Order)` reads it,
with the same model: so a reader accepts the names that the writer uses.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, Union, cast, get_args, get_origin

from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo
from typing_extensions import get_type_hints, is_typeddict

from conductor_async._type_guards import is_array, is_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Convert: TypeAlias = "Callable[[Any], Any]"

__all__ = ["key_renamer", "reading_names", "writing_name"]


def writing_name(name: str, field: FieldInfo) -> str:
    """Returns the key that a field is written under."""
    return field.serialization_alias or field.alias or name


def reading_names(name: str, field: FieldInfo) -> list[str]:
    """Returns the keys that a field is read from, the preferred one first; its name if it has no alias."""
    alias = field.validation_alias or field.alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    return [each for each in choices if isinstance(each, str)] or [name]


def key_renamer(kind: Any) -> Convert | None:
    """Returns a function that renames the keys in a JSON value to those that the type reads. None if all are the same.

    A key is renamed only if the one that is read is missing. The value itself is not changed.
    """
    known: dict[Any, _Record] = {}
    convert = _converter(kind, known)
    return convert if any(each.renames for each in known.values()) else None


class _Record:
    """The names of one class with fields.

    Attributes:
        renames: The keys that are written, with those that are read.
    """

    def __init__(self, kind: Any) -> None:
        config: Any = getattr(kind, "model_config", None) or getattr(kind, "__pydantic_config__", None) or {}
        self._keeps_extra = config.get("extra") in ("allow", "forbid")
        self._by_name = bool(config.get("validate_by_name") or config.get("populate_by_name"))
        self._converters: dict[str, Convert] = {}
        self.renames: dict[str, list[str]] = {}

    def add(self, name: str, field: FieldInfo, convert: Convert | None) -> None:
        written, read = writing_name(name, field), reading_names(name, field)
        if written not in read and not (self._by_name and written == name):
            self.renames[written] = [*read, name] if self._by_name else read
        if convert is not None:
            self._converters.update(dict.fromkeys((written, *read, name), convert))

    def rename(self, value: Any) -> Any:
        if not is_object(value):
            return value
        renamed = {key: self._converters[key](each) if key in self._converters else each for key, each in value.items()}
        for written, read in self.renames.items():
            if written in value and not any(key in value for key in read):
                # It stays, for another member of a union may read it, unless this class would not ignore it.
                renamed[read[0]] = renamed.pop(written) if self._keeps_extra else renamed[written]
        return renamed


def _converter(kind: Any, known: dict[Any, _Record]) -> Convert | None:
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        elif hasattr(kind, "__supertype__"):  # NewType
            kind = kind.__supertype__
        elif hasattr(kind, "__value__"):  # `type X = …`
            kind = kind.__value__
        else:
            break
    origin, arguments = get_origin(kind) or kind, get_args(kind)
    if origin in (Union, types.UnionType):
        return _in_turn([_converter(each, known) for each in arguments])
    if not isinstance(origin, type):
        return None
    if (fields := _fields(origin)) is not None:
        return _record(origin, fields, known).rename
    return _of_items(origin, arguments, known)


def _record(kind: Any, fields: Mapping[str, FieldInfo], known: dict[Any, _Record]) -> _Record:
    if kind not in known:
        known[kind] = record = _Record(kind)  # before its fields, which may be of the same class
        for name, field in fields.items():
            record.add(name, field, _converter(field.annotation, known))
    return known[kind]


def _fields(kind: Any) -> Mapping[str, FieldInfo] | None:
    if issubclass(kind, BaseModel):
        kind.model_rebuild(raise_errors=False)  # a model with deferred building has no aliases yet
        return cast("Mapping[str, FieldInfo]", kind.model_fields)
    if hasattr(kind, "__pydantic_fields__"):
        return cast("Mapping[str, FieldInfo]", kind.__pydantic_fields__)
    if is_typeddict(kind) or dataclasses.is_dataclass(kind):
        try:
            hints = get_type_hints(kind, include_extras=True)
        except (NameError, TypeError, AttributeError, SyntaxError):  # imported for type checkers only
            return {}
        return {name: FieldInfo.from_annotation(hint) for name, hint in hints.items()}
    return None


def _of_items(origin: type, arguments: tuple[Any, ...], known: dict[Any, _Record]) -> Convert | None:
    if issubclass(origin, Mapping) and len(arguments) == 2:
        of_value = _converter(arguments[1], known)
        return of_value and (lambda value: _mapped(value, of_value))
    if issubclass(origin, Sequence | AbstractSet) and arguments:
        of_item = _in_turn([_converter(each, known) for each in arguments])
        return of_item and (lambda value: [of_item(each) for each in value] if is_array(value) else value)
    return None


def _mapped(value: Any, convert: Convert) -> Any:
    return {key: convert(each) for key, each in value.items()} if is_object(value) else value


def _in_turn(converters: Iterable[Convert | None]) -> Convert | None:
    steps = [each for each in converters if each is not None]

    def convert(value: Any) -> Any:
        for step in steps:
            value = step(value)
        return value

    return convert if steps else None

"""References that know the type of their value, made from the return type of a worker.

A worker's dict, dataclass or model is the task's output; any other value is its `result`. So `task.result` is
`${ref.output}` for a worker that returns an `Order`, and `${ref.output.result}` for one that returns an `int`. The
fields of an `Order` are known: a reference to a missing one raises an error where it is written.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import types
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Literal, NamedTuple, TypeAlias, TypeGuard, Union, cast, get_args, get_origin, get_type_hints

from pydantic import BaseModel, PydanticUserError, TypeAdapter
from pydantic_core import PydanticOmit
from typing_extensions import is_typeddict

from conductor_async.errors import ConfigurationError
from conductor_async.models import TaskResult
from conductor_async.models._foreign_types import foreign_fields
from conductor_async.workflow.references import Reference

__all__ = ["TypedReference", "fields_of", "place_of", "plain_type", "reference_to_result"]

Place: TypeAlias = Literal["output", "result"]
UNKNOWN: Any = Any
"""The type of a value that may be anything."""


class Field(NamedTuple):
    """A field of a result: its key or index in the JSON, and its type."""

    step: str | int
    kind: Any


def reference_to_result(task_reference_name: str, kind: Any) -> Reference:
    """Returns the reference to the result of a worker with this return type.

    Raises:
        ConfigurationError: The type does not determine where the result is.
    """
    kind = plain_type(kind)
    place = place_of(kind)
    if place is None:
        raise ConfigurationError(
            f"The return type of task {task_reference_name!r} ({_shown(kind)}) does not determine where the result is"
            f" in its output: use {task_reference_name}.output instead of .result."
        )
    output = f"{task_reference_name}.output"
    return _reference(output if place == "output" else f"{output}.result", kind)


# -- types -----------------------------------------------------------------------------------------


def plain_type(kind: Any) -> Any:
    """Returns the type without `Annotated`, aliases, `NewType` and None: the type of a value that is there."""
    while True:
        if hasattr(kind, "__metadata__"):  # Annotated
            kind = kind.__origin__
        elif hasattr(kind, "__supertype__"):  # NewType
            kind = kind.__supertype__
        elif hasattr(kind, "__value__"):  # `type X = …`
            kind = kind.__value__
        elif (members := _members(kind)) and len(members) == 1:
            kind = members[0]
        else:
            return kind


def _members(kind: Any) -> list[Any]:
    """Returns the members of a union without None; of other types, nothing."""
    if get_origin(kind) not in (Union, types.UnionType):
        return []
    return [each for each in get_args(kind) if each is not types.NoneType]


def place_of(kind: Any) -> Place | None:
    """Returns whether a result of this type is the task's whole output, or its `result`. None if that is not known."""
    kind = plain_type(kind)
    if members := _members(kind):
        first: Place | None = place_of(members[0])
        return first if all(place_of(each) == first for each in members) else None
    if get_origin(kind) is Literal:
        return "result"
    kind = get_origin(kind) or kind
    if not _is_class(kind) or kind in (Any, object, types.NoneType) or issubclass(kind, TaskResult):
        return None
    if _is_root_model(kind):
        return place_of(_root(kind))
    decorators: Any = getattr(kind, "__pydantic_decorators__", None)
    if decorators is not None and decorators.model_serializers:
        return _place_by_schema(kind)
    if is_typeddict(kind) or issubclass(kind, Mapping | BaseModel) or dataclasses.is_dataclass(kind):
        return "output"
    if issubclass(kind, tuple | Enum) or foreign_fields(kind) is None:
        return "result"
    return "output"


def _place_by_schema(kind: Any) -> Place | None:
    """Returns the place of a model that has a serializer of its own, by what that is annotated to return."""
    try:
        written = TypeAdapter(kind).json_schema(mode="serialization")
    except (PydanticUserError, PydanticOmit):
        return None
    if "type" not in written:
        return None
    return "output" if written["type"] == "object" else "result"


def _is_root_model(kind: Any) -> bool:
    return (
        getattr(get_origin(kind) or kind, "__pydantic_root_model__", False) is True
    )  # importing RootModel takes 15 ms


def fields_of(kind: Any) -> Mapping[str, Field] | None:
    """Returns the fields of a type by their Python names. None if it has no fields, or if they are not known."""
    kind = plain_type(kind)
    kind = get_origin(kind) or kind
    if not _is_class(kind) or _is_root_model(kind):
        return None
    if issubclass(kind, BaseModel):
        kind.model_rebuild(raise_errors=False)  # a model with deferred building has no aliases yet
        return _of_pydantic(kind.model_fields) | _computed(kind)
    if hasattr(kind, "__pydantic_fields__"):
        return _of_pydantic(cast("Any", kind).__pydantic_fields__)
    if is_typeddict(kind):
        return {name: Field(name, hint) for name, hint in _hints(kind).items()}
    if dataclasses.is_dataclass(kind):
        hints = _hints(kind)
        return {each.name: Field(each.name, hints.get(each.name, UNKNOWN)) for each in dataclasses.fields(kind)}
    names: Sequence[str] | None = getattr(kind, "_fields", None)
    if not issubclass(kind, tuple | Enum) and (keys := foreign_fields(kind)) is not None:
        return {name: Field(key, UNKNOWN) for name, key in keys.items()}
    if issubclass(kind, tuple) and names is not None:
        hints = _hints(cast("type[Any]", kind))
        return {name: Field(index, hints.get(name, UNKNOWN)) for index, name in enumerate(names)}
    return None


def _of_pydantic(fields: Mapping[str, Any]) -> dict[str, Field]:
    return {
        name: Field(field.serialization_alias or field.alias or name, field.annotation)
        for name, field in fields.items()
        if not field.exclude
    }


def _computed(kind: type[BaseModel]) -> dict[str, Field]:
    return {name: Field(field.alias or name, field.return_type) for name, field in kind.model_computed_fields.items()}


def _hints(kind: type[Any]) -> dict[str, Any]:
    try:
        return get_type_hints(kind)
    except (NameError, TypeError, AttributeError, SyntaxError):  # a local class, or an import under TYPE_CHECKING
        return dict.fromkeys(getattr(kind, "__annotations__", {}), UNKNOWN)


# -- references --------------------------------------------------------------------------------------


class TypedReference(Reference):
    """A reference to a value of a known type. To type checkers it is the value itself.

    `[...]` and attributes lead to the fields and items of the value, by their Python names; others raise an error.
    """

    __slots__ = ("_kind",)

    _kind: Any

    def __init__(self, path: str, kind: Any) -> None:
        super().__init__(path)
        self._kind = kind

    def __getattr__(self, name: str) -> Any:
        kind = self._kind if not name.startswith("_") else None
        if kind is None:
            return super().__getattr__(name)
        if name == "root" and _is_root_model(kind):
            return _reference(self._path, _root(kind))
        if is_typeddict(get_origin(kind) or kind) or (known := fields_of(kind)) is None:
            raise AttributeError(
                f"{self} refers to a value of type {_shown(kind)}, which has no field {name!r}. The value exists"
                " only at run time, so it has no methods here; use […] for a key.",
                name=name,
                obj=self,
            )
        return self._field(name, known)

    def __getitem__(self, key: str | int | slice) -> Any:
        kind = self._kind
        if _is_root_model(kind):
            return _reference(self._path, _root(kind))[key]
        known = fields_of(kind)
        if isinstance(key, str) and known is not None and not _is(kind, tuple):
            return self._field(key, known)
        return _reference(self._path_of(key), _item(kind, key))

    def _field(self, name: str, known: Mapping[str, Field]) -> Any:
        field = known.get(name)
        if field is None:
            if _takes_more(self._kind):
                return super().__getitem__(name)
            near = difflib.get_close_matches(name, known, n=1)
            hint = f": did you mean {near[0]!r}?" if near else f". It has {', '.join(known) or 'none'}."
            raise AttributeError(f"{_shown(self._kind)} has no field {name!r}{hint}", name=name, obj=self)
        return _reference(self._path_of(field.step), field.kind)

    def __bool__(self) -> bool:
        # Type checkers take this for the value itself. Without this method, `if task.result:` would always be true.
        raise TypeError(f"{self} has no value while the workflow is built. To branch on it, use a SwitchTask.")


def _reference(path: str, kind: Any) -> Reference:
    kind = plain_type(kind)
    known = _is_class(get_origin(kind) or kind) and kind is not object
    return TypedReference(path, kind) if known and not _members(kind) else Reference(path)


def _is_class(kind: Any) -> TypeGuard[type[Any]]:
    return isinstance(kind, type) and kind is not Any  # Any is a class to Python


def _item(kind: Any, key: str | int | slice) -> Any:
    """Returns the type of an item of a dict or a list."""
    arguments = get_args(kind)
    if _is(kind, tuple) and (named := fields_of(kind)):
        arguments = tuple(field.kind for field in named.values())
    if _is(kind, Mapping) and len(arguments) == 2:
        return arguments[1]
    if _is(kind, tuple) and not (len(arguments) == 2 and arguments[1] is ...):
        return arguments[key] if isinstance(key, int) and -len(arguments) <= key < len(arguments) else UNKNOWN
    if _is(kind, Sequence | set | frozenset) and arguments:
        return kind if isinstance(key, slice) else arguments[0]
    return UNKNOWN


def _is(kind: Any, of: Any) -> bool:
    kind = get_origin(kind) or kind
    return isinstance(kind, type) and issubclass(kind, of)


def _root(kind: Any) -> Any:
    return (get_origin(kind) or kind).model_fields["root"].annotation


def _takes_more(kind: Any) -> bool:
    kind = get_origin(kind) or kind
    return issubclass(kind, BaseModel) and kind.model_config.get("extra") == "allow"


@functools.cache
def _shown(kind: Any) -> str:
    return kind.__qualname__ if isinstance(kind, type) and not get_args(kind) else str(kind)

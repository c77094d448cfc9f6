"""Classes that pydantic does not know: how they are made from JSON, and what JSON they become.

These are classes of attrs, msgspec and `pydantic.v1`, and plain classes whose `__init__` is annotated. Both directions
use the same names: what one worker returns, the next one can take.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import functools
import inspect
import json
import sys
import types
import typing
from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin

from pydantic import BaseModel, PydanticSchemaGenerationError, PydanticUserError, TypeAdapter
from pydantic_core import PydanticCustomError, core_schema
from typing_extensions import TypedDict, get_type_hints

from conductor_async._type_guards import class_of, is_class

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema

__all__ = ["foreign_fields", "readable", "write_foreign"]

_old: Any = typing.TypedDict
_OLD_TYPED_DICT = class_of(_old("_Old", {})) if sys.version_info < (3, 12) else None
"""pydantic refuses `typing.TypedDict` before Python 3.12, because its metadata is incomplete."""

_LISTS = frozenset(
    (collections.abc.Iterable, collections.abc.Collection, collections.abc.Container, collections.abc.Reversible)
)


def readable(kind: Any, around: tuple[type[object], ...] = ()) -> Any:
    """Returns the annotation with every class in it that pydantic does not know marked with how it is made.

    `Iterable` and its like become lists: pydantic would make a generator of them, which validates only while it is
    read.

    Args:
        kind: A type, with type arguments and `Annotated` or without.
        around: The classes within whose definition it stands.
    """
    if get_origin(kind) is Annotated:
        inner, *metadata = get_args(kind)
        new = readable(inner, around)
        return kind if new is inner else Annotated[(new, *metadata)]
    if is_class(kind) and kind in _LISTS:
        return list
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is not None:
        return _readable_generic(kind, origin, arguments, around)
    if hasattr(kind, "__supertype__"):  # NewType
        new = readable(kind.__supertype__, around)
        return kind if new is kind.__supertype__ else new
    if class_of(kind) is _OLD_TYPED_DICT:
        return dict[str, Any] if kind in around else _typed_dict(kind, (*around, kind))
    if not is_class(kind) or kind.__module__ == "builtins" or issubclass(kind, BaseModel):
        return kind
    return Annotated[kind, _Reader(kind, around)] if _is_foreign(kind) else kind


def _typed_dict(kind: Any, around: tuple[Any, ...]) -> Any:
    """Returns the same TypedDict, of the kind that pydantic takes."""
    fields: dict[str, Any] = {}
    for name, hint in get_type_hints(kind, include_extras=True).items():
        origin: Any = get_origin(hint)
        mark: Any = origin if origin in (Required, NotRequired) else None
        new = readable(hint if mark is None else get_args(hint)[0], around)
        fields[name] = (mark or (Required if name in kind.__required_keys__ else NotRequired))[new]
    make: Any = TypedDict
    return make(kind.__name__, fields)


def _readable_generic(kind: Any, origin: Any, arguments: tuple[Any, ...], around: tuple[type[object], ...]) -> Any:
    if origin is Literal or origin is collections.abc.Callable:
        return kind
    new = tuple(readable(each, around) for each in arguments)
    if origin in _LISTS:
        return list[new[0]]  # type: ignore[valid-type]
    if all(one is other for one, other in zip(new, arguments, strict=True)):
        return kind
    return Union[new] if origin in (Union, types.UnionType) else origin[new]  # noqa: UP007 - of a tuple


def write_foreign(value: Any) -> Any:
    """Returns what an object of such a class stands for: plainer, but not plain throughout.

    Raises:
        TypeError: The object is of another class, or keeps the arguments of its `__init__` under other names.
    """
    kind = class_of(value)
    if hasattr(kind, "__struct_fields__"):
        return sys.modules["msgspec"].to_builtins(value)
    if _is_pydantic_v1(kind):
        return json.loads(value.json(by_alias=True))
    names = foreign_fields(kind)
    if names is None or not all(hasattr(value, name) for name in names):
        raise TypeError(kind.__name__)
    return {key: getattr(value, name) for name, key in names.items()}


# -- classes -------------------------------------------------------------------------------------------


def _is_pydantic_v1(kind: type[object]) -> bool:
    return any(each.__module__ == "pydantic.v1.main" and each.__name__ == "BaseModel" for each in kind.__mro__)


def _is_foreign(kind: Any) -> bool:
    if hasattr(kind, "__struct_fields__") or hasattr(kind, "__attrs_attrs__") or _is_pydantic_v1(kind):
        return True
    is_ours = kind.__module__.startswith("conductor_async.")
    return not is_ours and not _is_known_to_pydantic(kind) and _init_parameters(kind) is not None


@functools.cache
def _is_known_to_pydantic(kind: type[object]) -> bool:
    try:
        TypeAdapter(kind)
    except PydanticSchemaGenerationError:
        return False
    except PydanticUserError:
        return True  # it says what is wrong when it is used
    return True


@functools.cache
def _init_parameters(kind: type[object]) -> Mapping[str, inspect.Parameter] | None:
    """Returns the parameters that make an object from JSON; None if it cannot be made so."""
    is_record = dataclasses.is_dataclass(kind) or hasattr(kind, "__attrs_attrs__") or hasattr(kind, "_fields")
    is_own = isinstance(kind.__init__, types.FunctionType) and not getattr(kind, "_is_protocol", False)
    if inspect.isabstract(kind) or not (is_record or is_own) or issubclass(kind, type):
        return None
    parameters = inspect.signature(kind).parameters
    for each in parameters.values():
        if each.kind not in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY):
            return None
        if each.annotation is inspect.Parameter.empty and each.default is inspect.Parameter.empty:
            return None
    return parameters or None


class _Reader:
    """Makes objects of a class from JSON: an annotation for pydantic."""

    def __init__(self, kind: type[object], around: tuple[type[object], ...]) -> None:
        self._kind = kind
        self._around = around

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        kind = self._kind
        if hasattr(kind, "__struct_fields__"):
            return core_schema.no_info_plain_validator_function(functools.partial(_read_msgspec, kind))
        if _is_pydantic_v1(kind):
            return core_schema.no_info_plain_validator_function(functools.partial(_read_pydantic_v1, kind))
        ref = f"{kind.__module__}.{kind.__qualname__}:{id(kind)}"
        if kind in self._around:
            return core_schema.definition_reference_schema(ref)
        arguments = handler.generate_schema(_arguments(kind, (*self._around, kind)))
        return core_schema.no_info_after_validator_function(functools.partial(_build, kind), arguments, ref=ref)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        if schema["type"] == "function-plain":
            return {"type": "object", "title": self._kind.__name__}
        return handler(schema)


def _arguments(kind: Any, around: tuple[type[object], ...]) -> Any:
    """Returns a TypedDict of the arguments of `__init__`."""
    parameters = _init_parameters(kind) or {}

    def holder() -> None: ...

    holder.__annotations__ = {name: each.annotation for name, each in parameters.items()}
    namespace = {**vars(sys.modules.get(kind.__module__, types)), **{each.__name__: each for each in around}}
    hints = get_type_hints(holder, globalns=namespace, include_extras=True)
    fields = {
        name: (Required if each.default is inspect.Parameter.empty else NotRequired)[
            readable(Any if each.annotation is inspect.Parameter.empty else hints[name], around)
        ]
        for name, each in parameters.items()
    }
    make: Any = TypedDict  # type checkers want the fields as a literal
    return make(kind.__name__, fields)


def _build(kind: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    try:
        return kind(**arguments)
    except TypeError as error:  # as validators of attrs raise it
        raise ValueError(str(error)) from error


def _read_msgspec(kind: type[object], value: Any) -> Any:
    msgspec = sys.modules["msgspec"]
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise PydanticCustomError("msgspec", "{problem}", {"problem": str(error)}) from error


def _read_pydantic_v1(kind: Any, value: Any) -> Any:
    try:
        return kind.parse_obj(value)
    except ValueError as error:
        errors: Any = getattr(error, "errors", None)
        found = () if errors is None else errors()
        problems = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in found]
        raise PydanticCustomError("pydantic_v1", "{problem}", {"problem": "; ".join(problems) or str(error)}) from error


def foreign_fields(kind: type[object]) -> Mapping[str, str] | None:
    """Returns the keys that such a class is written under, by the Python names of its fields; None for others."""
    given: Any = kind
    if hasattr(kind, "__struct_fields__"):
        return dict(zip(given.__struct_fields__, given.__struct_encode_fields__, strict=True))
    if _is_pydantic_v1(kind):
        return {name: field.alias for name, field in given.__fields__.items()}
    if hasattr(kind, "__attrs_attrs__"):
        return {each.name: (each.alias or each.name) if each.init else each.name for each in given.__attrs_attrs__}
    is_plain = kind.__module__ != "builtins" and not _is_known_to_pydantic(given)
    names = _init_parameters(given) if is_plain else None
    return None if names is None else dict(zip(names, names, strict=True))

"""What all models share: both spellings of names, unknown fields that are kept, and which fields are sent.

The rules of `to_wire()`:

- A field is sent if it was set or differs from its default. What the server sent counts as set.
- A field that was set to None is sent as null in definitions, and left out of requests (`sends_null`).
- Unknown fields are kept unchanged, and so are payloads (`Payload`): inputs, outputs, variables.
"""

from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticUseDefault, core_schema

from conductor_async._suggestions import did_you_mean
from conductor_async._type_guards import is_object
from conductor_async.models._lazy import Lazy, LazyAttribute
from conductor_async.models._strict import check_of, no_field

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic import GetCoreSchemaHandler
    from pydantic.fields import FieldInfo
    from pydantic_core import CoreSchema

    from conductor_async.models._strict import Check, Where

__all__ = ["ConductorModel", "JsonObject", "JsonValue", "Payload", "empty_dict", "empty_list", "shown"]

JsonValue: TypeAlias = Any
"""Any JSON value. It is `Any`, because payloads belong to the user."""

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object whose content belongs to the user."""


class _Payload:
    """Marks a map whose content belongs to the user: keys and values are checked only when it is sent."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.dict_schema()


Payload: TypeAlias = Annotated[dict[str, Any], _Payload()]
"""A map whose content belongs to the user. It is sent unchanged, nulls included."""


def empty_list() -> Any:
    """Returns the default of a field that is a list: a new list for each model."""
    return Field(default_factory=list)


def empty_dict() -> Any:
    """Returns the default of a field that is a map: a new dict for each model."""
    return Field(default_factory=dict)


class _FieldTable(NamedTuple):
    """How the fields of a class are sent."""

    fields: tuple[tuple[str, str, Any], ...]
    """Name, JSON name, default."""
    models: tuple[tuple[str, bool], ...]
    """JSON names of the fields that can hold models, and whether a dict in them is sent unchanged."""
    always: tuple[tuple[str, Any], ...]
    """JSON names of the fields that are always sent, with their defaults."""


class ConductorModel(BaseModel):
    """The base of all types that are sent to the server or received from it.

    Attributes have snake_case names. Constructors also accept the server's spelling (`taskReferenceName=`), and so do
    attributes at run time. Fields and values that this version does not know are kept if a server sent them, and sent
    back unchanged. From code they are errors: in constructors, in dicts inside their arguments, and in assignments.
    Apart from that, assigned values are not validated.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="allow",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        defer_build=True,
    )

    sends_null: ClassVar[bool] = True
    """Whether a field that was set to None is sent as null rather than left out."""

    always_sent: ClassVar[frozenset[str]] = frozenset()
    """Fields that are sent even if they are unset, because the server needs them."""

    element_fields: ClassVar[frozenset[str]] = frozenset()
    """Fields of lists and maps in responses, of which an element that cannot be read is left out."""

    if not TYPE_CHECKING:  # so that type checkers and editors see the declared names only

        def __init__(self, /, **data: Any) -> None:
            cls = type(self)
            if not cls.__pydantic_custom_init__:  # else validation calls it, too, with what a server sent
                _check_fields(cls, data)
            super().__init__(**data)

        # Only our own calls come through __init__; validation builds instances without it, as for any other model.
        __init__.__pydantic_base_init__ = True

        def __getattr__(self, name: str) -> Any:
            field = _names_by_alias(type(self)).get(name)
            return super().__getattr__(name) if field is None else getattr(self, field)

        def __setattr__(self, name: str, value: Any) -> None:
            cls = type(self)
            if name not in cls.__pydantic_fields__:
                name = _names_by_alias(cls).get(name, name)
            if name in cls.__pydantic_fields__:
                if (found := _checks(cls)[name]) is not None:
                    found[0](value, (cls.__name__, found[1]))
                super().__setattr__(name, value)
            elif (
                name.startswith("_")
                or name in (self.__pydantic_extra__ or ())
                or hasattr(getattr(cls, name, None), "__set__")
            ):
                super().__setattr__(name, value)
            else:
                message = f"{cls.__name__} has no attribute {name!r}.{did_you_mean(name, _known_names(cls))}"
                raise AttributeError(message, name=name, obj=self)

        def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Any:
            if update:
                cls = type(self)
                extra = self.__pydantic_extra__ or {}
                _check_fields(cls, {name: value for name, value in update.items() if name not in extra})
                update = {_names_by_alias(cls).get(name, name): value for name, value in update.items()}
            return super().model_copy(update=update, deep=deep)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        for name, field in cls.__pydantic_fields__.items():
            for mark in field.metadata:
                if isinstance(mark, Lazy):
                    setattr(cls, name, LazyAttribute(name, mark.model))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        _take_null_as_default(handler.resolve_ref_schema(schema))
        return schema

    def __eq__(self, other: object) -> bool:
        for each in (self, other):
            if isinstance(each, ConductorModel):
                each._parse_lazy_fields()  # equality must not depend on which of them were read before
        return super().__eq__(other)

    __hash__ = None  # type: ignore[assignment] # models are mutable

    def _parse_lazy_fields(self) -> None:
        """Parses the fields that are otherwise parsed when they are first read."""
        for name in _lazy_names(type(self)):
            getattr(self, name)

    def to_wire(self) -> JsonObject:
        """Returns the JSON object that is sent for this model.

        Its payloads and unknown fields are the model's own objects, not copies.
        """
        cls = type(self)
        fields, models, always = _field_table(cls)
        data, was_set = self.__dict__, self.__pydantic_fields_set__
        json: JsonObject = {
            alias: data[name]
            for name, alias, default in fields
            if name in data and (name in was_set or data[name] != default)
        }
        if not cls.sends_null:
            json = {alias: value for alias, value in json.items() if value is not None}
        for alias, raw in models:
            if alias in json and not (raw and type(json[alias]) is dict):
                json[alias] = _without_models(json[alias])
        for alias, default in always:
            if json.get(alias) is None:
                json[alias] = _without_models(default)
        if self.__pydantic_extra__:
            json.update(self.__pydantic_extra__)
        return json


def _without_models(value: Any) -> Any:
    """Returns the value, with each model in it replaced by the JSON object that is sent for it."""
    content: Any = value
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return [_without_models(each) for each in content]
    if isinstance(value, dict):
        return {key: _without_models(each) for key, each in content.items()}
    return content.to_wire() if isinstance(value, ConductorModel) else value


def shown(model: ConductorModel, *names: str) -> Iterator[tuple[str, str]]:
    """Returns what a repr shows: those of the attributes that are set. Never name a payload."""
    for name in names:
        value = getattr(model, name, None)
        if value:
            yield name, str(value)


# -- tables, one per class ----------------------------------------------------------------------


def _field_table(cls: type[ConductorModel]) -> _FieldTable:
    table: _FieldTable | None = cls.__dict__.get("__field_table__")
    if table is None:
        fields = tuple(
            (name, field.serialization_alias or name, field.get_default(call_default_factory=True, validated_data={}))
            for name, field in _fields(cls).items()
        )
        infos = cls.__pydantic_fields__
        table = _FieldTable(
            fields=fields,
            models=tuple((alias, _is_lazy(infos[name])) for name, alias, _ in fields if not _is_flat(infos[name])),
            always=tuple((alias, default) for name, alias, default in fields if name in cls.always_sent),
        )
        type.__setattr__(cls, "__field_table__", table)
    return table


def _is_lazy(field: FieldInfo) -> bool:
    return any(isinstance(mark, Lazy) for mark in field.metadata)


def _is_flat(field: FieldInfo) -> bool:
    """Whether the field can hold no model, or is a payload, in which models are encoded later."""
    return any(isinstance(mark, _Payload) for mark in field.metadata) or _is_flat_type(field.annotation)


def _is_flat_type(annotation: Any) -> bool:
    if arguments := get_args(annotation):
        is_payload = any(isinstance(mark, _Payload) for mark in arguments)
        return is_payload or all(_is_flat_type(each) for each in arguments)
    return isinstance(annotation, type) and issubclass(annotation, (str, int, float, bool, NoneType))


def _names_by_alias(cls: type[ConductorModel]) -> Mapping[str, str]:
    """Returns the fields whose JSON name differs from their own, by JSON name."""
    names: Mapping[str, str] | None = cls.__dict__.get("__names_by_alias__")
    if names is None:
        names = {field.alias: name for name, field in _fields(cls).items() if field.alias and field.alias != name}
        type.__setattr__(cls, "__names_by_alias__", names)
    return names


def _lazy_names(cls: type[ConductorModel]) -> Iterable[str]:
    names: tuple[str, ...] | None = cls.__dict__.get("__lazy_names__")
    if names is None:
        marked = cls.__pydantic_fields__.items()
        names = tuple(name for name, field in marked if _is_lazy(field))
        type.__setattr__(cls, "__lazy_names__", names)
    return names


def _fields(cls: type[ConductorModel]) -> Mapping[str, FieldInfo]:
    if not cls.__pydantic_fields_complete__:
        cls.model_rebuild()
    return cls.__pydantic_fields__


# -- what code may give ------------------------------------------------------------------------


def _known_names(cls: type[ConductorModel]) -> list[str]:
    return [*_fields(cls), *_names_by_alias(cls)]


def _check_fields(cls: type[ConductorModel], data: Mapping[str, Any], where: Where | None = None) -> None:
    """Checks what code gives for a model, in dicts inside it too.

    Raises:
        TypeError: The model has no such field.
        ConfigurationError: An enumeration has no such value.
    """
    checks = _checks(cls)
    for name, value in data.items():
        if name not in checks:
            raise TypeError(no_field(cls, name, _known_names(cls), where))
        if (found := checks[name]) is not None:
            check, step = found
            check(value, (where or cls.__name__, step))


def _checks(cls: type[ConductorModel]) -> Mapping[str, tuple[Check, str] | None]:
    """Returns the checks of what code gives to fields, by all their names; None where any value may be given."""
    checks: dict[str, tuple[Check, str] | None] | None = cls.__dict__.get("__checks__")
    if checks is None:
        found = {name: check_of(field.annotation, _check_of_model) for name, field in _fields(cls).items()}
        checks = {name: (check, f".{name}") if check else None for name, check in found.items()}
        checks |= {alias: checks[name] for alias, name in _names_by_alias(cls).items()}
        type.__setattr__(cls, "__checks__", checks)
    return checks


def _check_of_model(kind: type[Any]) -> Check | None:
    if not issubclass(kind, ConductorModel):
        return None

    def check(value: Any, where: Where) -> None:
        if is_object(value):
            _check_fields(kind, value, where)

    return check


# -- nulls ---------------------------------------------------------------------------------------------


def _take_null_as_default(schema: Any) -> None:
    """Makes null mean the default wherever None is not valid: some servers send null for fields without a value."""
    while "fields" not in schema:
        schema = schema["schema"]
    for field in schema["fields"].values():
        outer = field["schema"]
        if outer["type"] == "default" and outer["schema"]["type"] not in ("nullable", "any"):
            nullable = core_schema.nullable_schema(outer["schema"])
            outer["schema"] = core_schema.no_info_after_validator_function(_default_if_none, nullable)


def _default_if_none(value: Any) -> Any:
    if value is None:
        raise PydanticUseDefault
    return value

"""Lazy fields: kept as raw JSON objects, and parsed when they are first read.

An execution contains its definition, and each of its tasks another one. They are most of the bytes, and rarely read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_core import core_schema

from conductor_async._text import escaped
from conductor_async.errors import ResponseDecodeError

if TYPE_CHECKING:
    from pydantic import BaseModel, GetCoreSchemaHandler
    from pydantic_core import CoreSchema

__all__ = ["Lazy", "LazyAttribute"]


@dataclass(frozen=True, slots=True)
class Lazy:
    """Marks a field that keeps the raw object until the attribute is read."""

    model: type[BaseModel]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.any_schema(
            serialization=core_schema.plain_serializer_function_ser_schema(
                self.parsed, return_schema=core_schema.any_schema()
            )
        )

    def parsed(self, value: Any) -> Any:
        """Returns the value, parsed if it is still a raw object."""
        return self.model.model_validate(value) if type(value) is dict else value


class LazyAttribute:
    """The descriptor of a lazy field. Like pydantic, it keeps the value in the instance's `__dict__`."""

    __slots__ = ("_model", "_name")

    def __init__(self, name: str, model: type[BaseModel]) -> None:
        self._name = name
        self._model = model

    def __get__(self, instance: BaseModel | None, owner: type[BaseModel]) -> Any:
        values = None if instance is None else vars(instance)
        if values is None or self._name not in values:
            # On the class it must seem absent: pydantic would take it for the field's default.
            raise AttributeError(f"{owner.__name__} has no attribute {self._name!r}.")
        value = values[self._name]
        if type(value) is dict:
            try:
                value = values[self._name] = self._model.model_validate(value)
            except ValidationError as error:
                first = error.errors(include_input=False, include_url=False)[0]  # payloads do not belong in error texts
                path = ".".join(str(step) for step in (self._name, *first["loc"]))
                problem = escaped(f"{path} could not be read: {first['msg']}")
                raise ResponseDecodeError(f"{owner.__name__}.{problem}.") from error
        return value

    def __set__(self, instance: BaseModel, value: Any) -> None:
        vars(instance)[self._name] = value
        instance.__pydantic_fields_set__.add(self._name)

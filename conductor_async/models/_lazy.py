"""Definitions inside executions: kept as they came, and parsed when they are first touched.

An execution carries a copy of its definition, and each of its tasks one of its own. They are most of the bytes and
seldom looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_core import core_schema

from conductor_async.errors import ResponseDecodeError

if TYPE_CHECKING:
    from pydantic import BaseModel, GetCoreSchemaHandler
    from pydantic_core import CoreSchema

__all__ = ["Lazy", "LazyAttribute"]


@dataclass(frozen=True, slots=True)
class Lazy:
    """Marks a field of which the raw object is kept until the attribute is read."""

    model: type[BaseModel]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.any_schema(
            serialization=core_schema.plain_serializer_function_ser_schema(
                self.parsed, return_schema=core_schema.any_schema()
            )
        )

    def parsed(self, value: Any) -> Any:
        """The model, if the value is still a raw object."""
        return self.model.model_validate(value) if type(value) is dict else value


class LazyAttribute:
    """The attribute of such a field. pydantic keeps the value in the instance's `__dict__`, and so does this."""

    __slots__ = ("_model", "_name")

    def __init__(self, name: str, model: type[BaseModel]) -> None:
        self._name = name
        self._model = model

    def __get__(self, instance: BaseModel | None, owner: type[BaseModel]) -> Any:
        values = None if instance is None else vars(instance)
        if values is None or self._name not in values:
            # On the class, as if it were not there: pydantic takes what it finds there for a default.
            raise AttributeError(f"{owner.__name__} has no attribute {self._name!r}.")
        value = values[self._name]
        if type(value) is dict:
            try:
                value = values[self._name] = self._model.model_validate(value)
            except ValidationError as error:
                first = error.errors(include_input=False, include_url=False)[0]  # the payload is not for error messages
                path = ".".join(str(step) for step in (self._name, *first["loc"]))
                raise ResponseDecodeError(f"{owner.__name__}.{path} could not be read: {first['msg']}.") from error
        return value

    def __set__(self, instance: BaseModel, value: Any) -> None:
        vars(instance)[self._name] = value
        instance.__pydantic_fields_set__.add(self._name)

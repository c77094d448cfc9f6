"""Builds models from what was given in code, and reports values of the wrong type."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from conductor_async.errors import WorkflowDefinitionError
from conductor_async.models import ConductorModel

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

__all__ = ["build_model", "collecting_errors"]

ModelT = TypeVar("ModelT", bound=ConductorModel)

_found: ContextVar[list[str] | None] = ContextVar("values of the wrong kind", default=None)


@contextmanager
def collecting_errors() -> Generator[list[str]]:
    """What `modelled` finds in here, as a list: it goes on without these fields, so that the rest can be looked at."""
    found: list[str] = []
    outside = _found.set(found)
    try:
        yield found
    finally:
        _found.reset(outside)


def build_model(model: type[ModelT], what: str, fields: Mapping[str, Any]) -> ModelT:
    """The model with those of these fields that are not None.

    Raises:
        WorkflowDefinitionError: A field has a value of the wrong kind, and nobody collects them. `what` is named.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    try:
        return model(**given)
    except ValidationError as error:
        problems = [f"{what}: {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        wrong = {str(each["loc"][0]) for each in error.errors() if each["loc"]}
        if (found := _found.get()) is None or not wrong <= given.keys():
            raise WorkflowDefinitionError(
                f"A definition cannot work: {'; '.join(problems)}.", problems=problems
            ) from error
    found.extend(problems)
    return model(**{name: value for name, value in given.items() if name not in wrong})

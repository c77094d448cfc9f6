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

# Not a parameter: between the workflow, which collects, and its tasks are the `to_workflow_task` methods, which users
# call and override.
_collected: ContextVar[list[str] | None] = ContextVar("problems of the models that are being built", default=None)


@contextmanager
def collecting_errors() -> Generator[list[str]]:
    """Makes `build_model` add its problems to a list and leave the fields out: all problems are found at once."""
    collected: list[str] = []
    token = _collected.set(collected)
    try:
        yield collected
    finally:
        _collected.reset(token)


def build_model(model: type[ModelT], what: str, fields: Mapping[str, Any]) -> ModelT:
    """Returns the model of those fields that are not None.

    Args:
        model: The class of the model.
        what: What is built, for the error: `task 'charge_ref'`.
        fields: The values.

    Raises:
        WorkflowDefinitionError: A value has the wrong type, and this is not within `collecting_errors`.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    try:
        return model.model_validate(
            given
        )  # not the constructor: what was read from a server may have values of its own
    except ValidationError as error:
        problems = [f"{what}: {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        wrong = {str(each["loc"][0]) for each in error.errors() if each["loc"]}
        if (collected := _collected.get()) is None or not wrong <= given.keys():
            raise WorkflowDefinitionError(
                f"A definition cannot work: {'; '.join(problems)}.", problems=problems
            ) from error
    collected.extend(problems)
    return model.model_validate({name: value for name, value in given.items() if name not in wrong})

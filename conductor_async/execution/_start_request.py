"""The requests that start an execution. No I/O."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from conductor_async._type_guards import is_object
from conductor_async.errors import ConfigurationError
from conductor_async.models import IdempotencyStrategy, StartWorkflowRequest

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

DEDUPE_WINDOW = 10.0
"""Default of `dedupe_window`: seconds to search for the execution after the response to a start was lost."""

Input: TypeAlias = "Mapping[str, Any] | BaseModel | DataclassInstance | None"
"""The input of a workflow: a JSON object, a pydantic model or a dataclass that becomes one, or nothing."""


def _is_input(value: object) -> bool:
    return isinstance(value, Mapping | BaseModel) or (dataclasses.is_dataclass(value) and not isinstance(value, type))


def json_object(value: Input, what: str = "input") -> dict[str, Any]:
    """Returns the JSON object that stands for a dict, a pydantic model or a dataclass; an empty one for None.

    Raises:
        TypeError: The value is something else, or a model of something that is no object.
    """
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return dict(value)
    if _is_input(value):
        result: Any = to_jsonable_python(value, by_alias=True)
        if is_object(result):
            return result
    raise TypeError(f"{what} is a dict, a pydantic model or a dataclass, not {type(value).__name__}.")


def start_request(
    name: str,
    input: Input = None,  # noqa: A002 - the word that Conductor's SDKs share
    *,
    version: int | None = None,
    correlation_id: str | None = None,
    priority: int | None = None,
    task_to_domain: Mapping[str, str] | None = None,
) -> StartWorkflowRequest:
    """Returns a request that sets only the fields that were given: the server's defaults hold for the others."""
    if not isinstance(version, int | None):
        hint = f": write {name!r}, input={{…}}" if _is_input(version) else ""
        raise TypeError(
            f"version is a number, not a {type(version).__name__}{hint}. The order is name, version, input."
        )
    given: dict[str, Any] = {
        "version": version,
        "correlation_id": correlation_id,
        "priority": priority,
        "task_to_domain": dict(task_to_domain) if task_to_domain else None,
    }
    return StartWorkflowRequest(
        name=name,
        input=json_object(input),
        **{key: value for key, value in given.items() if value is not None},
    )


def with_dedupe_key(request: StartWorkflowRequest, dedupe_key: str) -> StartWorkflowRequest:
    """Returns a copy of the request with the key as its correlation id, by which the execution can be looked up.

    The key is also sent as the idempotency key, unless the request has one. The open-source server ignores it; a server
    that honours it returns the existing execution.

    Raises:
        ConfigurationError: The key is empty or not a string, or the request has another correlation id.
    """
    if not isinstance(dedupe_key, str) or not dedupe_key.strip():
        raise ConfigurationError(f"dedupe_key must be a non-empty string, such as 'order-42', not {dedupe_key!r}")
    if request.correlation_id not in (None, dedupe_key):
        raise ConfigurationError(
            f"dedupe_key={dedupe_key!r} becomes the correlation id of the execution, which can have only one:"
            f" leave out correlation_id={request.correlation_id!r}"
        )
    marked = request.model_copy()
    marked.correlation_id = dedupe_key
    if marked.idempotency_key is None:
        marked.idempotency_key = dedupe_key
        marked.idempotency_strategy = IdempotencyStrategy.RETURN_EXISTING
    return marked

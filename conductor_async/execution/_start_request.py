"""The requests that start an execution. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conductor_async.errors import ConfigurationError
from conductor_async.models import IdempotencyStrategy, StartWorkflowRequest

DEDUPE_WINDOW = 10.0
"""Default of `dedupe_window`: seconds to search for the execution after the response to a start was lost."""


def start_request(
    name: str,
    workflow_input: Mapping[str, Any] | None = None,
    *,
    version: int | None = None,
    correlation_id: str | None = None,
    priority: int | None = None,
    task_to_domain: Mapping[str, str] | None = None,
) -> StartWorkflowRequest:
    """Returns a request that sets only the fields that were given: the server's defaults hold for the others."""
    if not isinstance(workflow_input, Mapping | None):
        raise TypeError(f"The input of a workflow is a dict, not {type(workflow_input).__name__}.")
    given: dict[str, Any] = {
        "version": version,
        "correlation_id": correlation_id,
        "priority": priority,
        "task_to_domain": dict(task_to_domain) if task_to_domain else None,
    }
    return StartWorkflowRequest(
        name=name,
        input=dict(workflow_input or {}),
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

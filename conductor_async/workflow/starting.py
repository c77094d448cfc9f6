"""The request that starts an execution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conductor_async.models import StartWorkflowRequest

__all__ = ["start_request"]


def start_request(
    name: str,
    workflow_input: Mapping[str, Any] | None = None,
    *,
    version: int | None = None,
    correlation_id: str | None = None,
    priority: int | None = None,
    task_to_domain: Mapping[str, str] | None = None,
) -> StartWorkflowRequest:
    """A request that says what was given and no more."""
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

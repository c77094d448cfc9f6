"""The request that starts an execution, and what a safe start decides. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from conductor_async.errors import ConfigurationError
from conductor_async.models import IdempotencyStrategy, StartWorkflowRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conductor_async.models import Workflow

__all__ = ["DEDUPE_WINDOW", "delay_before_look", "may_start_again", "start_request", "started_with", "with_dedupe_key"]

DEDUPE_WINDOW = 10.0
"""Seconds for which a start whose answer was lost is looked for."""

_FIRST_DELAY = 0.05
_LONGEST_DELAY = 2.0
_STARTS = 2


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


# -- safe starts ---------------------------------------------------------------------------------------


def with_dedupe_key(request: StartWorkflowRequest, dedupe_key: str) -> StartWorkflowRequest:
    """A copy of the request that can be found again by the key, its correlation id.

    The key goes along as the idempotency key, too. The open-source server ignores that one; a server that honours it
    answers with the execution that it has already.

    Raises:
        ConfigurationError: The key is empty, or the request has another correlation id.
    """
    if not isinstance(dedupe_key, str) or not dedupe_key.strip():
        raise ConfigurationError(f"dedupe_key is what a start is known by, such as 'order-42', not {dedupe_key!r}")
    if request.correlation_id not in (None, dedupe_key):
        raise ConfigurationError(
            f"dedupe_key={dedupe_key!r} becomes the correlation id of the execution, so there can be no other one:"
            f" leave out correlation_id={request.correlation_id!r}"
        )
    marked = request.model_copy()
    marked.correlation_id = dedupe_key
    if marked.idempotency_key is None:
        marked.idempotency_key = dedupe_key
        marked.idempotency_strategy = IdempotencyStrategy.RETURN_EXISTING
    return marked


def started_with(found: Iterable[Workflow]) -> list[Workflow]:
    """Of the executions with the key, those that a start has made, the oldest first.

    Sub-workflows inherit the correlation id of their parents; nobody has started them by the key.
    """
    started = [execution for execution in found if not execution.parent_workflow_id]
    return sorted(started, key=lambda execution: (execution.create_time, execution.workflow_id))


def delay_before_look(looks: int, waited: float, window: float) -> float | None:
    """Seconds until the next look for a start whose answer was lost; None when enough was looked.

    At once, then after 50, 100, 200 ms and so on up to 2 s, and for the last time when the window ends.

    Args:
        looks: How often was looked already.
        waited: Seconds since the answer was lost.
        window: For how many seconds to look.
    """
    if looks == 0:
        return 0.0
    if waited >= window:
        return None
    return min(_FIRST_DELAY * 2.0 ** min(looks - 1, 10), _LONGEST_DELAY, window - waited)


def may_start_again(starts: int, *, sure_of_none: bool) -> bool:
    """Whether a start that did not show up within the window is made (once more).

    A server that could not be asked has not said that there is nothing; one that is slow may be about to start it.
    """
    return sure_of_none and starts < _STARTS

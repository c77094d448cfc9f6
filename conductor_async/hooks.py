"""Call hooks: what metrics and tracing see of every call of an endpoint."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Call", "CallHook", "WorkflowStart"]


@dataclass(slots=True)
class WorkflowStart:
    """The execution that a call starts.

    Attributes:
        workflow_name: The workflow's name.
        version: Its version; None or 0 means the latest.
        input: Its input. Do not change it.
        correlation_id: The execution's correlation id. A hook may set one where there is none: every task of the
            execution and of its sub-workflows carries it.
    """

    workflow_name: str
    version: int | None
    input: Mapping[str, Any]
    correlation_id: str | None


@dataclass(slots=True)
class Call:
    """One call of an endpoint, retries included. Hooks get the same object when it begins and when it ends.

    Attributes:
        method: The HTTP method.
        route: The endpoint's path template, which suits a metric's label: `/workflow/{workflow_id}`.
        workflow_start: The execution that the call starts, if it starts one.
        headers: Headers to send in addition to the client's. A tracing hook adds `traceparent` here.
        attempts: Requests sent so far.
        status: The last HTTP status; None before the first response.
        error: The exception that the caller gets, cancellation included; None if the call succeeded.
        elapsed: Seconds from begin to end, retries and back-off included.
        context: For the hook's own use between the two calls.
    """

    method: str
    route: str
    workflow_start: WorkflowStart | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    attempts: int = 0
    status: int | None = None
    error: BaseException | None = None
    elapsed: float = 0.0
    context: dict[str, Any] = field(default_factory=dict[str, Any])


class CallHook(Protocol):
    """Observes every call: the place for metrics and tracing. The client logs what a hook raises and goes on."""

    def on_call_start(self, call: Call, /) -> None:
        """Runs when the call begins, before anything is sent."""

    def on_call_end(self, call: Call, /) -> None:
        """Runs when the call ends: with a response, an error or by cancellation."""

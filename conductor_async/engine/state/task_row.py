"""One attempt of a task, as the engine keeps it.

Inside the engine times are epoch milliseconds, as on the wire, and statuses are plain strings.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conductor_async._language.names import base_name

if TYPE_CHECKING:
    from conductor_async.engine.state.definition import TaskSpec
    from conductor_async.engine.state.task_definition import TaskDefinition
    from conductor_async.models import JsonObject

__all__ = ["RETRIABLE", "SUCCESSFUL", "TERMINAL", "TaskRow", "join_names", "queue_name"]

TERMINAL = frozenset(
    {"COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED", "FAILED_WITH_TERMINAL_ERROR", "TIMED_OUT", "CANCELED", "SKIPPED"}
)
"""Statuses of a task that has ended."""

SUCCESSFUL = frozenset({"SCHEDULED", "IN_PROGRESS", "COMPLETED", "COMPLETED_WITH_ERRORS", "SKIPPED"})
"""Statuses of a task that has not failed. The server counts open tasks among them."""

RETRIABLE = frozenset({"SCHEDULED", "IN_PROGRESS", "COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED", "TIMED_OUT"})
"""Statuses after which the server allows another attempt: all but CANCELED, SKIPPED and terminal errors."""


@dataclass(slots=True, eq=False)
class TaskRow:
    """One attempt of one task.

    Attributes:
        spec: The task in the definition; for dynamic tasks a copy with the parameters filled in.
        reference_name: Its name in the workflow, with the iteration: `ref__2`.
        seq: Its number in the order of scheduling; 0 until it is scheduled.
        retried: Whether a later attempt replaces it.
        executed: Whether the decider has dealt with its end.
        next_check: When its timeout timer is due; 0 if none is set.
        mocked: Whether a mock carries it out.
        stored: For loops, whether the row existed when a decision ended. The server serialises rows at that moment,
            after which the keys of the output keep the order in which they were added.
    """

    task_id: str
    task_type: str
    status: str
    reference_name: str
    workflow_id: str
    workflow_type: str
    spec: TaskSpec | None
    task_def_name: str | None = None
    retry_count: int = 0
    seq: int = 0
    correlation_id: str | None = None
    poll_count: int = 0
    scheduled_time: int = 0
    first_scheduled_time: int = 0
    start_time: int = 0
    end_time: int = 0
    update_time: int = 0
    start_delay: int = 0
    retried_task_id: str | None = None
    retried: bool = False
    executed: bool = False
    response_timeout: int = 0
    reason: str | None = None
    callback_after: int = 0
    callback_after_ms: int = 0
    worker_id: str | None = None
    input: JsonObject = field(default_factory=dict[str, Any])
    output: JsonObject = field(default_factory=dict[str, Any])
    domain: str | None = None
    output_message: JsonObject | None = None
    external_output_path: str | None = None
    rate_limit: int = 0
    rate_frequency: int = 0
    priority: int = 0
    isolation_group: str | None = None
    execution_namespace: str | None = None
    iteration: int = 0
    sub_workflow_id: str | None = None
    subworkflow_changed: bool = False
    wait_until: int = 0
    next_check: int = 0
    mocked: bool = False
    stored: bool = False

    @property
    def is_terminal(self) -> bool:
        """Whether this attempt has ended."""
        return self.status in TERMINAL

    @property
    def is_successful(self) -> bool:
        """Whether this attempt has not failed."""
        return self.status in SUCCESSFUL

    @property
    def optional(self) -> bool:
        """Whether the workflow continues when this task fails."""
        return self.spec is not None and self.spec.optional

    @property
    def permissive(self) -> bool:
        """Whether other branches continue when this task fails; the workflow fails at its end."""
        return self.spec is not None and self.spec.permissive

    @property
    def definition(self) -> TaskDefinition | None:
        """The task definition as it was when the execution started."""
        return self.spec.definition if self.spec is not None else None

    @property
    def base_name(self) -> str:
        """The name that expressions use: without the iteration."""
        return base_name(self.reference_name) if self.iteration > 0 else self.reference_name

    @property
    def queue(self) -> str:
        """The name of the queue that it waits in."""
        return queue_name(self.task_type, self.domain)

    def copy(self) -> TaskRow:
        """Returns another row with the same values. Input and output are shared."""
        return copy.copy(self)


def join_names(row: TaskRow) -> list[str]:
    """Returns the reference names that a join waits for; in a loop, with the join's iteration."""
    names: list[str] = row.input.get("joinOn") or []
    return [f"{name}__{row.iteration}" for name in names] if row.iteration > 0 else names


def queue_name(task_type: str, domain: str | None) -> str:
    """Returns the name of the queue of a task type in a domain."""
    return f"{domain}:{task_type}" if domain else task_type

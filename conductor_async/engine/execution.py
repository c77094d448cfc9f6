"""The rows that the engine keeps: executions, and in each the attempts of its tasks.

Inside the engine times are epoch milliseconds, as on the wire, and statuses are plain strings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conductor_async.engine.definitions import Definition, TaskSpec
    from conductor_async.models import JsonObject

__all__ = ["RETRIABLE", "SUCCESSFUL", "TERMINAL", "WORKFLOW_TERMINAL", "Execution", "TaskRow"]

TERMINAL = frozenset(
    {"COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED", "FAILED_WITH_TERMINAL_ERROR", "TIMED_OUT", "CANCELED", "SKIPPED"}
)
"""Statuses of a task that has ended."""

SUCCESSFUL = frozenset({"SCHEDULED", "IN_PROGRESS", "COMPLETED", "COMPLETED_WITH_ERRORS", "SKIPPED"})
"""Statuses of a task in which nothing has gone wrong, as the server counts it."""

RETRIABLE = frozenset({"SCHEDULED", "IN_PROGRESS", "COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED", "TIMED_OUT"})
"""Statuses of a task after which there can be another attempt, as the server counts it."""

WORKFLOW_TERMINAL = frozenset({"COMPLETED", "FAILED", "TIMED_OUT", "TERMINATED"})
"""Statuses of an execution that has ended."""


@dataclass(slots=True, eq=False)
class TaskRow:
    """One attempt of one task."""

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
    first_start_time: int = 0
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
    execution_metadata: JsonObject | None = None
    external_output_path: str | None = None
    rate_limit_per_frequency: int = 0
    rate_limit_frequency: int = 0
    priority: int = 0
    isolation_group: str | None = None
    execution_namespace: str | None = None
    iteration: int = 0
    sub_workflow_id: str | None = None
    subworkflow_changed: bool = False
    parent_task_id: str | None = None
    wait_until: int = 0

    @property
    def is_terminal(self) -> bool:
        """Whether this attempt has ended."""
        return self.status in TERMINAL

    @property
    def is_successful(self) -> bool:
        """Whether nothing has gone wrong so far."""
        return self.status in SUCCESSFUL

    @property
    def queue(self) -> str:
        """The name of the queue that this waits in."""
        return f"{self.domain}:{self.task_type}" if self.domain else self.task_type


@dataclass(slots=True, eq=False)
class Execution:
    """One run of a workflow."""

    workflow_id: str
    definition: Definition
    input: JsonObject
    status: str = "RUNNING"
    correlation_id: str | None = None
    priority: int = 0
    create_time: int = 0
    update_time: int = 0
    end_time: int = 0
    last_retried_time: int = 0
    parent_workflow_id: str | None = None
    parent_task_id: str | None = None
    created_by: str | None = None
    event: str | None = None
    reason: str | None = None
    failed_task_id: str | None = None
    output: JsonObject = field(default_factory=dict[str, Any])
    variables: JsonObject = field(default_factory=dict[str, Any])
    task_to_domain: dict[str, str] = field(default_factory=dict[str, str])
    failed_reference_names: dict[str, None] = field(default_factory=dict[str, None])
    failed_task_names: dict[str, None] = field(default_factory=dict[str, None])
    tasks: list[TaskRow] = field(default_factory=list["TaskRow"])

    @property
    def is_terminal(self) -> bool:
        """Whether this has ended."""
        return self.status in WORKFLOW_TERMINAL

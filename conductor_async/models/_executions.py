"""Executions, as the server shows them. Times are epoch milliseconds; 0 means "not yet"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Self

from conductor_async._text import escaped
from conductor_async.errors import WorkflowError, WorkflowFailedError, WorkflowTerminatedError, WorkflowTimedOutError
from conductor_async.models._base import ConductorModel, Payload, empty_dict, empty_list, shown
from conductor_async.models._enums import OpenWorkflowStatus, TaskStatus, WorkflowStatus
from conductor_async.models._lazy import Lazy
from conductor_async.models._metadata import WorkflowDef
from conductor_async.models._statuses import (
    FAILED_TASK_STATUSES,
    OPEN_TASK_STATUSES,
    OPEN_WORKFLOW_STATUSES,
    TERMINAL_WORKFLOW_STATUSES,
)
from conductor_async.models._tasks import Task  # noqa: TC001 - pydantic needs it

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["HasStatus", "HasTasks", "Workflow", "WorkflowState"]

_FAILURES: dict[str, type[WorkflowError]] = {
    "FAILED": WorkflowFailedError,
    "TIMED_OUT": WorkflowTimedOutError,
    "TERMINATED": WorkflowTerminatedError,
}

_ITERATION = re.compile(r"(__\d+)+$")


class HasStatus(ConductorModel):
    """Predicates on the status of an execution."""

    status: OpenWorkflowStatus = WorkflowStatus.RUNNING

    def is_completed(self) -> bool:
        """Returns whether the execution has ended: COMPLETED, FAILED, TIMED_OUT or TERMINATED."""
        return self.status in TERMINAL_WORKFLOW_STATUSES

    def is_running(self) -> bool:
        """Returns whether the execution is RUNNING or PAUSED."""
        return self.status in OPEN_WORKFLOW_STATUSES

    def is_successful(self) -> bool:
        """Returns whether the execution is COMPLETED."""
        return self.status == WorkflowStatus.COMPLETED


class HasTasks(HasStatus):
    """Lookups in the tasks of an execution."""

    workflow_id: str = ""
    tasks: list[Task] = empty_list()
    reason_for_incompletion: str | None = None

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        yield from shown(self, "workflow_id", "workflow_name", "status")
        yield "tasks", len(self.tasks)

    @property
    def current_task(self) -> Task | None:
        """The last task that is SCHEDULED or IN_PROGRESS, if any."""
        return next((task for task in reversed(self.tasks) if task.status in OPEN_TASK_STATUSES), None)

    @property
    def failed_task(self) -> Task | None:
        """The last task that failed and was not retried, if any."""
        failed = (task for task in reversed(self.tasks) if task.status in FAILED_TASK_STATUSES and not task.retried)
        return next(failed, None)

    def get_task(self, name: str | None = None, task_reference_name: str | None = None) -> Task | None:
        """Returns the latest attempt of a task, by its definition's name or by its reference name; None without one.

        The plain reference name of a task in a loop finds its latest iteration; `ref__2` finds that iteration.

        Raises:
            TypeError: Not exactly one of the two was given.
        """
        if (name is None) == (task_reference_name is None):
            raise TypeError("get_task() takes either name or task_reference_name.")
        if name is not None:
            found = [task for task in self.tasks if task.task_def_name == name]
        else:
            found = [task for task in self.tasks if task.reference_task_name == task_reference_name] or [
                task
                for task in self.tasks
                if task.iteration and _ITERATION.sub("", task.reference_task_name) == task_reference_name
            ]
        return max(found, key=lambda task: (task.seq, task.retry_count), default=None)

    def get_task_by_reference_name(self, ref_name: str) -> Task | None:
        """Does the same as `get_task(task_reference_name=ref_name)`."""
        return self.get_task(task_reference_name=ref_name)

    def get_tasks_by_status(self, status: TaskStatus | str) -> list[Task]:
        """Returns all attempts of all tasks that have this status."""
        return [task for task in self.tasks if task.status == status]

    def raise_for_status(self) -> Self:
        """Raises an error if the execution ended without completing; returns it if it completed or has not ended.

        Raises:
            WorkflowFailedError: It ended FAILED.
            WorkflowTimedOutError: It ended TIMED_OUT.
            WorkflowTerminatedError: It ended TERMINATED.
        """
        kind = _FAILURES.get(self.status)
        if kind is None:
            return self
        raise kind(_failure(self), execution=self)  # type: ignore[arg-type]


def _failure(execution: HasTasks) -> str:
    name: str | None = getattr(execution, "workflow_name", None)
    named = f"Workflow {name!r}" if name else "The workflow"
    text = f"{named} (id {execution.workflow_id}) ended {execution.status}"
    if execution.reason_for_incompletion:
        text += f": {escaped(execution.reason_for_incompletion)}"
    task = execution.failed_task
    if task is None:
        return text.removesuffix(".") + "."
    text = f"{text.removesuffix('.')}. Task {task.reference_task_name!r} ({task.task_def_name}) is {task.status}"
    # The server's reason for the execution often quotes the task's.
    if (reason := escaped(task.reason_for_incompletion or "")) and reason not in text:
        text += f": {reason}"
    return text.removesuffix(".") + "."


class Workflow(HasTasks):
    """An execution: its status, its tasks, and what went in and came out. Times are epoch milliseconds.

    `workflow_definition`, the definition as it was at the start, is parsed when it is first read.

    Attributes:
        tasks: All attempts of all tasks, in the order in which they were scheduled.
        reason_for_incompletion: Why it did not complete, or the reason of a TERMINATE task.
        failed_reference_task_names: The tasks that failed, by reference name.
        history: Earlier runs, if the execution was rerun.
        aggregate_token_usage: The tokens that tasks calling language models used.
    """

    owner_app: str | None = None
    create_time: int = 0
    update_time: int = 0
    created_by: str | None = None
    updated_by: str | None = None
    end_time: int = 0
    parent_workflow_id: str | None = None
    parent_workflow_task_id: str | None = None
    input: Payload = empty_dict()
    output: Payload = empty_dict()
    correlation_id: str | None = None
    re_run_from_workflow_id: str | None = None
    event: str | None = None
    task_to_domain: dict[str, str] = empty_dict()
    failed_reference_task_names: list[str] = empty_list()
    workflow_definition: Annotated[WorkflowDef | None, Lazy(WorkflowDef)] = None
    external_input_payload_storage_path: str | None = None
    external_output_payload_storage_path: str | None = None
    priority: int = 0
    variables: Payload = empty_dict()
    last_retried_time: int = 0
    failed_task_names: list[str] = empty_list()
    history: list[Workflow] = empty_list()
    idempotency_key: str | None = None
    rate_limit_key: str | None = None
    rate_limited: bool = False
    aggregate_token_usage: Payload | None = None
    start_time: int = 0
    workflow_name: str = ""
    workflow_version: int = 0


class WorkflowState(HasStatus):
    """The state of an execution without its tasks. Output and variables are set only if the call requested them."""

    workflow_id: str = ""
    correlation_id: str | None = None
    output: Payload = empty_dict()
    variables: Payload = empty_dict()

"""Executions and their tasks, as the server shows them.

Times are epoch milliseconds, 0 for what has not happened yet.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeAlias

from pydantic import Field
from pydantic_core import core_schema

from conductor_async.errors import WorkflowError, WorkflowFailedError, WorkflowTerminatedError, WorkflowTimedOutError
from conductor_async.models._base import ConductorModel, JsonObject, Payload, empty_dict, empty_list
from conductor_async.models._lazy import Lazy
from conductor_async.models._statuses import (
    COMPLETED_TASK_STATUSES,
    FAILED_TASK_STATUSES,
    OPEN_TASK_STATUSES,
    OPEN_WORKFLOW_STATUSES,
    TERMINAL_TASK_STATUSES,
    TERMINAL_WORKFLOW_STATUSES,
)
from conductor_async.models.metadata import TaskDef, WorkflowDef, WorkflowTask
from conductor_async.models.results import TaskResult, TaskResultStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

__all__ = [
    "SignalResponse",
    "Task",
    "TaskRun",
    "TaskStatus",
    "Workflow",
    "WorkflowRun",
    "WorkflowState",
    "WorkflowStatus",
]


class WorkflowStatus(StrEnum):
    """The status of an execution. All but RUNNING and PAUSED are final, unless someone retries or restarts it."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    TERMINATED = "TERMINATED"


class TaskStatus(StrEnum):
    """The status of one attempt of a task. All but SCHEDULED and IN_PROGRESS are final."""

    SCHEDULED = "SCHEDULED"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    COMPLETED_WITH_ERRORS = "COMPLETED_WITH_ERRORS"
    FAILED = "FAILED"
    FAILED_WITH_TERMINAL_ERROR = "FAILED_WITH_TERMINAL_ERROR"
    TIMED_OUT = "TIMED_OUT"
    CANCELED = "CANCELED"
    SKIPPED = "SKIPPED"


_OPEN = Field(union_mode="left_to_right")
_WorkflowStatus: TypeAlias = Annotated[WorkflowStatus | str, _OPEN]
_TaskStatus: TypeAlias = Annotated[TaskStatus | str, _OPEN]

_FAILURES: dict[str, type[WorkflowError]] = {
    "FAILED": WorkflowFailedError,
    "TIMED_OUT": WorkflowTimedOutError,
    "TERMINATED": WorkflowTerminatedError,
}

_ITERATION = re.compile(r"(__\d+)+$")


# -- tasks -------------------------------------------------------------------------------------------


class Task(ConductorModel):
    """One attempt of one task of an execution. Times are epoch milliseconds.

    `workflow_task` and `task_definition` are parsed when they are first read.

    Attributes:
        task_type: The type; for what workers run, the name that they poll.
        reference_task_name: The task's name in the workflow; in a loop with the iteration: `ref__2`.
        retry_count: 0 for the first attempt.
        retried: Whether another attempt has followed this one.
        iteration: The loop's iteration that this belongs to, from 1; 0 outside loops.
        callback_after_seconds: How long until the task is handed out (again).
        response_timeout_seconds: How long the worker may stay silent.
        queue_wait_time: How long the task waited for a worker, in milliseconds.
        runtime_metadata: Secrets and environment values that the task definition asks for; only there when polled.
    """

    task_type: str = ""
    status: _TaskStatus = TaskStatus.SCHEDULED
    input_data: Payload = empty_dict()
    reference_task_name: str = ""
    retry_count: int = 0
    seq: int = 0
    correlation_id: str | None = None
    poll_count: int = 0
    task_def_name: str = ""
    scheduled_time: int = 0
    start_time: int = 0
    end_time: int = 0
    update_time: int = 0
    start_delay_in_seconds: int = 0
    retried_task_id: str | None = None
    retried: bool = False
    executed: bool = False
    callback_from_worker: bool = True
    response_timeout_seconds: int = 0
    workflow_instance_id: str = ""
    workflow_type: str | None = None
    task_id: str = ""
    reason_for_incompletion: str | None = None
    callback_after_seconds: int = 0
    worker_id: str | None = None
    output_data: Payload = empty_dict()
    workflow_task: Annotated[WorkflowTask | None, Lazy(WorkflowTask)] = None
    domain: str | None = None
    input_message: Payload | None = None
    output_message: Payload | None = None
    rate_limit_per_frequency: int = 0
    rate_limit_frequency_in_seconds: int = 0
    external_input_payload_storage_path: str | None = None
    external_output_payload_storage_path: str | None = None
    workflow_priority: int = 0
    execution_name_space: str | None = None
    isolation_group_id: str | None = None
    iteration: int = 0
    sub_workflow_id: str | None = None
    subworkflow_changed: bool = False
    first_start_time: int = 0
    execution_metadata: Payload | None = None
    parent_task_id: str | None = None
    runtime_metadata: Payload | None = None
    task_definition: Annotated[TaskDef | None, Lazy(TaskDef)] = None
    loop_over_task: bool = False
    queue_wait_time: int = 0

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        yield from _shown(self, "reference_task_name", "task_type", "status", "task_id", "workflow_instance_id")

    def is_completed(self) -> bool:
        """Whether this attempt has ended, in whatever way."""
        return self.status in TERMINAL_TASK_STATUSES

    def is_successful(self) -> bool:
        """Whether this attempt ended, and the workflow goes on from it."""
        return self.status in COMPLETED_TASK_STATUSES

    def to_task_result(self, status: TaskResultStatus | str = TaskResultStatus.COMPLETED) -> TaskResult:
        """A result for this task, to fill and to report."""
        result = TaskResult(task_id=self.task_id, workflow_instance_id=self.workflow_instance_id, status=status)
        if self.worker_id is not None:
            result.worker_id = self.worker_id
        return result


# -- executions --------------------------------------------------------------------------------------


class _HasStatus(ConductorModel):
    """What can be told from the status of an execution."""

    status: _WorkflowStatus = WorkflowStatus.RUNNING

    def is_completed(self) -> bool:
        """Whether the execution has ended, in whatever way: COMPLETED, FAILED, TIMED_OUT or TERMINATED."""
        return self.status in TERMINAL_WORKFLOW_STATUSES

    def is_running(self) -> bool:
        """Whether the execution goes on: RUNNING or PAUSED."""
        return self.status in OPEN_WORKFLOW_STATUSES

    def is_successful(self) -> bool:
        """Whether the execution ended COMPLETED."""
        return self.status == WorkflowStatus.COMPLETED


class _HasTasks(_HasStatus):
    """What can be told from an execution with its tasks."""

    workflow_id: str = ""
    tasks: list[Task] = empty_list()
    reason_for_incompletion: str | None = None

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        yield from _shown(self, "workflow_id", "workflow_name", "status")
        yield "tasks", len(self.tasks)

    @property
    def current_task(self) -> Task | None:
        """The last task that is scheduled or in progress."""
        return next((task for task in reversed(self.tasks) if task.status in OPEN_TASK_STATUSES), None)

    @property
    def failed_task(self) -> Task | None:
        """The last task that failed for good: that no other attempt has followed."""
        failed = (task for task in reversed(self.tasks) if task.status in FAILED_TASK_STATUSES and not task.retried)
        return next(failed, None)

    def get_task(self, name: str | None = None, task_reference_name: str | None = None) -> Task | None:
        """The latest attempt of a task, by its definition's name or by its reference name. None if there is none yet.

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
        """The same as `get_task(task_reference_name=ref_name)`."""
        return self.get_task(task_reference_name=ref_name)

    def get_tasks_by_status(self, status: TaskStatus | str) -> list[Task]:
        """All attempts of all tasks that have this status."""
        return [task for task in self.tasks if task.status == status]

    def raise_for_status(self) -> Self:
        """Raise if the execution ended without completing; else return it. One that goes on raises nothing.

        Raises:
            WorkflowFailedError: It ended FAILED.
            WorkflowTimedOutError: It ended TIMED_OUT.
            WorkflowTerminatedError: It ended TERMINATED.
        """
        kind = _FAILURES.get(self.status)
        if kind is None:
            return self
        raise kind(_failure(self), execution=self)  # type: ignore[arg-type]


def _failure(execution: _HasTasks) -> str:
    name: str | None = getattr(execution, "workflow_name", None)
    named = f"Workflow {name!r}" if name else "The workflow"
    text = f"{named} (id {execution.workflow_id}) ended {execution.status}"
    if execution.reason_for_incompletion:
        text += f": {execution.reason_for_incompletion}"
    task = execution.failed_task
    if task is None:
        return text.removesuffix(".") + "."
    text = f"{text.removesuffix('.')}. Task {task.reference_task_name!r} ({task.task_def_name}) is {task.status}"
    if task.reason_for_incompletion and task.reason_for_incompletion != execution.reason_for_incompletion:
        text += f": {task.reason_for_incompletion}"
    return text.removesuffix(".") + "."


class Workflow(_HasTasks):
    """An execution: its status, its tasks, and what went in and came out. Times are epoch milliseconds.

    `workflow_definition`, the definition as it was at the start, is parsed when it is first read.

    Attributes:
        tasks: All attempts of all tasks, in the order in which they were scheduled.
        reason_for_incompletion: Why it did not complete, or what a TERMINATE task said.
        failed_reference_task_names: The tasks that failed, by reference name.
        history: Earlier runs, if the execution was rerun.
        aggregate_token_usage: What the tasks that call language models used.
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


class WorkflowState(_HasStatus):
    """Where an execution stands, without its tasks. Output and variables are there if they were asked for."""

    workflow_id: str = ""
    correlation_id: str | None = None
    output: Payload = empty_dict()
    variables: Payload = empty_dict()


# -- synchronous runs and signals --------------------------------------------------------------------


class SignalResponse(ConductorModel):
    """The answer of a synchronous execution or signal: a `WorkflowRun` or a `TaskRun`, as the return strategy says.

    Attributes:
        response_type: `TARGET_WORKFLOW`, `BLOCKING_WORKFLOW`, `BLOCKING_TASK` or `BLOCKING_TASK_INPUT`.
        target_workflow_id: The execution that was started or signalled.
        target_workflow_status: Its status.
        workflow_id: The execution that is shown: the target, or the sub-workflow in it that waits.
        signal_timeout: The time was up before what was waited for came.
        create_time: Epoch milliseconds.
        update_time: Epoch milliseconds.
    """

    response_type: str | None = None
    target_workflow_id: str | None = None
    target_workflow_status: _WorkflowStatus | None = None
    request_id: str | None = None
    workflow_id: str = ""
    correlation_id: str | None = None
    input: Payload = empty_dict()
    output: Payload = empty_dict()
    signal_timeout: bool = False
    priority: int = 0
    variables: Payload = empty_dict()
    created_by: str | None = None
    create_time: int = 0
    update_time: int = 0
    reason_for_incompletion: str | None = None

    if not TYPE_CHECKING:

        def __init__(self, /, **data: Any) -> None:
            if type(self) is SignalResponse:
                raise TypeError("A SignalResponse is a WorkflowRun or a TaskRun: construct one of them.")
            super().__init__(**data)

        __init__.__pydantic_base_init__ = True  # as in the base

    def is_target_workflow(self) -> bool:
        """Whether this shows the execution that was started or signalled."""
        return self.response_type == "TARGET_WORKFLOW"

    def is_blocking_workflow(self) -> bool:
        """Whether this shows the execution that waits: the target, or a sub-workflow in it."""
        return self.response_type == "BLOCKING_WORKFLOW"

    def is_blocking_task(self) -> bool:
        """Whether this shows the task that is waited at."""
        return self.response_type == "BLOCKING_TASK"

    def is_blocking_task_input(self) -> bool:
        """Whether this shows the task that is waited at, for its input."""
        return self.response_type == "BLOCKING_TASK_INPUT"

    def get_workflow(self) -> WorkflowRun | None:
        """This, if it shows an execution."""
        return self if isinstance(self, WorkflowRun) else None

    def get_blocking_task(self) -> TaskRun | None:
        """This, if it shows a task."""
        return self if isinstance(self, TaskRun) else None

    def get_task_input(self) -> JsonObject | None:
        """The input of the task that this shows, if it shows one."""
        return self.input if isinstance(self, TaskRun) else None

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = super().__get_pydantic_core_schema__(source, handler)
        if cls is not SignalResponse:
            return schema
        return core_schema.no_info_wrap_validator_function(_as_what_it_is, schema)


def _as_what_it_is(value: Any, _: core_schema.ValidatorFunctionWrapHandler) -> Any:
    if isinstance(value, SignalResponse):
        return value
    is_task = isinstance(value, dict) and ("taskId" in value or "task_id" in value)
    return (TaskRun if is_task else WorkflowRun).model_validate(value)


class WorkflowRun(SignalResponse, _HasTasks):
    """What one run of a workflow came to. Times are epoch milliseconds.

    `workflow_name`, `workflow_version` and `reason_for_incompletion` are not in the server's answer: the client fills
    them in where it knows them.
    """

    workflow_name: str | None = None
    workflow_version: int | None = None

    @classmethod
    def from_workflow(cls, workflow: Workflow) -> Self:
        """The run that an execution shows. Its payloads and tasks are those of the execution, not copies."""
        run = cls(
            target_workflow_id=workflow.workflow_id,
            target_workflow_status=workflow.status,
            **{name: getattr(workflow, name) for name in _SHARED},
        )
        run.workflow_version = workflow.workflow_version
        return run


_SHARED = (
    "workflow_id",
    "workflow_name",
    "correlation_id",
    "input",
    "output",
    "status",
    "reason_for_incompletion",
    "tasks",
    "priority",
    "variables",
    "created_by",
    "create_time",
    "update_time",
)


class TaskRun(SignalResponse):
    """The task that a synchronous execution or signal waits at. Times are epoch milliseconds."""

    task_type: str = ""
    task_id: str = ""
    reference_task_name: str = ""
    retry_count: int = 0
    task_def_name: str = ""
    retried_task_id: str | None = None
    workflow_type: str | None = None
    status: _TaskStatus = TaskStatus.SCHEDULED

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        yield from _shown(self, "reference_task_name", "task_type", "status", "task_id", "workflow_id")


def _shown(model: ConductorModel, *names: str) -> Iterator[tuple[str, str]]:
    """What a repr tells: ids and status, never a payload."""
    for name in names:
        value = getattr(model, name, None)
        if value:
            yield name, str(value)

"""Tasks of executions, as the server shows them. Times are epoch milliseconds; 0 means "not yet"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from conductor_async.models._base import ConductorModel, Payload, empty_dict, shown
from conductor_async.models._enums import OpenTaskStatus, TaskResultStatus, TaskStatus
from conductor_async.models._lazy import Lazy
from conductor_async.models._metadata import TaskDef, WorkflowTask
from conductor_async.models._results import TaskResult
from conductor_async.models._statuses import COMPLETED_TASK_STATUSES, TERMINAL_TASK_STATUSES

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Task"]


class Task(ConductorModel):
    """One attempt of one task of an execution. Times are epoch milliseconds.

    `workflow_task` and `task_definition` are parsed when they are first read.

    Attributes:
        task_type: The type; for worker tasks, the name that workers poll.
        reference_task_name: The task's reference name; in a loop with the iteration: `ref__2`.
        retry_count: 0 for the first attempt.
        retried: Whether there is a later attempt.
        iteration: The iteration of the loop around it, from 1; 0 outside loops.
        callback_after_seconds: How long until the server hands the task out (again).
        response_timeout_seconds: How long the worker may take to report.
        queue_wait_time: How long the task waited for a worker, in milliseconds.
        runtime_metadata: The secrets and environment values that the task definition names; only on polled tasks.
    """

    task_type: str = ""
    status: OpenTaskStatus = TaskStatus.SCHEDULED
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
        yield from shown(self, "reference_task_name", "task_type", "status", "task_id", "workflow_instance_id")

    def is_completed(self) -> bool:
        """Returns whether this attempt has ended, successfully or not."""
        return self.status in TERMINAL_TASK_STATUSES

    def is_successful(self) -> bool:
        """Returns whether this attempt has ended so that the workflow goes on."""
        return self.status in COMPLETED_TASK_STATUSES

    def to_task_result(self, status: TaskResultStatus | str = TaskResultStatus.COMPLETED) -> TaskResult:
        """Returns a result for this task, to fill and to report."""
        result = TaskResult(task_id=self.task_id, workflow_instance_id=self.workflow_instance_id, status=status)
        if self.worker_id is not None:
            result.worker_id = self.worker_id
        return result

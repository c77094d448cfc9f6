"""Summaries of executions and tasks, and poll data of queues."""

from __future__ import annotations

from typing import ClassVar

from pydantic import ConfigDict

from conductor_async.models._base import ConductorModel, empty_dict, empty_list
from conductor_async.models._enums import OpenTaskStatus, TaskStatus
from conductor_async.models._executions import HasStatus

__all__ = ["PollData", "TaskSummary", "WorkflowSummary"]


class WorkflowSummary(HasStatus):
    """The summary of an execution. Times are ISO 8601 text in UTC.

    Attributes:
        input: Java's text form of a map (`{a=1}`), unless the server is configured to send JSON.
        output: As the input.
        execution_time: Milliseconds.
        failed_reference_task_names: Separated by commas.
        input_size: Characters.
        output_size: Characters.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(coerce_numbers_to_str=True)

    workflow_type: str = ""
    version: int = 0
    workflow_id: str = ""
    correlation_id: str | None = None
    start_time: str | None = None
    update_time: str | None = None
    end_time: str | None = None
    input: str | None = None
    output: str | None = None
    reason_for_incompletion: str | None = None
    execution_time: int = 0
    event: str | None = None
    failed_reference_task_names: str | None = None
    external_input_payload_storage_path: str | None = None
    external_output_payload_storage_path: str | None = None
    priority: int = 0
    failed_task_names: list[str] = empty_list()
    created_by: str | None = None
    task_to_domain: dict[str, str] = empty_dict()
    idempotency_key: str | None = None
    parent_workflow_id: str | None = None
    classifier: str | None = None
    input_size: int = 0
    output_size: int = 0


class TaskSummary(ConductorModel):
    """The summary of a task. Times are ISO 8601 text in UTC; `execution_time` and `queue_wait_time` are milliseconds.

    Attributes:
        input: Java's text form of a map (`{a=1}`), unless the server is configured to send JSON.
        output: As the input.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(coerce_numbers_to_str=True)

    workflow_id: str = ""
    workflow_type: str = ""
    correlation_id: str | None = None
    scheduled_time: str | None = None
    start_time: str | None = None
    update_time: str | None = None
    end_time: str | None = None
    status: OpenTaskStatus = TaskStatus.SCHEDULED
    reason_for_incompletion: str | None = None
    execution_time: int = 0
    queue_wait_time: int = 0
    task_def_name: str = ""
    task_type: str = ""
    input: str | None = None
    output: str | None = None
    task_id: str = ""
    external_input_payload_storage_path: str | None = None
    external_output_payload_storage_path: str | None = None
    workflow_priority: int = 0
    domain: str | None = None


class PollData(ConductorModel):
    """When a worker last polled a queue, in epoch milliseconds."""

    queue_name: str = ""
    domain: str | None = None
    worker_id: str | None = None
    last_poll_time: int = 0

"""Requests to start, rerun, skip and test."""

from __future__ import annotations

from typing import ClassVar

from conductor_async.models._base import ConductorModel, Payload, empty_dict
from conductor_async.models._enums import OpenIdempotencyStrategy, OpenTaskStatus, TaskStatus
from conductor_async.models._metadata import WorkflowDef  # noqa: TC001 - pydantic needs it

__all__ = [
    "RerunWorkflowRequest",
    "SkipTaskRequest",
    "StartWorkflowRequest",
    "TaskMock",
    "WorkflowTestRequest",
]


class StartWorkflowRequest(ConductorModel):
    """What to start, and with which input.

    Attributes:
        version: The version; None means the latest.
        input: The input; `{}` is sent if it is unset.
        task_to_domain: The domain that the workers of a task type poll; `*` stands for all types.
        workflow_def: A definition to run without registering it. Its name takes precedence over `name`.
        priority: 0 to 99; the server hands out tasks of higher priority first.
        idempotency_key: Ignored by the open-source server, as the strategy is.
    """

    sends_null: ClassVar[bool] = False
    always_sent: ClassVar[frozenset[str]] = frozenset({"input"})

    name: str = ""
    version: int | None = None
    correlation_id: str | None = None
    input: Payload = empty_dict()
    task_to_domain: dict[str, str] = empty_dict()
    workflow_def: WorkflowDef | None = None
    external_input_payload_storage_path: str | None = None
    priority: int = 0
    created_by: str | None = None
    idempotency_key: str | None = None
    idempotency_strategy: OpenIdempotencyStrategy | None = None


class RerunWorkflowRequest(ConductorModel):
    """From which task to run an ended execution again, and with which input. None keeps an input."""

    sends_null: ClassVar[bool] = False

    re_run_from_workflow_id: str | None = None
    workflow_input: Payload | None = None
    re_run_from_task_id: str | None = None
    task_input: Payload | None = None
    correlation_id: str | None = None


class SkipTaskRequest(ConductorModel):
    """The input and the output of a skipped task."""

    sends_null: ClassVar[bool] = False

    task_input: Payload = empty_dict()
    task_output: Payload = empty_dict()


class TaskMock(ConductorModel):
    """How one attempt of a task ends in a test. Times are in milliseconds."""

    sends_null: ClassVar[bool] = False

    status: OpenTaskStatus = TaskStatus.COMPLETED
    output: Payload = empty_dict()
    execution_time: int = 0
    queue_wait_time: int = 0


class WorkflowTestRequest(StartWorkflowRequest):
    """A start with mocked results: by the task's reference name, one for each attempt."""

    task_ref_to_mock_output: dict[str, list[TaskMock]] = empty_dict()
    sub_workflow_test_request: dict[str, WorkflowTestRequest] = empty_dict()

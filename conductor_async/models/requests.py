"""What is sent to start, rerun, skip and test."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from conductor_async.models._base import ConductorModel, Payload, empty_dict
from conductor_async.models.execution import TaskStatus
from conductor_async.models.metadata import IdempotencyStrategy, WorkflowDef  # noqa: TC001 - pydantic needs them

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
        version: The latest one if None.
        input: Always sent, as `{}` if there is none.
        task_to_domain: The domain that the workers of a task type poll; `*` stands for all types.
        workflow_def: A definition to run as it is, without registering it. Its name wins over `name`.
        priority: 0 to 99; tasks of higher priority are handed out first.
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
    idempotency_strategy: Annotated[IdempotencyStrategy | str | None, Field(union_mode="left_to_right")] = None


class RerunWorkflowRequest(ConductorModel):
    """From which task to run an ended execution again, and with what. Inputs that are None stay as they were."""

    sends_null: ClassVar[bool] = False

    re_run_from_workflow_id: str | None = None
    workflow_input: Payload | None = None
    re_run_from_task_id: str | None = None
    task_input: Payload | None = None
    correlation_id: str | None = None


class SkipTaskRequest(ConductorModel):
    """The input and the output that a skipped task is to show."""

    sends_null: ClassVar[bool] = False

    task_input: Payload = empty_dict()
    task_output: Payload = empty_dict()


class TaskMock(ConductorModel):
    """How one attempt of a task ends in a test. Times are in milliseconds."""

    sends_null: ClassVar[bool] = False

    status: Annotated[TaskStatus | str, Field(union_mode="left_to_right")] = TaskStatus.COMPLETED
    output: Payload = empty_dict()
    execution_time: int = 0
    queue_wait_time: int = 0


class WorkflowTestRequest(StartWorkflowRequest):
    """A start with made-up results, one for each attempt, by the task's reference name."""

    task_ref_to_mock_output: dict[str, list[TaskMock]] = empty_dict()
    sub_workflow_test_request: dict[str, WorkflowTestRequest] = empty_dict()

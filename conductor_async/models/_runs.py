"""What synchronous executions and signals return. Times are epoch milliseconds; 0 means "not yet"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from pydantic_core import core_schema

from conductor_async.models._base import ConductorModel, JsonObject, Payload, empty_dict, shown
from conductor_async.models._enums import OpenTaskStatus, OpenWorkflowStatus, TaskStatus
from conductor_async.models._executions import HasTasks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

    from conductor_async.models._executions import Workflow

__all__ = ["SignalResponse", "TaskRun", "WorkflowRun"]


class SignalResponse(ConductorModel):
    """The result of a synchronous execution or signal: a `WorkflowRun` or a `TaskRun`, by return strategy.

    Attributes:
        response_type: `TARGET_WORKFLOW`, `BLOCKING_WORKFLOW`, `BLOCKING_TASK` or `BLOCKING_TASK_INPUT`.
        target_workflow_id: The execution that was started or signalled.
        target_workflow_status: Its status.
        workflow_id: The execution that this describes: the target, or the blocking sub-workflow in it.
        signal_timeout: Whether the wait timed out.
        create_time: Epoch milliseconds.
        update_time: Epoch milliseconds.
    """

    response_type: str | None = None
    target_workflow_id: str | None = None
    target_workflow_status: OpenWorkflowStatus | None = None
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
        """Returns whether this describes the execution that was started or signalled."""
        return self.response_type == "TARGET_WORKFLOW"

    def is_blocking_workflow(self) -> bool:
        """Returns whether this describes the blocking execution: the target, or a sub-workflow in it."""
        return self.response_type == "BLOCKING_WORKFLOW"

    def is_blocking_task(self) -> bool:
        """Returns whether this describes the blocking task."""
        return self.response_type == "BLOCKING_TASK"

    def is_blocking_task_input(self) -> bool:
        """Returns whether this describes the blocking task, for its input."""
        return self.response_type == "BLOCKING_TASK_INPUT"

    def get_workflow(self) -> WorkflowRun | None:
        """Returns this, if it describes an execution."""
        return self if isinstance(self, WorkflowRun) else None

    def get_blocking_task(self) -> TaskRun | None:
        """Returns this, if it describes a task."""
        return self if isinstance(self, TaskRun) else None

    def get_task_input(self) -> JsonObject | None:
        """Returns the input of the task, if this describes one."""
        return self.input if isinstance(self, TaskRun) else None

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = super().__get_pydantic_core_schema__(source, handler)
        if cls is not SignalResponse:
            return schema
        return core_schema.no_info_wrap_validator_function(_run_or_task, schema)


def _run_or_task(value: Any, _: core_schema.ValidatorFunctionWrapHandler) -> Any:
    if isinstance(value, SignalResponse):
        return value
    is_task = isinstance(value, dict) and ("taskId" in value or "task_id" in value)
    return (TaskRun if is_task else WorkflowRun).model_validate(value)


class WorkflowRun(SignalResponse, HasTasks):
    """The result of running a workflow. Times are epoch milliseconds.

    `workflow_name`, `workflow_version` and `reason_for_incompletion` are not in the server's response: the client sets
    them where it knows them.
    """

    workflow_name: str | None = None
    workflow_version: int | None = None

    @classmethod
    def from_workflow(cls, workflow: Workflow) -> Self:
        """Returns the run of an execution. Its payloads and tasks are the execution's own objects, not copies."""
        fields = {name: getattr(workflow, name) for name in _FIELDS_OF_EXECUTIONS}
        target = {"target_workflow_id": workflow.workflow_id, "target_workflow_status": workflow.status}
        run = cls.model_validate(target | fields)  # not the constructor: the server may have a status of its own
        run.workflow_version = workflow.workflow_version
        return run


_FIELDS_OF_EXECUTIONS = (
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
    """The blocking task of a synchronous execution or signal. Times are epoch milliseconds."""

    task_type: str = ""
    task_id: str = ""
    reference_task_name: str = ""
    retry_count: int = 0
    task_def_name: str = ""
    retried_task_id: str | None = None
    workflow_type: str | None = None
    status: OpenTaskStatus = TaskStatus.SCHEDULED

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        yield from shown(self, "reference_task_name", "task_type", "status", "task_id", "workflow_id")

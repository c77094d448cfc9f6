"""What `WorkflowHandle.events()` yields: changes of status, of an execution or of a task in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from conductor_async.models import Task, TaskStatus, Workflow, WorkflowStatus

__all__ = ["TaskStatusChanged", "WorkflowEvent", "WorkflowStatusChanged"]


@dataclass(frozen=True, slots=True)
class WorkflowStatusChanged:
    """The status of the execution has changed.

    Attributes:
        workflow_id: The execution.
        status: Its status now.
        previous: Its status before; None in the first event.
        execution: The whole execution as it is now.
    """

    workflow_id: str
    status: WorkflowStatus | str
    previous: WorkflowStatus | str | None
    execution: Workflow = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class TaskStatusChanged:
    """An attempt of a task is new, or its status has changed.

    Attributes:
        workflow_id: The execution.
        task_reference_name: The reference name of the task; in a loop with the iteration: `ref__2`.
        status: The status of the attempt now.
        previous: Its status before; None if the attempt is new.
        task: The attempt as it is now.
    """

    workflow_id: str
    task_reference_name: str
    status: TaskStatus | str
    previous: TaskStatus | str | None
    task: Task = field(repr=False, compare=False)


WorkflowEvent: TypeAlias = WorkflowStatusChanged | TaskStatusChanged
"""An event of an execution."""

"""What has happened in an execution, seen from one look to the next. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from conductor_async.models import Task, TaskStatus, Workflow, WorkflowStatus

__all__ = ["TaskStatusChanged", "TransitionTracker", "WorkflowEvent", "WorkflowStatusChanged"]


@dataclass(frozen=True, slots=True)
class WorkflowStatusChanged:
    """The execution has another status than before.

    Attributes:
        workflow_id: The execution.
        status: Its status now.
        previous: The one before; None at the first look.
        execution: The whole execution as it is now.
    """

    workflow_id: str
    status: WorkflowStatus | str
    previous: WorkflowStatus | str | None
    execution: Workflow = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class TaskStatusChanged:
    """An attempt of a task is new, or has another status than before.

    Attributes:
        workflow_id: The execution.
        task_reference_name: The task's name in the workflow; in a loop with the iteration: `ref__2`.
        status: The attempt's status now.
        previous: The one before; None if the attempt is new.
        task: The attempt as it is now.
    """

    workflow_id: str
    task_reference_name: str
    status: TaskStatus | str
    previous: TaskStatus | str | None
    task: Task = field(repr=False, compare=False)


WorkflowEvent: TypeAlias = WorkflowStatusChanged | TaskStatusChanged
"""Something that has happened in an execution."""


class TransitionTracker:
    """What was seen of one execution so far."""

    __slots__ = ("_status", "_tasks")

    def __init__(self) -> None:
        self._status: WorkflowStatus | str | None = None
        self._tasks: dict[str, TaskStatus | str] = {}

    def transitions(self, execution: Workflow) -> list[WorkflowEvent]:
        """What is new since the last look: an end comes after its tasks' events, any other status before them."""
        events: list[WorkflowEvent] = self._of_tasks(execution)
        if execution.status != self._status:
            change = WorkflowStatusChanged(execution.workflow_id, execution.status, self._status, execution)
            events.insert(len(events) if execution.is_completed() else 0, change)
            self._status = execution.status
        return events

    def _of_tasks(self, execution: Workflow) -> list[WorkflowEvent]:
        events: list[WorkflowEvent] = []
        for task in execution.tasks:
            previous = self._tasks.get(task.task_id)
            if task.status != previous:
                events.append(
                    TaskStatusChanged(execution.workflow_id, task.reference_task_name, task.status, previous, task)
                )
        # What a restart or a rerun has taken away is forgotten.
        self._tasks = {task.task_id: task.status for task in execution.tasks}
        return events

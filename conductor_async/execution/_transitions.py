"""Finds the events between two polls of an execution. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.execution.events import TaskStatusChanged, WorkflowStatusChanged

if TYPE_CHECKING:
    from conductor_async.execution.events import WorkflowEvent
    from conductor_async.models import TaskStatus, Workflow, WorkflowStatus


class TransitionTracker:
    """Remembers the statuses of one execution, and compares them with those of the next poll."""

    __slots__ = ("_status", "_task_statuses")

    def __init__(self) -> None:
        self._status: WorkflowStatus | str | None = None
        self._task_statuses: dict[str, TaskStatus | str] = {}

    def transitions(self, execution: Workflow) -> list[WorkflowEvent]:
        """Returns the events since the last call: all that there is, at the first one.

        The end of the execution comes after the events of its tasks; any other change of its status before them.
        """
        events: list[WorkflowEvent] = self._task_transitions(execution)
        if execution.status != self._status:
            change = WorkflowStatusChanged(execution.workflow_id, execution.status, self._status, execution)
            events.insert(len(events) if execution.is_completed() else 0, change)
            self._status = execution.status
        return events

    def _task_transitions(self, execution: Workflow) -> list[WorkflowEvent]:
        events: list[WorkflowEvent] = [
            TaskStatusChanged(execution.workflow_id, task.reference_task_name, task.status, previous, task)
            for task in execution.tasks
            if task.status != (previous := self._task_statuses.get(task.task_id))
        ]
        # Replaced, not updated: a restart or rerun removes tasks, which are new when they come again.
        self._task_statuses = {task.task_id: task.status for task in execution.tasks}
        return events

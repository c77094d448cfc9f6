"""Tasks that workers run."""

from __future__ import annotations

from typing import Any, Generic, Unpack

from typing_extensions import TypeVar

from conductor_async.models import TaskType
from conductor_async.workflow.tasks.base import TaskInterface, TaskOptions

__all__ = ["SimpleTask"]

R_co = TypeVar("R_co", covariant=True, default=Any)


class SimpleTask(TaskInterface, Generic[R_co], task_type=TaskType.SIMPLE):
    """A task that a worker runs: whoever polls for `task_def_name`.

    `SimpleTask[R]` is the task of a worker function that returns R.

    Args:
        task_def_name: The name of the task's definition, which is the type that workers poll for.
        task_reference_name: The name of this place in the workflow; the task's name if it is not given.
        options: The fields that all tasks have: see `TaskOptions`.
    """

    def __init__(
        self, task_def_name: str, task_reference_name: str | None = None, **options: Unpack[TaskOptions]
    ) -> None:
        if "name" in options:
            raise TypeError("The name of a SimpleTask is its task_def_name.")
        super().__init__(task_reference_name or task_def_name, **options)
        self.name = task_def_name

    @property
    def task_def_name(self) -> str:
        """The name of the task's definition."""
        return self.name

"""conductor-python's spelling of `TaskContext`: pass-through methods, for code that is being migrated.

It is a base class here, and not in `conductor_async.compat`, because that is the top layer: the object that
`get_task_context()` returns must have these methods, and nothing in `worker` may import `compat`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async._camel_case import CamelCaseMixin

if TYPE_CHECKING:
    from datetime import timedelta

    from conductor_async.models import JsonObject, Task


class ConductorPythonTaskContext(CamelCaseMixin):
    """The methods of conductor-python's `TaskContext`."""

    __slots__ = ()

    if TYPE_CHECKING:
        task: Task

        @property
        def task_def_name(self) -> str: ...
        @property
        def callback_after_seconds(self) -> int: ...
        def callback_after(self, seconds: float | timedelta) -> None: ...
        def log(self, text: object) -> None: ...

    def get_task_id(self) -> str:
        """Returns `task_id`."""
        return self.task.task_id

    def get_workflow_instance_id(self) -> str:
        """Returns `workflow_instance_id`."""
        return self.task.workflow_instance_id

    def get_task_def_name(self) -> str:
        """Returns `task_def_name`."""
        return self.task_def_name

    def get_workflow_task_type(self) -> str:
        """Returns the type that the task has in the workflow definition, `SIMPLE` in most; empty if unknown."""
        return str(self.task.workflow_task.type) if self.task.workflow_task is not None else ""

    def get_retry_count(self) -> int:
        """Returns `retry_count`."""
        return self.task.retry_count

    def get_poll_count(self) -> int:
        """Returns `poll_count`."""
        return self.task.poll_count

    def get_input(self) -> JsonObject:
        """Returns `input`."""
        return self.task.input_data

    def get_callback_after_seconds(self) -> int:
        """Returns `callback_after_seconds`."""
        return self.callback_after_seconds

    def set_callback_after(self, seconds: float | timedelta) -> None:
        """Calls `callback_after`."""
        self.callback_after(seconds)

    def add_log(self, log_message: object) -> None:
        """Calls `log`."""
        self.log(log_message)

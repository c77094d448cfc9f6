"""The task that a worker function works on: its facts, its log, its output so far."""

from __future__ import annotations

from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conductor_async._language.durations import whole_seconds
from conductor_async.errors import LeaseLostError, TaskError
from conductor_async.worker._conductor_python import ConductorPythonTaskContext
from conductor_async.worker._function.task_log import TaskLog

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from conductor_async.models import JsonObject, Task, TaskExecLog

__all__ = ["TaskContext", "TaskInProgress", "get_task_context"]

_current: ContextVar[TaskContext] = ContextVar("conductor_async.task_context")


@dataclass(frozen=True, slots=True)
class TaskInProgress:
    """Return it to hand the task back for later. The server hands the task out again, with `poll_count` one higher.

    Args:
        callback_after_seconds: Seconds (or a timedelta) until then. The server counts whole seconds: rounded up.
        output: The output so far. The execution shows it, and the next call finds it as `TaskContext.output`. None
            keeps the output that was reported before.
    """

    callback_after_seconds: float | timedelta = 60
    output: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "callback_after_seconds", whole_seconds(self.callback_after_seconds, "callback_after_seconds")
        )


class TaskContext(ConductorPythonTaskContext):
    """The task that a worker function works on. Safe to use from threads.

    Get it with `get_task_context()`, or declare a parameter annotated `TaskContext`.

    Attributes:
        task: The task as the server handed it out.
        cancelled: The reason why the function should end soon; None if it should not. A coroutine is cancelled; a
            thread has to check this attribute.
        lease_until: The time, on the event loop's clock, at which the server gives the task to another worker unless
            the host extends the lease; None if it never does. The host extends it for as long as it can.
    """

    __slots__ = ("_callback_after", "_log", "_output", "cancelled", "lease_until", "task")

    def __init__(self, task: Task) -> None:
        self.task: Task = task
        self.cancelled: str | None = None
        self.lease_until: float | None = None
        self._callback_after: int | None = None
        self._output: JsonObject = {}
        self._log = TaskLog(task.task_id)

    def __repr__(self) -> str:
        return f"<TaskContext {self.task_def_name} task_id={self.task_id!r} retry_count={self.retry_count}>"

    @property
    def task_id(self) -> str:
        """The task's id. A retry has another id."""
        return self.task.task_id

    @property
    def workflow_instance_id(self) -> str:
        """The id of the execution."""
        return self.task.workflow_instance_id

    @property
    def task_def_name(self) -> str:
        """The name of the task's definition."""
        return self.task.task_def_name or self.task.task_type

    @property
    def reference_task_name(self) -> str:
        """The task's reference name in its workflow."""
        return self.task.reference_task_name

    @property
    def retry_count(self) -> int:
        """The number of retries so far: 0 for the first attempt."""
        return self.task.retry_count

    @property
    def poll_count(self) -> int:
        """How often this attempt was handed out: more than 1 after a `TaskInProgress`."""
        return self.task.poll_count

    @property
    def input(self) -> JsonObject:
        """The task's input, before validation."""
        return self.task.input_data

    @property
    def output(self) -> JsonObject:
        """The output so far: what earlier calls reported before the task was handed back, and what this call set."""
        return {**self.task.output_data, **self._output}

    @property
    def callback_after_seconds(self) -> int:
        """The seconds that `callback_after` was called with; 0 if it was not called."""
        return self._callback_after or 0

    def raise_if_cancelled(self) -> None:
        """Ends a function in a thread whose result is no longer wanted. Call it now and then.

        Raises:
            LeaseLostError: The result is not wanted. The text says why.
        """
        if self.cancelled is not None:
            raise LeaseLostError(f"Task {self.task_id} was cancelled: {self.cancelled}")

    def log(self, text: object, *, at: float | None = None) -> None:
        """Adds a line to the task's log. The lines are stored with the result.

        Args:
            text: The line. Of more than 1,000 lines, the first and the last 500 are kept.
            at: The line's Unix time in seconds. By default now.
        """
        self._log.add(str(text), at)

    def callback_after(self, seconds: float | timedelta) -> None:
        """Makes the function's return hand the task back for so many seconds, instead of completing it."""
        self._callback_after = whole_seconds(seconds, "callback_after")

    def set_output(self, output: Mapping[str, Any]) -> None:
        """Sets output in addition to what the function returns. Where both have a key, the returned value wins.

        It is sent with the result, also when the function raises or hands the task back. Until then the server does
        not see it: a running task cannot report output.
        """
        self._output = dict(output)

    def progress(self, **output: Any) -> None:
        """Adds to the output so far. It is sent with the result, whatever that is.

        If the task is handed back, by a `TaskInProgress` or because the host stops, the next call finds it in `output`.
        It is not sent earlier, because an update would make the server hand the task out again.
        """
        self._output |= output

    def reported(self) -> tuple[int | None, JsonObject, list[TaskExecLog]]:
        """Returns what the function has reported: the callback's seconds, the output and the log lines."""
        return self._callback_after, self._output, self._log.lines()


def get_task_context() -> TaskContext:
    """Returns the context of the task that the calling worker function works on.

    Raises:
        TaskError: The caller is not within a worker function that a `WorkerHost` runs.
    """
    if (context := _current.get(None)) is None:
        raise TaskError(
            "get_task_context() was called outside of a task. There is a context only while a WorkerHost runs a worker"
            " function: to test one without a host, pass it a TaskContext as a parameter"
        )
    return context


def current_task_context() -> TaskContext | None:
    """Returns the context of the task that the caller works on; None outside of a task."""
    return _current.get(None)


def enter_task_context(context: TaskContext) -> Token[TaskContext]:
    """Makes it the current one, in the current context, until `leave_task_context`."""
    return _current.set(context)


def leave_task_context(token: Token[TaskContext]) -> None:
    """Resets the current one.

    Otherwise, timers and connections that are created in this context later would keep the task alive.
    """
    _current.reset(token)

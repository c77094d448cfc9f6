"""What a worker function can know of its task, and say of it, while it runs."""

from __future__ import annotations

from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conductor_async._language.durations import whole_seconds
from conductor_async.errors import LeaseLostError, TaskError
from conductor_async.worker._function.task_log import TaskLog

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from conductor_async.models import JsonObject, Task, TaskExecLog

_current: ContextVar[TaskContext] = ContextVar("conductor_async.task_context")


@dataclass(frozen=True, slots=True)
class TaskInProgress:
    """Return it to give the task back for later: it is handed out again, with `poll_count` one higher.

    Args:
        callback_after_seconds: Seconds (or a timedelta) until then; the server counts whole ones, so it is rounded up.
        output: The output so far: whoever looks at the execution sees it, and the next try finds it as
            `TaskContext.output`. None leaves what was reported before.
    """

    callback_after_seconds: float | timedelta = 60
    output: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "callback_after_seconds", whole_seconds(self.callback_after_seconds, "callback_after_seconds")
        )


class TaskContext:
    """The task that a worker function works on.

    Get it with `get_task_context()`, or as a parameter annotated `TaskContext`. Threads may use it.

    Attributes:
        task: The whole task, as it was polled.
        cancelled: Why the function should end soon, or None. A coroutine is cancelled; a thread has to look.
        lease_until: When, on the event loop's clock, the server gives the task to another worker if it hears nothing
            more; None if it never does. The host keeps it in the future for as long as it can.
    """

    __slots__ = ("_callback_after", "_log", "_output", "cancelled", "lease_until", "task")

    def __init__(self, task: Task) -> None:
        self.task = task
        self.cancelled: str | None = None
        self.lease_until: float | None = None
        self._callback_after: int | None = None
        self._output: JsonObject = {}
        self._log = TaskLog(task.task_id)

    def __repr__(self) -> str:
        return f"<TaskContext {self.task_def_name} task_id={self.task_id!r} retry_count={self.retry_count}>"

    # -- what the task is ------------------------------------------------------------------------

    @property
    def task_id(self) -> str:
        """The id of this attempt: a retry has another."""
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
        """The task's name in its workflow."""
        return self.task.reference_task_name

    @property
    def retry_count(self) -> int:
        """0 for the first attempt."""
        return self.task.retry_count

    @property
    def poll_count(self) -> int:
        """How often this attempt was handed out: more than 1 after a `TaskInProgress`."""
        return self.task.poll_count

    @property
    def input(self) -> JsonObject:
        """The task's input as it came."""
        return self.task.input_data

    @property
    def output(self) -> JsonObject:
        """The output so far: what an earlier try reported when it gave the task back, and what was said since."""
        return {**self.task.output_data, **self._output}

    @property
    def callback_after_seconds(self) -> int:
        """What `callback_after` was given; 0 if it was not called."""
        return self._callback_after or 0

    def raise_if_cancelled(self) -> None:
        """For threads, now and then: ends the function if its result is not wanted any more.

        Raises:
            LeaseLostError: It is not. The text says why.
        """
        if self.cancelled is not None:
            raise LeaseLostError(f"Task {self.task_id} is to end: {self.cancelled}")

    # -- what the function says of it ----------------------------------------------------------------

    def log(self, text: object) -> None:
        """Adds a line to the task's log. It is stored with the result; of more than 1,000, the first and the last."""
        self._log.add(str(text))

    def callback_after(self, seconds: float | timedelta) -> None:
        """When the function returns, the task is not completed but given back, for so many seconds."""
        self._callback_after = whole_seconds(seconds, "callback_after")

    def set_output(self, output: Mapping[str, Any]) -> None:
        """Sets output beside what the function returns; where both have a key, the returned value wins.

        It is sent with the result: also when the function raises, or gives the task back for later. The server takes no
        output of a task that goes on running.
        """
        self._output = dict(output)

    def progress(self, **output: Any) -> None:
        """Adds to the output so far. Whatever becomes of the task, the server gets it at the end.

        A worker that gets the task when it was given back (by `TaskInProgress`, or because the host stopped) finds it
        in `output`. It is not sent before: the server would hand the task out again.
        """
        self._output |= output

    # -- conductor-python's spelling ---------------------------------------------------------------

    def get_task_id(self) -> str:
        """`task_id`."""
        return self.task_id

    def get_workflow_instance_id(self) -> str:
        """`workflow_instance_id`."""
        return self.workflow_instance_id

    def get_task_def_name(self) -> str:
        """`task_def_name`."""
        return self.task_def_name

    def get_workflow_task_type(self) -> str:
        """The type that the task has in the workflow's definition: SIMPLE."""
        return str(self.task.workflow_task.type) if self.task.workflow_task is not None else ""

    def get_retry_count(self) -> int:
        """`retry_count`."""
        return self.retry_count

    def get_poll_count(self) -> int:
        """`poll_count`."""
        return self.poll_count

    def get_input(self) -> JsonObject:
        """`input`."""
        return self.input

    def get_callback_after_seconds(self) -> int:
        """`callback_after_seconds`."""
        return self.callback_after_seconds

    def set_callback_after(self, seconds: float | timedelta) -> None:
        """`callback_after`."""
        self.callback_after(seconds)

    def add_log(self, log_message: object) -> None:
        """`log`."""
        self.log(log_message)

    # -- for the runner ------------------------------------------------------------------------------

    def said(self) -> tuple[int | None, JsonObject, list[TaskExecLog]]:
        """The callback, the output and the log lines so far."""
        return self._callback_after, self._output, self._log.lines()

    def add_line(self, text: str, at: float) -> None:
        """Adds a line to the log that is of this time, in seconds."""
        self._log.add(text, at)


def get_task_context() -> TaskContext:
    """The context of the task that the caller works on.

    Raises:
        TaskError: The caller is not a worker function that a `WorkerHost` runs, nor called by one.
    """
    try:
        return _current.get()
    except LookupError:
        raise TaskError(
            "get_task_context() was called outside of a task: there is a context only while a WorkerHost runs a worker"
        ) from None


def current_task_context() -> TaskContext | None:
    """The context of the task that the caller works on, if it works on one."""
    return _current.get(None)


def enter_task_context(context: TaskContext) -> Token[TaskContext]:
    """Makes it the current one in the (asyncio or trio) task that calls this, until `leave_task_context`."""
    return _current.set(context)


def leave_task_context(token: Token[TaskContext]) -> None:
    """There is none any more. Timers and connections made from now on do not hold the task for as long as they live."""
    _current.reset(token)

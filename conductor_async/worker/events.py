"""Events of a worker host. Each event is a frozen dataclass; a listener is any callable that takes one.

```python
WorkerHost(conductor, [greet], listeners=[print])
```

The host calls listeners on the event loop, in the order of the list, so a listener must return quickly. An exception
that it raises is logged and otherwise ignored. To handle some of the events, use `isinstance` or `match`:

```python
def on_event(event: WorkerEvent) -> None:
    match event:
        case TaskFinished(task=task, seconds=seconds):
            ...
        case ResultLost():
            ...
```

All times are in seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from conductor_async.models import Task, TaskResult

__all__ = [
    "EventLoopBlocked",
    "HostStarted",
    "HostStopped",
    "HostStopping",
    "LeaseExpired",
    "LeaseExtended",
    "LeaseExtensionFailed",
    "LeaseLost",
    "Listener",
    "OrphanRecoveryFailed",
    "PollCompleted",
    "PollEvent",
    "PollFailed",
    "PollSkipped",
    "PollStarted",
    "ResultDelivered",
    "ResultDeliveryFailed",
    "ResultDropped",
    "ResultEvent",
    "ResultLost",
    "ServerRecovered",
    "ServerUnreachable",
    "TaskAbandoned",
    "TaskCancelled",
    "TaskEvent",
    "TaskFinished",
    "TaskHandedBack",
    "TaskStarted",
    "WorkerEvent",
]


@dataclass(frozen=True, slots=True)
class WorkerEvent:
    """The base of all events. `worker_id` is the worker's own, or the host's if the worker has none."""

    worker_id: str


# -- the host ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HostStarted(WorkerEvent):
    """The host starts to poll for `task_types`."""

    task_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HostStopping(WorkerEvent):
    """The host stops polling. With `at_once`, after a second signal, it does not wait for running tasks."""

    at_once: bool = False


@dataclass(frozen=True, slots=True)
class HostStopped(WorkerEvent):
    """The host has stopped. Every result is delivered or lost."""


@dataclass(frozen=True, slots=True)
class ServerUnreachable(WorkerEvent):
    """The server cannot be reached because of `error`: all pollers pause, and a probe request repeats until it can."""

    error: Exception


@dataclass(frozen=True, slots=True)
class ServerRecovered(WorkerEvent):
    """The server can be reached again, after `seconds`. Pollers resume."""

    seconds: float


@dataclass(frozen=True, slots=True)
class EventLoopBlocked(WorkerEvent):
    """Something has blocked the event loop.

    Attributes:
        task_type: The task type of the worker function that blocks it; None if it is something else.
        seconds: How long it has been blocked so far.
        stack: The stack of the event loop's thread, formatted like a traceback.
    """

    task_type: str | None
    seconds: float
    stack: str


# -- polls -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PollEvent(WorkerEvent):
    """The base of events about a poll for at most `count` tasks of a type, in a domain or in none."""

    task_type: str
    domain: str | None
    count: int


@dataclass(frozen=True, slots=True)
class PollStarted(PollEvent):
    """A poll is about to be sent."""


@dataclass(frozen=True, slots=True)
class PollCompleted(PollEvent):
    """A poll returned so many `tasks`, after `seconds`, the wait at the server included."""

    tasks: int
    seconds: float


@dataclass(frozen=True, slots=True)
class PollFailed(PollEvent):
    """A poll failed with `error` after `seconds`."""

    seconds: float
    error: Exception


@dataclass(frozen=True, slots=True)
class PollSkipped(WorkerEvent):
    """A poll was due but not sent: the worker is paused, or, if it is not `paused`, all its slots are taken."""

    task_type: str
    domain: str | None
    paused: bool


@dataclass(frozen=True, slots=True)
class OrphanRecoveryFailed(WorkerEvent):
    """The response to a poll was lost, and the host could not find out whether it contained tasks.

    The server refuses to list its tasks, or the host stopped first. Such tasks stay in progress under the worker id
    until their response timeout.
    """

    task_type: str


# -- tasks -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TaskEvent(WorkerEvent):
    """The base of events about a task. `task` is the task as the server handed it out."""

    task: Task

    @property
    def task_type(self) -> str:
        """The name of the task's definition: the worker's `task_definition_name`."""
        return self.task.task_def_name or self.task.task_type


@dataclass(frozen=True, slots=True)
class TaskStarted(TaskEvent):
    """The function is about to be called. Context variables that a listener sets are visible to the function."""


@dataclass(frozen=True, slots=True)
class TaskFinished(TaskEvent):
    """The function returned or raised. Emitted in the context of the call.

    Attributes:
        result: The result to deliver.
        seconds: How long the function ran.
        error: The exception that it raised; None if it returned.
    """

    result: TaskResult
    seconds: float
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class TaskCancelled(TaskEvent):
    """The host cancels a running function, because the workflow ended, the lease was lost, or the host stops.

    A function in a thread is not interrupted: it has to check `TaskContext.cancelled`.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class TaskAbandoned(TaskEvent):
    """The result of a function that ran for `seconds` is not delivered, because the server no longer accepts it."""

    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class TaskHandedBack(TaskEvent):
    """The host puts a task back into its queue unfinished, so that another worker gets it."""

    reason: str


@dataclass(frozen=True, slots=True)
class LeaseExtended(TaskEvent):
    """The host extended the task's lease: it told the server that the worker is alive."""


@dataclass(frozen=True, slots=True)
class LeaseExtensionFailed(TaskEvent):
    """A request to extend the task's lease failed. The host retries it."""

    error: Exception


@dataclass(frozen=True, slots=True)
class LeaseExpired(TaskEvent):
    """No extension of the task's lease has reached the server within the response timeout.

    The server may have given the task to another worker. The host goes on trying, and cancels the function when it
    learns that the task has ended or has another owner.
    """


@dataclass(frozen=True, slots=True)
class LeaseLost(TaskEvent):
    """The server has given the task to another worker, ended it, or no longer knows it: `reason` says which."""

    reason: str


# -- results -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ResultEvent(WorkerEvent):
    """The base of events about a result. `task_type` is empty for results of an earlier run, from the outbox."""

    task_type: str
    result: TaskResult


@dataclass(frozen=True, slots=True)
class ResultDelivered(ResultEvent):
    """The server has accepted a result.

    Attributes:
        seconds: How long the delivery took, retries included.
        size: The size of the result in bytes, as JSON.
        attempts: The number of requests.
    """

    seconds: float
    size: int
    attempts: int


@dataclass(frozen=True, slots=True)
class ResultDeliveryFailed(ResultEvent):
    """An attempt to deliver a result failed, the one of number `attempts`. The host retries it."""

    error: Exception
    attempts: int


@dataclass(frozen=True, slots=True)
class ResultDropped(ResultEvent):
    """The host drops a result, because the server no longer has the task or its execution."""

    error: Exception


@dataclass(frozen=True, slots=True)
class ResultLost(ResultEvent):
    """The host gives up delivering a result.

    Attributes:
        reason: Why.
        in_outbox: Whether the outbox has it: the next host delivers it. Otherwise the server hands the task out again
            after its response timeout.
    """

    reason: str
    in_outbox: bool = False


Listener: TypeAlias = Callable[[WorkerEvent], object]
"""A callable that handles events of a host."""

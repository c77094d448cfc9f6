"""What a worker host tells its listeners: each event is a frozen dataclass, and a listener is any callable.

```python
WorkerHost(conductor, [greet], listeners=[print])
```

A listener is called on the event loop, at once, in the order of the list: it must return soon. If it fails, that is
logged and nothing else happens.

Times are seconds. A listener that is only interested in some events says so by `isinstance`, or by `match`:

```python
def on_event(event: WorkerEvent) -> None:
    match event:
        case TaskFinished(status=status, seconds=seconds):
            ...
        case ResultLost():
            ...
```
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conductor_async.models import Task, TaskResult

logger = logging.getLogger("conductor_async")


@dataclass(frozen=True, slots=True)
class WorkerEvent:
    """Something that happened in a worker host.

    Attributes:
        worker_id: Who the server is told has the tasks: a host's own, unless the worker has another.
    """

    worker_id: str


# -- the host ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HostStarted(WorkerEvent):
    """The host begins to poll.

    Attributes:
        task_types: What for, without domains.
    """

    task_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HostStopping(WorkerEvent):
    """The host stops: no new polls.

    Attributes:
        at_once: It was told a second time: what runs is not waited for.
    """

    at_once: bool = False


@dataclass(frozen=True, slots=True)
class HostStopped(WorkerEvent):
    """The host has ended, and everything is delivered or given up."""


@dataclass(frozen=True, slots=True)
class ServerLost(WorkerEvent):
    """The server cannot be reached: all pollers pause, and one request now and then looks whether it is back."""

    error: Exception


@dataclass(frozen=True, slots=True)
class ServerBack(WorkerEvent):
    """It is back, after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class LoopBlocked(WorkerEvent):
    """Nothing ran on the event loop for so long.

    Attributes:
        task_type: The worker that blocked it, if it was one.
        seconds: For how long, so far.
        stack: Where the loop's thread was, as a traceback shows it.
    """

    task_type: str | None
    seconds: float
    stack: str


# -- polls -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PollEvent(WorkerEvent):
    """Something about a poll.

    Attributes:
        task_type: What was polled for.
        domain: In which domain, if in one.
        count: How many tasks were asked for.
    """

    task_type: str
    domain: str | None
    count: int


@dataclass(frozen=True, slots=True)
class PollStarted(PollEvent):
    """A poll is sent."""


@dataclass(frozen=True, slots=True)
class PollCompleted(PollEvent):
    """A poll was answered.

    Attributes:
        tasks: How many tasks it brought.
        seconds: How long it took, the wait at the server included.
    """

    tasks: int
    seconds: float


@dataclass(frozen=True, slots=True)
class PollFailed(PollEvent):
    """A poll failed.

    Attributes:
        seconds: How long it took.
        error: Why.
    """

    seconds: float
    error: Exception


@dataclass(frozen=True, slots=True)
class PollSkipped(WorkerEvent):
    """There was no poll where one was due: all slots are taken, or the worker is paused.

    Attributes:
        task_type: Whose.
        domain: In which domain, if in one.
        paused: The worker is paused; else there is no free slot.
    """

    task_type: str
    domain: str | None
    paused: bool


@dataclass(frozen=True, slots=True)
class SearchGivenUp(WorkerEvent):
    """Whether lost answers to polls had brought tasks could not be found out.

    The server refuses to list its tasks, or the host stopped before it was told. Such tasks wait for their response
    timeout, in progress under the worker id.

    Attributes:
        task_type: Whose.
    """

    task_type: str


# -- tasks -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TaskEvent(WorkerEvent):
    """Something about a task.

    Attributes:
        task: The task as it came.
    """

    task: Task

    @property
    def task_type(self) -> str:
        """The name that its worker has."""
        return self.task.task_def_name or self.task.task_type


@dataclass(frozen=True, slots=True)
class TaskStarted(TaskEvent):
    """The function is called. Told in the context of the call: what a listener sets in a context variable, it sees."""


@dataclass(frozen=True, slots=True)
class TaskFinished(TaskEvent):
    """The function returned or raised. Told in the context of the call.

    Attributes:
        result: What will be delivered.
        seconds: How long it ran.
        error: What it raised, if it did.
    """

    result: TaskResult
    seconds: float
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class TaskCancelled(TaskEvent):
    """A running function is told to end: by cancellation, or if it is in a thread, by `TaskContext.cancelled`.

    Attributes:
        reason: Why: the workflow ended, the lease was lost, the host stops.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class TaskAbandoned(TaskEvent):
    """What came of the function is not delivered, because the server does not want it from here any more.

    Attributes:
        reason: Why.
        seconds: How long it ran.
    """

    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class TaskHandedBack(TaskEvent):
    """A task is given back unfinished, so that another worker gets it at once.

    Attributes:
        reason: Why.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class LeaseExtended(TaskEvent):
    """The server was told that the worker is alive."""


@dataclass(frozen=True, slots=True)
class LeaseNotExtended(TaskEvent):
    """Telling it failed. It is tried again.

    Attributes:
        error: Why.
    """

    error: Exception


@dataclass(frozen=True, slots=True)
class LeaseLost(TaskEvent):
    """The server has given the task to another worker, ended it, or forgotten it.

    Attributes:
        reason: Which of these.
    """

    reason: str


# -- results -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ResultEvent(WorkerEvent):
    """Something about a result on its way to the server.

    Attributes:
        task_type: The task's name. Empty for what the outbox had from an earlier run and does not know it.
        result: The result.
    """

    task_type: str
    result: TaskResult


@dataclass(frozen=True, slots=True)
class ResultDelivered(ResultEvent):
    """The server has it.

    Attributes:
        seconds: How long that took, all tries included.
        size: Bytes of the result as JSON.
        tries: How many it took.
    """

    seconds: float
    size: int
    tries: int


@dataclass(frozen=True, slots=True)
class ResultFailed(ResultEvent):
    """A delivery failed, and is tried again.

    Attributes:
        error: Why.
        tries: How many there were so far.
    """

    error: Exception
    tries: int


@dataclass(frozen=True, slots=True)
class ResultDropped(ResultEvent):
    """Nobody wants it: the server has no such task or execution any more.

    Attributes:
        error: What the server said.
    """

    error: Exception


@dataclass(frozen=True, slots=True)
class ResultLost(ResultEvent):
    """It was given up. Without an outbox it is lost, and the task is handed out again after its response timeout.

    Attributes:
        reason: Why.
        kept: The outbox has it, and delivers it when a host next starts.
    """

    reason: str
    kept: bool = False


Listener: TypeAlias = Callable[[WorkerEvent], object]


class Listeners:
    """Tells listeners of events. False if there are none: then an event need not even be made.

    Args:
        listeners: Whom.
    """

    __slots__ = ("_listeners",)

    def __init__(self, listeners: Iterable[Listener] = ()) -> None:
        self._listeners = tuple(listeners)

    def __bool__(self) -> bool:
        return bool(self._listeners)

    def emit(self, event: WorkerEvent) -> None:
        """Calls each of them."""
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:  # a listener must not break what it listens to
                logger.exception("A listener failed on %s", type(event).__name__)

"""The state of an engine: executions, queues, timers, definitions, and the work that is due now."""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from conductor_async.engine.definitions.registry import MetadataStore
from conductor_async.engine.expressions.budget import Budget
from conductor_async.engine.state.queues import Queues
from conductor_async.engine.state.store import Store
from conductor_async.engine.state.timers import Timers
from conductor_async.engine.time_slice import TimeSlice

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from conductor_async.engine.clock import Clock
    from conductor_async.engine.sandbox.job import Job
    from conductor_async.engine.scripts.interface import Scripts
    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.external import ExternalWork
    from conductor_async.engine.state.ids import Ids
    from conductor_async.engine.state.task_row import TaskRow
    from conductor_async.models import JsonObject

__all__ = ["Core", "Work"]


class Work(NamedTuple):
    """A piece of work that the engine does after the command that caused it.

    Attributes:
        kind: `decide` or `workflow` (an execution), `run`, `dispatch` or `timeout` (a task), `queue` or `schedule`.
        key: The id or name of what it is about.
    """

    kind: str
    key: str


@dataclass(slots=True, eq=False)
class Core:
    """The state of an engine.

    Attributes:
        work: The work to do before the current command ends, in this order.
        postponed: Work that exceeded the time slice of its command, left for `Engine.run_due`.
        slice: The time slice of the current command.
        budget: What the expressions of the current step may compute.
        jobs: Scripts that have not ended, and the work to do when they have, by the key of that work.
        new_jobs: Keys of the scripts that the runtime does not know yet.
        parked_events: Events for a handler whose condition has not ended: queue, message id, handler, payload.
        changed: Ids of executions that the current command has changed.
        queued: Names of queues in which the current command made something ready.
        polls: The last poll: by task type, then by domain.
        handlers: Event handlers by name.
        schedules: Schedules by name.
        schedules_paused: Whether all schedules are paused.
        schedule_runs: The runs of schedules, in their order.
        idempotency_keys: Executions by workflow name and key.
        in_progress: Ids of tasks that may be in progress, for definitions with a limit.
        events: Published events that are not handled yet: queue, message id, payload.
        external_work: Tasks that the runtime is to carry out.
        is_mocked: Whether a mock carries out a task.
        held: Ids of system tasks that are held back; None if they are not: see `holding_tasks`.
    """

    clock: Clock
    ids: Ids
    scripts: Scripts | None
    environment: Mapping[str, str]
    secrets: Mapping[str, str]
    honour_idempotency_keys: bool = False
    metadata: MetadataStore = field(default_factory=MetadataStore)
    store: Store = field(default_factory=Store)
    queues: Queues = field(default_factory=Queues)
    timers: Timers = field(default_factory=Timers)
    work: deque[Work] = field(default_factory=deque[Work])
    postponed: deque[Work] = field(default_factory=deque[Work])
    slice: TimeSlice = field(default_factory=lambda: TimeSlice(None))
    budget: Budget = field(default_factory=Budget)
    jobs: dict[str, tuple[Job, Work]] = field(default_factory=dict[str, "tuple[Job, Work]"])
    new_jobs: list[str] = field(default_factory=list[str])
    parked_events: dict[str, tuple[str, str, str, JsonObject]] = field(
        default_factory=dict[str, "tuple[str, str, str, JsonObject]"]
    )
    changed: dict[str, None] = field(default_factory=dict[str, None])
    queued: dict[str, None] = field(default_factory=dict[str, None])
    polls: dict[str, dict[str, JsonObject]] = field(default_factory=dict[str, "dict[str, JsonObject]"])
    handlers: dict[str, JsonObject] = field(default_factory=dict[str, "JsonObject"])
    schedules: dict[str, JsonObject] = field(default_factory=dict[str, "JsonObject"])
    schedules_paused: bool = False
    schedule_runs: list[JsonObject] = field(default_factory=list["JsonObject"])
    idempotency_keys: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    in_progress: dict[str, dict[str, None]] = field(default_factory=dict[str, "dict[str, None]"])
    events: list[tuple[str, str, JsonObject]] = field(default_factory=list[tuple[str, str, "JsonObject"]])
    external_work: list[ExternalWork] = field(default_factory=list["ExternalWork"])
    is_mocked: Callable[[TaskRow], bool] | None = None
    held: list[str] | None = None

    def now(self) -> int:
        """Returns the time in epoch milliseconds."""
        return round(self.clock.now() * 1000)

    def mark_changed(self, execution: Execution) -> None:
        """Notes that an execution has changed. `on_change` is called when the command ends."""
        execution.update_time = self.now()
        self.changed[execution.workflow_id] = None

    def take_step(self) -> bool:
        """Counts one step of the current command. Returns whether it was allowed: if not, the rest is postponed."""
        self.budget.refill()
        return self.slice.take_step()

    def postpone_work(self) -> None:
        """Leaves the pending work for `Engine.run_due`."""
        self.postponed += self.work
        self.work.clear()

    @contextmanager
    def holding_tasks(self) -> Generator[None]:
        """Holds back system tasks that wait, or call something outside, while the context is open.

        A run on mocked outputs is over before the server's pollers look at such tasks.
        """
        self.held = []
        try:
            yield
        finally:
            self.work.extend(Work("run", task_id) for task_id in self.held)
            self.held = None

    def resume_work(self) -> None:
        """Takes up the work that earlier commands postponed."""
        self.work += self.postponed
        self.postponed.clear()

    def when_finished(self, job: Job, work: Work) -> None:
        """Does a piece of work when a job is finished."""
        known = self.jobs.get(work.key)
        if known is None or known[0] is not job:
            self.jobs[work.key] = job, work
            self.new_jobs.append(work.key)

    def decide_later(self, workflow_id: str) -> None:
        """Decides an execution before the command ends."""
        self.work.append(Work("decide", workflow_id))

    def enqueue(self, row: TaskRow, delay_ms: int) -> None:
        """Puts a task into its queue, ready after a delay."""
        due = self.now() + delay_ms
        self.queues[row.queue].push(row.task_id, priority=row.priority, due=due)
        if delay_ms > 0:
            self.timers.add(due, "queue", row.queue)
        else:
            self.queued[row.queue] = None

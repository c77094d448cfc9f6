"""The engine: what it can be asked, the time, and what it needs from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine import task_kinds
from conductor_async.engine.commands.base import command
from conductor_async.engine.commands.environment import EnvironmentQueries
from conductor_async.engine.commands.event import EventCommands
from conductor_async.engine.commands.metadata import MetadataCommands
from conductor_async.engine.commands.scheduler import SchedulerCommands
from conductor_async.engine.commands.task import TaskCommands
from conductor_async.engine.commands.waiting import WaitingQueries
from conductor_async.engine.commands.workflow_bulk import BulkCommands
from conductor_async.engine.commands.workflow_search import SearchQueries
from conductor_async.engine.core import Core
from conductor_async.engine.decider.loop import decide_execution
from conductor_async.engine.decider.polling import queue_name
from conductor_async.engine.decider.results import report, settle
from conductor_async.engine.errors import NotFound
from conductor_async.engine.state.ids import Ids
from conductor_async.engine.task_kinds.base import is_system

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conductor_async.engine.clock import Clock
    from conductor_async.engine.external import ExternalWork
    from conductor_async.engine.scripts.interface import Scripts
    from conductor_async.engine.state.execution import TaskRow
    from conductor_async.models import JsonObject

__all__ = ["Engine"]

_ = task_kinds  # importing them is what makes them known


class Engine(
    MetadataCommands,
    BulkCommands,
    WaitingQueries,
    SearchQueries,
    TaskCommands,
    EventCommands,
    SchedulerCommands,
    EnvironmentQueries,
):
    """A Conductor server without the server.

    Every command ends with all internal work done that is due by the clock. When nothing is asked, `run_due()` has to
    be called when the clock reaches `next_due()`.

    Args:
        clock: Tells the time.
        scripts: Runs JavaScript and jq. Without it, tasks that need them fail and say so.
        seed: Makes ids and jitter repeatable.
        environment: What `${workflow.env.…}` gives.
        secrets: What `${workflow.secrets.…}` gives, at the last moment.
        honour_idempotency_keys: Whether `idempotencyKey` counts. The open-source server ignores it.

    Attributes:
        on_change: Called with an execution's id when it has changed.
        on_queued: Called with a queue's name (`type` or `domain:type`) when a task in it has become ready.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        scripts: Scripts | None = None,
        seed: int | None = None,
        environment: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        honour_idempotency_keys: bool = False,
    ) -> None:
        self.core = Core(
            clock=clock,
            ids=Ids(seed),
            scripts=scripts,
            environment=environment or {},
            secrets=secrets or {},
            honour_idempotency_keys=honour_idempotency_keys,
        )

    # -- time ----------------------------------------------------------------------------------------

    def next_due(self) -> float | None:
        """When there is something to do next, in epoch seconds. None: not before something is asked."""
        if self.core.postponed:
            return self.core.now() / 1000
        timer = self.core.timers.first()
        while timer is not None and not self._matters(timer.kind, timer.key, timer.due):
            self.core.timers.pop_due(timer.due)
            timer = self.core.timers.first()
        return timer.due / 1000 if timer is not None else None

    def next_is_schedule(self) -> bool:
        """Whether what is due next is a schedule's firing: there is no end of these."""
        timer = self.core.timers.first()
        return timer is not None and timer.kind == "schedule"

    def _matters(self, kind: str, key: str, due: int) -> bool:
        """Whether there is still something to do when this timer is due."""
        store = self.core.store
        if kind == "workflow":
            execution = store.executions.get(key)
            return execution is not None and not execution.is_terminal
        if kind in {"run", "outside", "timeout"}:
            row = store.tasks.get(key)
            return row is not None and not row.is_terminal and (kind != "timeout" or row.next_check == due)
        if kind == "queue":
            queue = self.core.queues.get(key)
            return queue is not None and bool(queue.messages)
        schedule = self.core.schedules.get(key)
        return schedule is not None and not schedule["paused"] and not self.core.schedules_paused

    @command
    def run_due(self) -> None:
        """Do all that is due by the clock: timers, timeouts, schedules, and what was postponed."""
        self.core.work += self.core.postponed
        self.core.postponed.clear()

    # -- the runtime ---------------------------------------------------------------------------------

    @property
    def outside(self) -> list[ExternalWork]:
        """Work for the runtime: it takes what is in there and reports each by `finish_outside`."""
        return self.core.outside

    @outside.setter
    def outside(self, work: list[ExternalWork]) -> None:
        self.core.outside = work

    @property
    def mocked(self) -> Callable[[TaskRow], bool] | None:
        """Says which tasks are mocks; they go to `outside` instead of to a worker or to the engine's own doing."""
        return self.core.mocked

    @mocked.setter
    def mocked(self, says: Callable[[TaskRow], bool] | None) -> None:
        self.core.mocked = says

    @command
    def has_ready(self, task_type: str, domain: str | None = None) -> bool:
        """Whether a poll would find something now."""
        queue = self.core.queues.get(queue_name(task_type, domain))
        return queue is not None and queue.has_ready(self.core.now())

    @command
    def finish_outside(
        self, task_id: str, *, status: str, output: JsonObject | None = None, reason: str | None = None
    ) -> None:
        """Report work from `outside`. A task that ended in the meantime stays as it is."""
        row = self.core.store.tasks.get(task_id)
        if row is None:
            msg = f"No such task found by id: {task_id}"
            raise NotFound(msg)
        execution = self.core.store.execution(row.workflow_id)
        if row.is_terminal or execution.is_terminal:
            return
        report(self.core, execution, row, status, {**row.output, **(output or {})}, reason)
        if is_system(row):
            decide_execution(self.core, execution)
        else:
            settle(self.core, execution, row)

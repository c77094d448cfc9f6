"""The engine: its commands by noun, its time, and the work that it leaves to others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import conductor_async.engine.task_kinds  # noqa: F401  # pyright: ignore[reportUnusedImport] - registers the kinds
from conductor_async.engine.commands.base import CommandRunner
from conductor_async.engine.commands.environment import EnvironmentCommands
from conductor_async.engine.commands.event import EventCommands
from conductor_async.engine.commands.metadata import MetadataCommands
from conductor_async.engine.commands.run import RunCommands
from conductor_async.engine.commands.scheduler import SchedulerCommands
from conductor_async.engine.commands.secret import SecretCommands
from conductor_async.engine.commands.task import TaskCommands
from conductor_async.engine.commands.workflow import WorkflowCommands
from conductor_async.engine.commands.workflow_bulk import BulkCommands
from conductor_async.engine.commands.workflow_search import SearchCommands
from conductor_async.engine.core import Core
from conductor_async.engine.decider.loop import decide_execution
from conductor_async.engine.decider.results import continue_after_report, report
from conductor_async.engine.rows.kind import is_system
from conductor_async.engine.state.ids import Ids
from conductor_async.engine.time_slice import TimeSlice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conductor_async.engine.clock import Clock
    from conductor_async.engine.sandbox.job import Job
    from conductor_async.engine.scripts.interface import Scripts
    from conductor_async.engine.state.external import ExternalWork
    from conductor_async.engine.state.task_row import TaskRow
    from conductor_async.models import JsonObject

__all__ = ["Engine"]


class Engine(CommandRunner):
    """A Conductor server without the server.

    Every command ends with all internal work done that is due by the clock. Between commands, call `run_due()` when
    the clock reaches `next_due()`.

    Args:
        clock: Tells the time.
        scripts: Runs JavaScript and jq. Without it, tasks that need them fail, and their reason says so.
        seed: Makes ids and jitter repeatable.
        environment: The values of `${workflow.env.…}`.
        secrets: The values of `${workflow.secrets.…}`. They are filled in when a task is run, and never
            stored.
        is_mocked: Says which tasks are mocked: these become `external_work`, whatever their type.
        honour_idempotency_keys: Whether `idempotencyKey` counts. The open-source server ignores it.
        slice_seconds: How long a command may take. Work beyond it is postponed until `run_due`, and scripts that have
            not ended are left to `take_jobs`. By default, a command ends when all its work is done.

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
        is_mocked: Callable[[TaskRow], bool] | None = None,
        honour_idempotency_keys: bool = False,
        slice_seconds: float | None = None,
    ) -> None:
        super().__init__(
            Core(
                clock=clock,
                ids=Ids(seed),
                scripts=scripts,
                environment=environment or {},
                secrets=secrets or {},
                is_mocked=is_mocked,
                honour_idempotency_keys=honour_idempotency_keys,
                slice=TimeSlice(slice_seconds),
            )
        )
        self.metadata: MetadataCommands = MetadataCommands(self)
        self.workflows: WorkflowCommands = WorkflowCommands(self)
        self.bulk: BulkCommands = BulkCommands(self, self.workflows)
        self.search: SearchCommands = SearchCommands(self)
        self.runs: RunCommands = RunCommands(self)
        self.tasks: TaskCommands = TaskCommands(self)
        self.events: EventCommands = EventCommands(self)
        self.schedules: SchedulerCommands = SchedulerCommands(self)
        self.environment: EnvironmentCommands = EnvironmentCommands(self)
        self.secrets: SecretCommands = SecretCommands(self)

    # -- time ----------------------------------------------------------------------------------------

    def next_due(self) -> float | None:
        """Returns when there is something to do next, in epoch seconds; None: nothing until the next command."""
        if self.core.postponed:
            return self.core.now() / 1000
        timer = self.core.timers.first()
        while timer is not None and not self._is_needed(timer.kind, timer.key, timer.due):
            self.core.timers.pop_due(timer.due)
            timer = self.core.timers.first()
        return timer.due / 1000 if timer is not None else None

    def next_is_schedule(self) -> bool:
        """Returns whether what is due next is a schedule: there is always a next firing of one."""
        timer = self.core.timers.first()
        return timer is not None and timer.kind == "schedule"

    def _is_needed(self, kind: str, key: str, due: int) -> bool:
        """Returns whether there is still something to do when this timer is due."""
        store = self.core.store
        if kind == "workflow":
            execution = store.executions.get(key)
            return execution is not None and not execution.is_terminal
        if kind in {"run", "dispatch", "timeout"}:
            row = store.tasks.get(key)
            return row is not None and not row.is_terminal and (kind != "timeout" or row.next_check == due)
        if kind == "queue":
            queue = self.core.queues.get(key)
            return queue is not None and bool(queue.messages)
        schedule = self.core.schedules.get(key)
        return schedule is not None and not schedule["paused"] and not self.core.schedules_paused

    def run_due(self) -> None:
        """Does all that is due by the clock: timers, timeouts, schedules, and postponed work."""
        self.run(self.core.resume_work)

    # -- work that a command leaves -------------------------------------------------------------------

    def unfinished(self) -> set[str]:
        """Returns the keys of what commands have left: executions to decide, and tasks whose script has not ended."""
        core = self.core
        return {work.key for work in core.postponed} | core.jobs.keys() if core.postponed or core.jobs else set()

    def take_jobs(self) -> list[tuple[str, Job]]:
        """Returns the scripts that the runtime does not know yet. It calls `finish_job` when one of them has ended."""
        keys, self.core.new_jobs[:] = list(self.core.new_jobs), ()
        return [(key, self.core.jobs[key][0]) for key in keys if key in self.core.jobs]

    def finish_job(self, key: str, job: Job) -> None:
        """Continues what waits for a script."""
        self.run(self._finish_job, key, job)

    def _finish_job(self, key: str, job: Job) -> None:
        known = self.core.jobs.get(key)
        if known is not None and known[0] is job:
            del self.core.jobs[key]
            self.core.work.append(known[1])

    # -- work for others -----------------------------------------------------------------------------

    @property
    def external_work(self) -> list[ExternalWork]:
        """The tasks that the runtime is to carry out: it takes them out, and reports each by `complete_external`."""
        return self.core.external_work

    def complete_external(
        self, task_id: str, *, status: str, output: JsonObject | None = None, reason: str | None = None
    ) -> None:
        """Reports a task of `external_work`. A task that has ended in the meantime stays as it is.

        Raises:
            NotFound: There is no such task.
        """
        self.run(self._complete_external, task_id, status, output or {}, reason)

    def _complete_external(self, task_id: str, status: str, output: JsonObject, reason: str | None) -> None:
        row = self.core.store.task(task_id)
        execution = self.core.store.execution(row.workflow_id)
        if row.is_terminal or execution.is_terminal:
            return
        report(self.core, execution, row, status, {**row.output, **output}, reason)
        if is_system(row):
            decide_execution(self.core, execution)
        else:
            continue_after_report(self.core, execution, row)

"""The engine: what it can be asked, the time, and what it needs from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.commands.environment import EnvironmentQueries
from conductor_async.engine.commands.event import EventCommands
from conductor_async.engine.commands.metadata import MetadataCommands
from conductor_async.engine.commands.scheduler import SchedulerCommands
from conductor_async.engine.commands.task import TaskCommands
from conductor_async.engine.commands.waiting import WaitingQueries
from conductor_async.engine.commands.workflow import WorkflowCommands
from conductor_async.engine.commands.workflow_bulk import BulkCommands
from conductor_async.engine.commands.workflow_search import SearchQueries

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conductor_async.engine.clock import Clock
    from conductor_async.engine.execution import TaskRow
    from conductor_async.engine.outside import OutsideWork
    from conductor_async.engine.scripts import Scripts
    from conductor_async.models import JsonObject

__all__ = ["Engine"]


class Engine(
    MetadataCommands,
    WorkflowCommands,
    WaitingQueries,
    BulkCommands,
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
        outside: Work for the runtime: it takes what is in there and reports each by `finish_outside`.
        mocked: Says which tasks are mocks; they go to `outside` instead of to a worker or to the engine's own doing.
    """

    on_change: Callable[[str], None] | None
    on_queued: Callable[[str], None] | None
    outside: list[OutsideWork]
    mocked: Callable[[TaskRow], bool] | None

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
        raise NotImplementedError

    def next_due(self) -> float | None:
        """When there is something to do next, in epoch seconds. None: not before something is asked."""
        raise NotImplementedError

    def run_due(self) -> None:
        """Do all that is due by the clock: timers, timeouts, schedules."""
        raise NotImplementedError

    def has_ready(self, task_type: str, domain: str | None = None) -> bool:
        """Whether a poll would find something now."""
        raise NotImplementedError

    def finish_outside(
        self, task_id: str, *, status: str, output: JsonObject | None = None, reason: str | None = None
    ) -> None:
        """Report work from `outside`. A task that ended in the meantime stays as it is."""
        raise NotImplementedError

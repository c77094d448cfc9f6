"""The rows that the engine keeps: executions, and in each the attempts of its tasks.

Inside the engine times are epoch milliseconds, as on the wire, and statuses are plain strings.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conductor_async._language.names import base_name
from conductor_async._language.statuses import RETRIABLE_TASK_STATUSES as RETRIABLE
from conductor_async._language.statuses import SUCCESSFUL_TASK_STATUSES as SUCCESSFUL
from conductor_async._language.statuses import TERMINAL_TASK_STATUSES as TERMINAL
from conductor_async._language.statuses import TERMINAL_WORKFLOW_STATUSES as WORKFLOW_TERMINAL

if TYPE_CHECKING:
    from conductor_async.engine.state.definition import Definition, TaskDefinition, TaskSpec
    from conductor_async.models import JsonObject

__all__ = ["RETRIABLE", "SUCCESSFUL", "TERMINAL", "WORKFLOW_TERMINAL", "Execution", "TaskRow", "join_names"]

_STANDING = frozenset({"DO_WHILE", "EXCLUSIVE_JOIN"})


@dataclass(slots=True, eq=False)
class TaskRow:
    """One attempt of one task.

    Attributes:
        spec: Its place in the definition; for dynamic tasks a copy with what was filled in.
        reference_name: Its name in the workflow, with the iteration.
        next_check: When a timer looks at its timeouts; 0 if none is set.
        mocked: Whether a mock carries it out, and nobody else.
        stored: For loops, whether it has outlasted a decision: from then on its output keeps the order of its coming.
    """

    task_id: str
    task_type: str
    status: str
    reference_name: str
    workflow_id: str
    workflow_type: str
    spec: TaskSpec | None
    task_def_name: str | None = None
    retry_count: int = 0
    seq: int = 0
    correlation_id: str | None = None
    poll_count: int = 0
    scheduled_time: int = 0
    first_scheduled_time: int = 0
    start_time: int = 0
    end_time: int = 0
    update_time: int = 0
    start_delay: int = 0
    retried_task_id: str | None = None
    retried: bool = False
    executed: bool = False
    response_timeout: int = 0
    reason: str | None = None
    callback_after: int = 0
    callback_after_ms: int = 0
    worker_id: str | None = None
    input: JsonObject = field(default_factory=dict[str, Any])
    output: JsonObject = field(default_factory=dict[str, Any])
    domain: str | None = None
    output_message: JsonObject | None = None
    execution_metadata: JsonObject | None = None
    external_output_path: str | None = None
    rate_limit: int = 0
    rate_frequency: int = 0
    priority: int = 0
    isolation_group: str | None = None
    execution_namespace: str | None = None
    iteration: int = 0
    sub_workflow_id: str | None = None
    subworkflow_changed: bool = False
    wait_until: int = 0
    next_check: int = 0
    mocked: bool = False
    stored: bool = False

    @property
    def is_terminal(self) -> bool:
        """Whether this attempt has ended."""
        return self.status in TERMINAL

    @property
    def is_successful(self) -> bool:
        """Whether nothing has gone wrong so far."""
        return self.status in SUCCESSFUL

    @property
    def optional(self) -> bool:
        """Whether the workflow goes on when this has failed."""
        return self.spec is not None and self.spec.optional

    @property
    def permissive(self) -> bool:
        """Whether the workflow goes on for now when this has failed."""
        return self.spec is not None and self.spec.permissive

    @property
    def definition(self) -> TaskDefinition | None:
        """The task definition that was in force at the start."""
        return self.spec.definition if self.spec is not None else None

    @property
    def base_name(self) -> str:
        """The name by which expressions know it: without the iteration."""
        return base_name(self.reference_name) if self.iteration > 0 else self.reference_name

    @property
    def queue(self) -> str:
        """The name of the queue that this waits in."""
        return f"{self.domain}:{self.task_type}" if self.domain else self.task_type

    def copy(self) -> TaskRow:
        """Another row with the same content. Input and output are still shared."""
        return copy.copy(self)


def join_names(row: TaskRow) -> list[str]:
    """The names that a join waits for, in a loop those of its iteration."""
    names: list[str] = row.input.get("joinOn") or []
    return [f"{name}__{row.iteration}" for name in names] if row.iteration > 0 else names


@dataclass(slots=True, eq=False)
class Execution:
    """One run of a workflow.

    Rows are added by `add`, never to `tasks` directly, so that whatever has to be found is found without a search. Who
    changes what a row counts as (`executed`, `retried`) in another direction than forward calls `reindex`.

    Attributes:
        changed: Rows that the decider has not looked at since they changed.
        open: Rows that have not ended.
        standing: Those of them that the decider has to go on with each time.
        joins: By the id of an open JOIN, the names that it still waits for.
        joined_by: By name, the JOINs that wait for it.
        joins_unsure: Whether JOINs have to look at everything again.
        output_outside: Where an output of a task is kept, if it is not here: there is no going on without it.
        has_path_results: Whether there are values that are other ones when they have been stored.
        iterations: By iteration, the rows of loops' bodies.
        loops_seen: By the id of a loop, the rows of an iteration that it saw unfinished in this decision.
        unstored: Rows that have failed in this decision, and stay in progress if nothing else changes.
        attempts: Name and number of all attempts there are.
        latest: By reference name, the row that counts: the last one.
        visible: By the name that expressions use, the row that it gives.
        by_base: By the name without an iteration, the last row.
    """

    workflow_id: str
    definition: Definition
    input: JsonObject
    status: str = "RUNNING"
    correlation_id: str | None = None
    priority: int = 0
    create_time: int = 0
    update_time: int = 0
    end_time: int = 0
    last_retried_time: int = 0
    parent_workflow_id: str | None = None
    parent_task_id: str | None = None
    created_by: str | None = None
    event: str | None = None
    reason: str | None = None
    failed_task_id: str | None = None
    output: JsonObject = field(default_factory=dict[str, Any])
    variables: JsonObject = field(default_factory=dict[str, Any])
    task_to_domain: dict[str, str] = field(default_factory=dict[str, str])
    failed_reference_names: dict[str, None] = field(default_factory=dict[str, None])
    failed_task_names: dict[str, None] = field(default_factory=dict[str, None])
    tasks: list[TaskRow] = field(default_factory=list["TaskRow"])
    latest: dict[str, TaskRow] = field(default_factory=dict[str, "TaskRow"])
    visible: dict[str, TaskRow] = field(default_factory=dict[str, "TaskRow"])
    by_base: dict[str, TaskRow] = field(default_factory=dict[str, "TaskRow"])
    changed: dict[str, TaskRow] = field(default_factory=dict[str, "TaskRow"])
    open: dict[str, TaskRow] = field(default_factory=dict[str, "TaskRow"])
    standing: dict[str, TaskRow] = field(default_factory=dict[str, "TaskRow"])
    joins: dict[str, set[str]] = field(default_factory=dict[str, "set[str]"])
    joined_by: dict[str, list[TaskRow]] = field(default_factory=dict[str, "list[TaskRow]"])
    iterations: dict[int, list[TaskRow]] = field(default_factory=dict[int, "list[TaskRow]"])
    attempts: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    loops_seen: dict[str, dict[str, TaskRow]] = field(default_factory=dict[str, "dict[str, TaskRow]"])
    unstored: dict[str, TaskRow] = field(default_factory=dict[str, "TaskRow"])
    terminate_row: TaskRow | None = None
    has_dynamic_fork: bool = False
    joins_stale: bool = False
    output_outside: str | None = None
    has_path_results: bool = False
    highest_seq: int = 0
    has_revived_child: bool = False

    @property
    def is_terminal(self) -> bool:
        """Whether this has ended."""
        return self.status in WORKFLOW_TERMINAL

    @property
    def short_name(self) -> str:
        """Name, version and id, as texts of the server call it."""
        return f"{self.definition.name}.{self.definition.version}/{self.workflow_id}"

    def add(self, row: TaskRow) -> None:
        """Append a row."""
        self.tasks.append(row)
        self._index(row)

    def touch(self, row: TaskRow) -> None:
        """Say that a row has changed: the decider will look at it."""
        self.changed[row.task_id] = row
        self._sort_in(row)

    def _sort_in(self, row: TaskRow) -> None:
        if row.status in TERMINAL:
            self.open.pop(row.task_id, None)
            self.standing.pop(row.task_id, None)
            self.joins.pop(row.task_id, None)
            return
        self.open[row.task_id] = row
        if row.task_type in _STANDING:
            self.standing[row.task_id] = row
        elif row.task_type == "JOIN" and row.task_id not in self.joins:
            names = join_names(row)
            self.joins[row.task_id] = set(names)
            self.joins_stale = True
            for name in names:
                self.joined_by.setdefault(name, []).append(row)

    def replace_tasks(self, rows: list[TaskRow]) -> None:
        """Go on with these rows only."""
        self.tasks = rows
        self.reindex()

    def reindex(self) -> None:
        """Build everything that is derived from the rows anew."""
        self.latest.clear()
        self.visible.clear()
        self.by_base.clear()
        self.changed.clear()
        self.open.clear()
        self.standing.clear()
        self.joins.clear()
        self.joined_by.clear()
        self.iterations.clear()
        self.attempts.clear()
        self.terminate_row = None
        self.has_dynamic_fork = False
        self.output_outside = None
        self.highest_seq = 0
        for row in self.tasks:
            self._index(row)

    def drop(self, task_ids: set[str]) -> None:
        """Forget rows that have ended, such as those of old iterations."""
        kept = [row for row in self.tasks if row.task_id not in task_ids]
        changed = dict(self.changed)
        seq = self.highest_seq
        self.replace_tasks(kept)
        self.changed = {key: row for key, row in changed.items() if key not in task_ids}
        self.highest_seq = seq

    def has_started(self, reference_name: str) -> bool:
        """Whether a row of that name is in progress or has ended."""
        row = self.latest.get(reference_name)
        return row is not None and (row.status != "SCHEDULED" or (row.retried_task_id is not None))

    def _index(self, row: TaskRow) -> None:
        self.latest[row.reference_name] = row
        self.visible[row.base_name] = row
        self.by_base[base_name(row.reference_name)] = row
        self.attempts.add((row.reference_name, row.retry_count))
        self.highest_seq = max(self.highest_seq, row.seq)
        self._sort_in(row)
        if row.status != "SKIPPED" and not row.executed:
            self.changed[row.task_id] = row
        if row.iteration > 0:
            self.iterations.setdefault(row.iteration, []).append(row)
        if row.task_type == "TERMINATE":
            self.terminate_row = row
        if row.external_output_path is not None:
            self.output_outside = row.external_output_path
        if row.spec is not None and row.spec.type == "FORK_JOIN_DYNAMIC":
            self.has_dynamic_fork = True

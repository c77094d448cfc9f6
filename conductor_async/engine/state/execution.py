"""One run of a workflow, as the engine keeps it, with indexes over its tasks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conductor_async._language.names import base_name
from conductor_async.engine.state.task_row import TERMINAL, join_names

if TYPE_CHECKING:
    from conductor_async.engine.state.definition import Definition
    from conductor_async.engine.state.task_row import TaskRow
    from conductor_async.models import JsonObject

__all__ = ["WORKFLOW_TERMINAL", "Execution"]

WORKFLOW_TERMINAL = frozenset({"COMPLETED", "FAILED", "TIMED_OUT", "TERMINATED"})
"""Statuses of an execution that has ended."""

# The server runs these in every decision, whether or not something around them has changed.
_RECHECKED = frozenset({"DO_WHILE", "EXCLUSIVE_JOIN"})


@dataclass(slots=True, eq=False)
class Execution:
    """One run of a workflow.

    The decider would be quadratic if it searched `tasks`: the dicts below index them. Add rows with `add`, call `touch`
    when a row changes, and `reindex` when a row goes back from `executed` or `retried`.

    Attributes:
        tasks: All attempts, in the order in which they were added.
        latest: The last attempt of each reference name.
        visible: The row that expressions see by a name without the iteration.
        by_base: The last row of each name without the iteration, also of names that only look like an iteration's.
        attempts: Reference name and retry count of each row.
        iterations: The rows of loop bodies, by iteration.
        changed: Rows that have changed since the last decision, by id.
        open: Rows that have not ended, by id.
        rechecked: Those open rows that every decision runs again, by id.
        joins: The names that an open JOIN still waits for, by its id.
        joined_by: The JOINs that wait for a name.
        joins_stale: Whether `joins` may be wrong, and all JOINs have to check their tasks.
        terminate_row: The last TERMINATE row.
        has_dynamic_fork: Whether there is a row of a dynamic fork.
        external_output: The storage path of a task's output that is not here: the execution cannot be decided.
        has_path_results: Whether some values came from JSONPath and change when the server stores them.
        unfinished_iterations: Bodies of loops that were not over in this decision, by the loop's id.
        unstored: Rows that failed in this decision; they stay in progress if nothing else changes.
        highest_seq: The last `seq` that was given.
        has_revived_child: Whether a sub-workflow that had ended runs again.
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
    rechecked: dict[str, TaskRow] = field(default_factory=dict[str, "TaskRow"])
    joins: dict[str, set[str]] = field(default_factory=dict[str, "set[str]"])
    joined_by: dict[str, list[TaskRow]] = field(default_factory=dict[str, "list[TaskRow]"])
    iterations: dict[int, list[TaskRow]] = field(default_factory=dict[int, "list[TaskRow]"])
    attempts: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    unfinished_iterations: dict[str, dict[str, TaskRow]] = field(default_factory=dict[str, "dict[str, TaskRow]"])
    unstored: dict[str, TaskRow] = field(default_factory=dict[str, "TaskRow"])
    terminate_row: TaskRow | None = None
    has_dynamic_fork: bool = False
    joins_stale: bool = False
    external_output: str | None = None
    has_path_results: bool = False
    highest_seq: int = 0
    has_revived_child: bool = False

    @property
    def is_terminal(self) -> bool:
        """Whether the execution has ended."""
        return self.status in WORKFLOW_TERMINAL

    @property
    def short_name(self) -> str:
        """Name, version and id, as in the server's messages: `flow.1/<id>`."""
        return f"{self.definition.name}.{self.definition.version}/{self.workflow_id}"

    @property
    def open_in_order(self) -> list[TaskRow]:
        """The rows that have not ended, in the order in which they were scheduled."""
        return sorted(self.open.values(), key=lambda row: row.seq)

    def clear_failure(self) -> None:
        """Forgets why the execution failed: it runs again."""
        self.reason = self.failed_task_id = None
        self.failed_reference_names = {}
        self.failed_task_names = {}

    def add(self, row: TaskRow) -> None:
        """Appends a row."""
        self.tasks.append(row)
        self._index(row)

    def touch(self, row: TaskRow) -> None:
        """Notes that a row has changed: the next decision considers it."""
        self.changed[row.task_id] = row
        self._index_status(row)

    def _index_status(self, row: TaskRow) -> None:
        if row.status in TERMINAL:
            self.open.pop(row.task_id, None)
            self.rechecked.pop(row.task_id, None)
            self.joins.pop(row.task_id, None)
            return
        self.open[row.task_id] = row
        if row.task_type in _RECHECKED:
            self.rechecked[row.task_id] = row
        elif row.task_type == "JOIN" and row.task_id not in self.joins:
            names = join_names(row)
            self.joins[row.task_id] = set(names)
            self.joins_stale = True
            for name in names:
                self.joined_by.setdefault(name, []).append(row)

    def replace_tasks(self, rows: list[TaskRow]) -> None:
        """Replaces all rows."""
        self.tasks = rows
        self.reindex()

    def reindex(self) -> None:
        """Builds all indexes anew."""
        for index in self._indexes():
            index.clear()
        self.terminate_row = None
        self.has_dynamic_fork = False
        self.external_output = None
        self.highest_seq = 0
        for row in self.tasks:
            self._index(row)

    def _indexes(self) -> tuple[dict[Any, Any] | set[tuple[str, int]], ...]:
        by_name = self.latest, self.visible, self.by_base, self.joined_by
        return *by_name, self.changed, self.open, self.rechecked, self.joins, self.iterations, self.attempts

    def drop(self, task_ids: set[str]) -> None:
        """Removes rows that have ended. `seq` numbers are not given again."""
        kept = [row for row in self.tasks if row.task_id not in task_ids]
        changed = dict(self.changed)
        seq = self.highest_seq
        self.replace_tasks(kept)
        self.changed = {key: row for key, row in changed.items() if key not in task_ids}
        self.highest_seq = seq

    def has_started(self, reference_name: str) -> bool:
        """Returns whether an attempt of that task is in progress, has ended or was retried."""
        row = self.latest.get(reference_name)
        return row is not None and (row.status != "SCHEDULED" or (row.retried_task_id is not None))

    def _index(self, row: TaskRow) -> None:
        self.latest[row.reference_name] = row
        self.visible[row.base_name] = row
        self.by_base[base_name(row.reference_name)] = row
        self.attempts.add((row.reference_name, row.retry_count))
        self.highest_seq = max(self.highest_seq, row.seq)
        self._index_status(row)
        if row.status != "SKIPPED" and not row.executed:
            self.changed[row.task_id] = row
        if row.iteration > 0:
            self.iterations.setdefault(row.iteration, []).append(row)
        if row.task_type == "TERMINATE":
            self.terminate_row = row
        if row.external_output_path is not None:
            self.external_output = row.external_output_path
        if row.spec is not None and row.spec.type == "FORK_JOIN_DYNAMIC":
            self.has_dynamic_fork = True

"""Definitions compiled from JSON, for fast access. Executions share them and never change them.

A `Definition` is a snapshot: it includes the task definitions of its time, because the server, too, copies them into
each execution at the start.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conductor_async.engine.state.task_definition import TaskDefinition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conductor_async.models import JsonObject

__all__ = ["Definition", "TaskSpec"]

_NESTING = frozenset({"DECISION", "SWITCH", "FORK_JOIN", "DO_WHILE"})


@dataclass(slots=True, eq=False)
class TaskSpec:
    """One task of a workflow definition."""

    wire: JsonObject
    name: str
    reference_name: str
    type: str
    input_parameters: JsonObject
    optional: bool
    permissive: bool
    start_delay: int
    retry_count: int | None
    definition: TaskDefinition | None
    cases: dict[str, list[TaskSpec]] = field(default_factory=dict[str, "list[TaskSpec]"])
    default_case: list[TaskSpec] = field(default_factory=list["TaskSpec"])
    branches: list[list[TaskSpec]] = field(default_factory=list["list[TaskSpec]"])
    loop_over: list[TaskSpec] = field(default_factory=list["TaskSpec"])
    _names: frozenset[str] | None = None
    _positions: dict[str, list[tuple[list[TaskSpec], int]]] | None = None

    @classmethod
    def compile(cls, wire: JsonObject) -> TaskSpec:
        """Compiles a task of a workflow definition that has its defaults."""
        definition = wire.get("taskDefinition")
        return cls(
            wire=wire,
            name=wire.get("name", ""),
            reference_name=wire.get("taskReferenceName", ""),
            type=wire["type"],
            input_parameters=wire["inputParameters"],
            optional=wire["optional"],
            permissive=wire["permissive"],
            start_delay=wire["startDelay"],
            retry_count=wire.get("retryCount"),
            definition=TaskDefinition.compile(definition) if definition is not None else None,
            cases={key: _compiled(tasks) for key, tasks in wire["decisionCases"].items()},
            default_case=_compiled(wire["defaultCase"]),
            branches=[_compiled(branch) for branch in wire["forkTasks"]],
            loop_over=_compiled(wire["loopOver"]),
        )

    @property
    def children(self) -> list[list[TaskSpec]]:
        """The lists of tasks inside of this one."""
        if self.type not in _NESTING:
            return []
        if self.type == "FORK_JOIN":
            return self.branches
        if self.type == "DO_WHILE":
            return [self.loop_over]
        return [*self.cases.values(), self.default_case]

    def walk(self) -> Iterator[TaskSpec]:
        """Yields this task and all tasks inside of it."""
        yield self
        for tasks in self.children:
            for task in tasks:
                yield from task.walk()

    @property
    def names(self) -> frozenset[str]:
        """The reference names of this task and of all tasks inside of it."""
        if self._names is None:
            self._names = frozenset(task.reference_name for task in self.walk())
        return self._names

    def has(self, reference_name: str) -> bool:
        """Whether this is the task of that name, or has it inside."""
        return reference_name in self.names

    def next_after(self, reference_name: str, parent: TaskSpec | None = None) -> TaskSpec | None:
        """Returns what runs after a task inside of this one; the loop itself after the last task of a loop."""
        if self.type == "FORK_JOIN":
            return self._next_in_branches(reference_name, parent)
        if self.type not in _NESTING:
            return None
        for tasks, index in self._positions_of(reference_name):
            following = _next_at(tasks, index, reference_name, self)
            if following is not None:
                return following
        return self if self.type == "DO_WHILE" and self.has(reference_name) else None

    def _next_in_branches(self, reference_name: str, parent: TaskSpec | None) -> TaskSpec | None:
        for branch, index in self._positions_of(reference_name):
            following = _next_at(branch, index, reference_name, self)
            if following is not None:
                return following
            if parent is not None and branch[index].reference_name == reference_name:
                return parent.next_after(self.reference_name, parent)
        return None

    def _positions_of(self, reference_name: str) -> list[tuple[list[TaskSpec], int]]:
        """Returns the lists inside of this task that have a task at any depth, with the index of the task around it."""
        if self._positions is None:
            self._positions = _positions(self.children)
        return self._positions.get(reference_name, [])


def _positions(sequences: list[list[TaskSpec]]) -> dict[str, list[tuple[list[TaskSpec], int]]]:
    positions: dict[str, list[tuple[list[TaskSpec], int]]] = {}
    for tasks in sequences:
        in_this: set[str] = set()
        for index, task in enumerate(tasks):
            for name in task.names - in_this:
                positions.setdefault(name, []).append((tasks, index))
            in_this |= task.names
    return positions


def _next_at(tasks: list[TaskSpec], index: int, reference_name: str, parent: TaskSpec) -> TaskSpec | None:
    """Returns what runs after a task that is at an index of a list, or inside of the task there."""
    task = tasks[index]
    if task.reference_name != reference_name:
        following = task.next_after(reference_name, parent)
        if following is not None:
            return following
    return tasks[index + 1] if index + 1 < len(tasks) else None


def _compiled(tasks: list[JsonObject]) -> list[TaskSpec]:
    return [TaskSpec.compile(task) for task in tasks]


@dataclass(slots=True, eq=False)
class Definition:
    """A workflow definition, with the task definitions of its time."""

    wire: JsonObject
    name: str
    version: int
    tasks: list[TaskSpec]
    output_parameters: JsonObject
    timeout: int
    timeout_policy: str
    by_reference: dict[str, TaskSpec]
    _next: dict[str, TaskSpec | None] = field(default_factory=dict[str, "TaskSpec | None"])
    _positions: dict[str, list[tuple[list[TaskSpec], int]]] | None = None
    _joined_in_forks: frozenset[str] | None = None

    @classmethod
    def compile(cls, wire: JsonObject) -> Definition:
        """Compiles a workflow definition that has its defaults."""
        tasks = _compiled(wire["tasks"])
        by_reference: dict[str, TaskSpec] = {}
        for top in tasks:
            for task in top.walk():
                by_reference.setdefault(task.reference_name, task)
        return cls(
            wire=wire,
            name=wire.get("name", ""),
            version=wire["version"],
            tasks=tasks,
            output_parameters=wire["outputParameters"],
            timeout=wire["timeoutSeconds"],
            timeout_policy=wire["timeoutPolicy"],
            by_reference=by_reference,
        )

    @property
    def joined_in_forks(self) -> frozenset[str]:
        """The reference names of tasks in static forks for which a JOIN waits."""
        if self._joined_in_forks is None:
            tasks = self.by_reference.values()
            forked = {name for task in tasks if task.type == "FORK_JOIN" for name in task.names}
            joined = {name for task in tasks if task.type == "JOIN" for name in task.wire["joinOn"]}
            self._joined_in_forks = frozenset(forked & joined)
        return self._joined_in_forks

    def next_after(self, reference_name: str) -> TaskSpec | None:
        """Returns what runs after a task; the loop itself after the last task of a loop."""
        if reference_name not in self._next:
            self._next[reference_name] = self._find_next(reference_name)
        return self._next[reference_name]

    def _find_next(self, reference_name: str) -> TaskSpec | None:
        task = self.by_reference.get(reference_name)
        if task is None or task.type == "TERMINATE":
            return None
        if self._positions is None:
            self._positions = _positions([self.tasks])
        for tasks, index in self._positions.get(reference_name, []):
            top = tasks[index]
            if top.reference_name != reference_name:
                following = top.next_after(reference_name)
                if following is not None or top.type == "DO_WHILE":
                    return following
            return tasks[index + 1] if index + 1 < len(tasks) else None
        return None

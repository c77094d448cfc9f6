"""The positions of tasks in a definition, and which tasks can have run before another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conductor_async.models import TaskType, WorkflowTask

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Level", "Position", "positions_in"]

_FORK, _CASE, _LOOP = "fork", "case", "loop"

# While one of these waits, the other branches of a fork go on: a task behind it may find their outputs.
_WAITING_TYPES = frozenset(
    {
        TaskType.WAIT,
        TaskType.HUMAN,
        TaskType.JOIN,
        TaskType.EXCLUSIVE_JOIN,
        TaskType.DO_WHILE,
        TaskType.PULL_WORKFLOW_MESSAGES,
        "WAIT_FOR_WEBHOOK",
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """One level of a position: a list of tasks, and the index in it.

    Attributes:
        kind: What the list is: a branch of a fork, a case, the body of a loop; empty for the workflow's own list.
        name: The list's name in the task around it: `forkTasks[0]`.
        tasks: The list.
        index: The index in the list.
    """

    kind: str
    name: str
    tasks: Sequence[WorkflowTask]
    index: int

    @property
    def task(self) -> WorkflowTask:
        """The task at the index."""
        return self.tasks[self.index]


@dataclass(frozen=True, slots=True, eq=False)
class Position:
    """Where a task is in a definition.

    Attributes:
        path: Where it is, for people: `tasks[0].forkTasks[1][0]`.
        task: The task.
        levels: The lists that it is in, from the workflow's own list inwards.
    """

    path: str
    task: WorkflowTask
    levels: tuple[Level, ...]

    @property
    def in_loop(self) -> bool:
        """Whether a loop runs it, at any depth."""
        return any(level.kind == _LOOP for level in self.levels)

    def next_task(self) -> WorkflowTask | None:
        """Returns what the server runs next: the next in the list, or what follows the cases or branches that end."""
        for level in reversed(self.levels):
            if level.index + 1 < len(level.tasks):
                return level.tasks[level.index + 1]
            if level.kind == _LOOP:
                return None
        return None

    def why_not_before(self, other: Position) -> str | None:
        """Returns why this task cannot have run when the other one gets its input; None if it can have run."""
        for depth, (own, its) in enumerate(zip(self.levels, other.levels, strict=False)):
            same_list = own.name == its.name
            if same_list and own.index == its.index:
                continue
            # From here on, the two part. In a loop around both, this task may have run in an earlier iteration.
            if any(level.kind == _LOOP for level in self.levels[: depth + same_list]):
                return None
            if same_list:
                return None if own.index < its.index else "runs after it"
            if own.kind == _CASE:
                return "is in another case"
            starts_at_once = _starts_with_branch(other, depth)
            return "runs beside it, in a branch that is not joined yet" if starts_at_once else None
        is_inside = len(self.levels) > len(other.levels)
        # The input of a loop is evaluated again each time its condition is.
        is_reevaluated = other.in_loop or other.task.type == TaskType.DO_WHILE
        return "runs inside of it" if is_inside and not is_reevaluated else None

    def runs_only_after(self, other: Position) -> bool:
        """Whether this task starts only when the other one has ended."""
        for own, its in zip(self.levels, other.levels, strict=False):
            if own.name != its.name:
                return False
            if own.index != its.index:
                return own.index > its.index
        return False


def _starts_with_branch(position: Position, depth: int) -> bool:
    """Whether the task starts at once with its branch, and only then: nothing before it waits, no loop repeats it."""
    inside = position.levels[depth:]
    if any(level.kind == _LOOP for level in inside):
        return False
    return not any(task.type in _WAITING_TYPES for level in inside for task in level.tasks[: level.index])


def positions_in(tasks: Sequence[WorkflowTask]) -> Iterator[Position]:
    """Yields the positions of all tasks, at any depth. The tasks of sub-workflows are not among them."""
    return _positions(tasks, "tasks", (), "", "")


def _positions(
    tasks: Sequence[WorkflowTask], path: str, around: tuple[Level, ...], kind: str, name: str
) -> Iterator[Position]:
    for index, task in enumerate(tasks):
        levels = (*around, Level(kind, name, tasks, index))
        yield Position(f"{path}[{index}]", task, levels)
        for inner_kind, inner_name, inner in _lists_of(task):
            yield from _positions(inner, f"{path}[{index}].{inner_name}", levels, inner_kind, inner_name)


def _lists_of(task: WorkflowTask) -> Iterator[tuple[str, str, Sequence[WorkflowTask]]]:
    for number, branch in enumerate(task.fork_tasks):
        yield _FORK, f"forkTasks[{number}]", branch
    for case, branch in task.decision_cases.items():
        yield _CASE, f"decisionCases[{case!r}]", branch
    yield _CASE, "defaultCase", task.default_case
    yield _LOOP, "loopOver", task.loop_over

"""Where the tasks of a definition stand, and which of them can have run before another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conductor_async.models import TaskType, WorkflowTask

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Frame", "Place", "placed_tasks"]

_FORK, _CASE, _LOOP = "fork", "case", "loop"

# After one of these, what goes on in another branch may well have got on.
_WAITING = frozenset(
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
class Frame:
    """One level of a place: a list of tasks, and the index in it.

    Attributes:
        kind: What the list is: a branch of a fork, a case, the body of a loop; empty for the workflow itself.
        name: The list's name in the task around it: `forkTasks[0]`.
        tasks: The list.
        index: Where in it.
    """

    kind: str
    name: str
    tasks: Sequence[WorkflowTask]
    index: int


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A task, where it is for people, and the lists that it stands in, from the outside in."""

    path: str
    task: WorkflowTask
    frames: tuple[Frame, ...]

    @property
    def in_loop(self) -> bool:
        """Whether it is part of the body of a loop."""
        return any(frame.kind == _LOOP for frame in self.frames)

    def following(self) -> WorkflowTask | None:
        """The task that the server goes on with: the next one, or the one after the cases or branches that end here."""
        for frame in reversed(self.frames):
            if frame.index + 1 < len(frame.tasks):
                return frame.tasks[frame.index + 1]
            if frame.kind == _LOOP:
                return None
        return None

    def why_not_before(self, other: Place) -> str | None:
        """Why this task cannot have run when the other one gets its input; None if it can, or might."""
        for level, (mine, its) in enumerate(zip(self.frames, other.frames, strict=False)):
            beside = mine.name == its.name
            if beside and mine.index == its.index:
                continue
            if any(frame.kind == _LOOP for frame in self.frames[: level + beside]):
                return None  # in the iteration before
            if beside:
                return None if mine.index < its.index else "runs after it"
            if mine.kind == _CASE:
                return "is in another case"
            return "runs beside it, in a branch that is not joined yet" if _starts_with_it(other, level) else None
        is_inside = len(self.frames) > len(other.frames)
        # A loop gets its input anew for each look at its condition.
        repeats = other.in_loop or other.task.type == TaskType.DO_WHILE
        return "runs inside of it" if is_inside and not repeats else None

    def runs_only_after(self, other: Place) -> bool:
        """Whether this task starts only when the other one is done."""
        for mine, its in zip(self.frames, other.frames, strict=False):
            if mine.name != its.name:
                return False
            if mine.index != its.index:
                return mine.index > its.index
        return False


def _starts_with_it(place: Place, level: int) -> bool:
    """Whether nothing before it in its branch waits for others, and it does not look again and again."""
    own = place.frames[level:]
    if any(frame.kind == _LOOP for frame in own):
        return False
    return not any(task.type in _WAITING for frame in own for task in frame.tasks[: frame.index])


def placed_tasks(tasks: Sequence[WorkflowTask], path: str = "tasks") -> Iterator[Place]:
    """Every task, those inside forks, cases and loops too. Sub-workflows are worlds of their own."""
    return _placed(tasks, path, (), "", "")


def _placed(
    tasks: Sequence[WorkflowTask], path: str, around: tuple[Frame, ...], kind: str, name: str
) -> Iterator[Place]:
    for index, task in enumerate(tasks):
        frames = (*around, Frame(kind, name, tasks, index))
        yield Place(f"{path}[{index}]", task, frames)
        for kind_within, name_within, within in _lists_of(task):
            yield from _placed(within, f"{path}[{index}].{name_within}", frames, kind_within, name_within)


def _lists_of(task: WorkflowTask) -> Iterator[tuple[str, str, Sequence[WorkflowTask]]]:
    for number, branch in enumerate(task.fork_tasks):
        yield _FORK, f"forkTasks[{number}]", branch
    for case, branch in task.decision_cases.items():
        yield _CASE, f"decisionCases[{case!r}]", branch
    yield _CASE, "defaultCase", task.default_case
    yield _LOOP, "loopOver", task.loop_over

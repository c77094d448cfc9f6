"""Sequences of tasks: what `>>` makes, and how lists become forks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, TypeAlias

from conductor_async.errors import WorkflowDefinitionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conductor_async.models import WorkflowTask
    from conductor_async.workflow.tasks.base import TaskInterface

__all__ = ["Composable", "Step", "TaskSequence", "definitions_of", "sequence_of", "tasks_of"]


class Step(ABC):
    """What a `>>` chain is made of: a task, a sequence of tasks, or a workflow."""

    @abstractmethod
    def steps(self) -> Sequence[TaskInterface]:
        """Returns the tasks that it stands for, in order."""


Composable: TypeAlias = "Step | Sequence[Composable]"
"""A step, or a list. Where a step is expected a list is a fork; in a fork, a list is a branch of several steps."""


class TaskSequence(Step):
    """Tasks that run one after the other: `a >> b`. Immutable; usable wherever a task is."""

    def __init__(self, *steps: Composable) -> None:
        self._tasks: tuple[TaskInterface, ...] = tuple(task for step in steps for task in tasks_of(step))

    def __rshift__(self, following: Composable) -> TaskSequence:
        return TaskSequence(self, following)

    def __rrshift__(self, before: Sequence[Composable]) -> TaskSequence:
        return TaskSequence(before, self)

    def __iter__(self) -> Iterator[TaskInterface]:
        return iter(self._tasks)

    def __len__(self) -> int:
        return len(self._tasks)

    def __repr__(self) -> str:
        return " >> ".join(map(repr, self._tasks))

    def steps(self) -> Sequence[TaskInterface]:
        """Returns the tasks, in order."""
        return self._tasks


def tasks_of(step: Composable) -> Sequence[TaskInterface]:
    """Returns the tasks of a step, in order. A list is a fork, and each of its elements is a branch."""
    if isinstance(step, Step):
        return step.steps()
    if isinstance(step, list | tuple):
        from conductor_async.workflow.tasks.forks import ForkTask  # imported late: it needs this module

        return [ForkTask.of(step)]
    hint = ""
    if callable(step):
        hint = " A worker function becomes a task by its `task` method: greet.task('greet_ref', …)."
    raise TypeError(f"A workflow is made of tasks, lists of tasks and workflows, not of {type(step).__name__}.{hint}")


def definitions_of(tasks: Sequence[TaskInterface]) -> list[WorkflowTask]:
    """Returns the definitions of a sequence of tasks. Each task sees its neighbours: a fork must be followed by a join.

    Raises:
        WorkflowDefinitionError: Fields have values of the wrong type; `problems` lists all of them.
    """
    result: list[WorkflowTask] = []
    problems: list[str] = []
    for index, task in enumerate(tasks):
        after = tasks[index + 1] if index + 1 < len(tasks) else None
        try:
            result.extend(task.to_workflow_tasks(result[-1] if result else None, after))
        except WorkflowDefinitionError as error:
            problems.extend(error.problems)
    if problems:
        raise WorkflowDefinitionError(f"These tasks cannot work: {'; '.join(problems)}.", problems=problems)
    return result


def sequence_of(steps: Composable) -> TaskSequence:
    """Returns the tasks of a body as a sequence. Here a list is a sequence; a list inside it is a fork.

    A body is what another task contains: a branch of a fork, a case of a switch, the body of a loop.
    """
    return TaskSequence(*steps) if isinstance(steps, list | tuple) else TaskSequence(steps)

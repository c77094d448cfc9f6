"""Bodies of tasks: branches, cases and loops, and their definitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.errors import WorkflowDefinitionError
from conductor_async.workflow.tasks.base import Composable, TaskSequence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conductor_async.models import WorkflowTask
    from conductor_async.workflow.tasks.base import TaskInterface

__all__ = ["definitions_of", "sequence_of"]


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

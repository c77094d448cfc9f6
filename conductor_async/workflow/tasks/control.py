"""Tasks that decide which tasks run: forks and their joins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, Unpack

from conductor_async.errors import WorkflowDefinitionError
from conductor_async.models import JoinMode, TaskType, WorkflowTask
from conductor_async.workflow.tasks.base import Composable, TaskInterface, TaskOptions, TaskSequence, definitions_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ForkTask", "JoinTask"]


class JoinTask(TaskInterface, task_type=TaskType.JOIN):
    """Waits for tasks of the fork before it; its output has theirs, by reference name.

    Args:
        task_ref_name: The name of this place in the workflow.
        join_on: The reference names to wait for. Right after a `ForkTask` the last ones of its branches, if not given;
            elsewhere nothing is waited for without it.
        join_on_script: A script that says whether to go on (Orkes; the open-source server ignores it).
        join_mode: How often the server looks.
        options: The fields that all tasks have: see `TaskOptions`.
    """

    join_on: Sequence[str] | None
    join_mode: JoinMode | str | None
    join_status: str | None
    evaluator_type: str | None
    expression: str | None

    def __init__(
        self,
        task_ref_name: str,
        join_on: Sequence[str] | None = None,
        join_on_script: str | None = None,
        *,
        join_mode: JoinMode | str | None = None,
        **options: Unpack[TaskOptions],
    ) -> None:
        super().__init__(task_ref_name, **options)
        self.join_on = None if join_on is None else list(join_on)
        self.join_mode = join_mode
        self.join_status = None
        self.evaluator_type = None if join_on_script is None else "js"
        self.expression = join_on_script

    def _own_fields(self) -> Mapping[str, Any]:
        return {
            "join_on": None if self.join_on is None else list(self.join_on),
            "join_mode": self.join_mode,
            "join_status": self.join_status,
            "evaluator_type": self.evaluator_type,
            "expression": self.expression,
        }

    def _definitions(self, before: WorkflowTask | None, after: TaskInterface | None) -> list[WorkflowTask]:
        definition = self.to_workflow_task()
        if self.join_on is None and before is not None and before.fork_tasks:
            definition.join_on = _ends(before)
        return [definition]


class ForkTask(TaskInterface, task_type=TaskType.FORK_JOIN):
    """Runs branches side by side. Its JOIN is always there: one of its own, unless you put a `JoinTask` right after it.

    Args:
        task_ref_name: The name of this place in the workflow.
        forked_tasks: The branches: each a task, a sequence (`a >> b` or a list of steps) or a workflow.
        join_on: The reference names that its own JOIN waits for; the last ones of the branches if not given. The JOIN
            is `<ref>_join` if you give them, and `join_<ref>` if not, as in conductor-python.
        options: The fields that all tasks have: see `TaskOptions`.
    """

    forked_tasks: Sequence[TaskSequence]
    join_on: Sequence[str] | None
    join_reference_name: str

    def __init__(
        self,
        task_ref_name: str,
        forked_tasks: Sequence[Composable],
        join_on: Sequence[str] | None = None,
        **options: Unpack[TaskOptions],
    ) -> None:
        super().__init__(task_ref_name, **options)
        self.forked_tasks = _branches(forked_tasks)
        self.join_on = None if join_on is None else list(join_on)
        self.join_reference_name = f"join_{task_ref_name}" if join_on is None else f"{task_ref_name}_join"

    @classmethod
    def of(cls, branches: Sequence[Composable]) -> Self:
        """The fork that a list in a `>>` chain is, named after the first task in it: `fork_a` and `join_a`."""
        sequences = _branches(branches)
        first = next(iter(sequences[0])).task_reference_name
        fork = cls(f"fork_{first}", sequences)
        fork.join_reference_name = f"join_{first}"
        return fork

    def _own_fields(self) -> Mapping[str, Any]:
        return {"fork_tasks": [definitions_of(list(branch)) for branch in self.forked_tasks]}

    def _definitions(self, before: WorkflowTask | None, after: TaskInterface | None) -> list[WorkflowTask]:
        fork = self.to_workflow_task()
        if isinstance(after, JoinTask):
            return [fork]
        join = JoinTask(self.join_reference_name, _ends(fork) if self.join_on is None else self.join_on)
        return [fork, join.to_workflow_task()]


def _ends(fork: WorkflowTask) -> list[str]:
    """The reference name of the last task of each branch; of a nested fork, that is its join."""
    return [branch[-1].task_reference_name for branch in fork.fork_tasks]


def _branches(branches: Sequence[Composable]) -> list[TaskSequence]:
    # In a fork a list is a branch of several steps, so it must not be read as a fork once more.
    sequences = [TaskSequence(*each) if isinstance(each, list | tuple) else TaskSequence(each) for each in branches]
    problems = [f"branch {index} of a fork is empty" for index, each in enumerate(sequences) if not len(each)]
    if not sequences:
        problems = ["a fork has no branches"]
    if problems:
        raise WorkflowDefinitionError(f"This fork cannot work: {'; '.join(problems)}.", problems=problems)
    return sequences

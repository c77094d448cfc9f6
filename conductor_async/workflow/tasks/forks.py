"""Tasks that run in parallel: forks, and the joins that wait for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, Unpack

from conductor_async.errors import WorkflowDefinitionError
from conductor_async.models import JoinMode, TaskType, WorkflowTask
from conductor_async.workflow.references import Reference
from conductor_async.workflow.tasks._sequences import definitions_of, sequence_of
from conductor_async.workflow.tasks.base import Composable, TaskInterface, TaskOptions, TaskSequence
from conductor_async.workflow.tasks.fields import Converted, field

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from dataclasses import KW_ONLY, InitVar

    from conductor_async.workflow.references import InputValue
    from conductor_async.workflow.tasks.inputs import Text

__all__ = ["DynamicForkTask", "ExclusiveJoinTask", "ForkTask", "JoinTask"]


def _listed(names: Sequence[str] | None) -> list[str] | None:
    return None if names is None else list(names)


def _ends(fork: WorkflowTask) -> list[str]:
    """Returns the reference name of the last task of each branch; of a nested fork, that is its join."""
    return [branch[-1].task_reference_name for branch in fork.fork_tasks]


def _branches(branches: Sequence[Composable]) -> list[TaskSequence]:
    sequences = [sequence_of(each) for each in branches]
    problems = [f"branch {index} of a fork is empty" for index, each in enumerate(sequences) if not len(each)]
    if not sequences:
        problems = ["a fork has no branches"]
    if problems:
        raise WorkflowDefinitionError(f"This fork cannot work: {'; '.join(problems)}.", problems=problems)
    return sequences


class JoinTask(TaskInterface, task_type=TaskType.JOIN):
    """Waits for tasks of the fork before it; its output has theirs, by reference name.

    Args:
        join_on: The reference names to wait for. Default: right after a `ForkTask` the last tasks of its branches,
            elsewhere none.
        join_on_script: A script that decides when to go on (Orkes; the open-source server ignores it).
        join_mode: How often the server checks.

    Further arguments: see `TaskInterface`.
    """

    join_on: Converted[Sequence[str] | None, list[str] | None] = field(default=None, convert=_listed)
    expression: str | None = field(default=None, alias="join_on_script")
    _: KW_ONLY
    join_mode: JoinMode | str | None = None
    join_status: str | None = field(default=None, init=False)
    evaluator_type: str | None = field(default=None, init=False)

    def _set_up(self, given: Mapping[str, Any]) -> None:
        super()._set_up(given)
        self.evaluator_type = None if self.expression is None else "js"

    def _own_fields(self) -> Mapping[str, Any]:
        return {
            "join_on": _listed(self.join_on),
            "join_mode": self.join_mode,
            "join_status": self.join_status,
            "evaluator_type": self.evaluator_type,
            "expression": self.expression,
        }

    def to_workflow_tasks(self, before: WorkflowTask | None, after: TaskInterface | None) -> list[WorkflowTask]:
        """Returns the JOIN. Right after a fork, by default, it waits for the last tasks of the branches."""
        definition = self.to_workflow_task()
        if self.join_on is None and before is not None and before.fork_tasks:
            definition.join_on = _ends(before)
        return [definition]


class ExclusiveJoinTask(TaskInterface, task_type=TaskType.EXCLUSIVE_JOIN):
    """Takes the output of the one task that ran, of those after a `SwitchTask` that may have.

    Args:
        join_on: The reference names, in the order of the check; the first one that ran provides the output.
        default_exclusive_join_task: The reference names to check if none of them ran.

    Further arguments: see `TaskInterface`.
    """

    join_on: Converted[Sequence[str], list[str] | None] = field(convert=_listed)
    default_exclusive_join_task: Converted[Sequence[str] | None, list[str] | None] = field(
        default=None, convert=_listed
    )

    def _own_fields(self) -> Mapping[str, Any]:
        return {
            "join_on": _listed(self.join_on),
            "default_exclusive_join_task": _listed(self.default_exclusive_join_task),
        }


class ForkTask(TaskInterface, task_type=TaskType.FORK_JOIN):
    """Runs branches in parallel. Its JOIN is always there: one of its own, unless you put a `JoinTask` right after it.

    Args:
        forked_tasks: The branches: each a task, a sequence (`a >> b` or a list of steps) or a workflow.
        join_on: The reference names that its own JOIN waits for. Default: the last tasks of the branches. The JOIN
            is named `<ref>_join` if you give them, and `join_<ref>` if not, as in conductor-python.

    Further arguments: see `TaskInterface`.
    """

    forked_tasks: Converted[Sequence[Composable], list[TaskSequence]] = field(convert=_branches)
    join_on: Converted[Sequence[str] | None, list[str] | None] = field(default=None, convert=_listed)
    join_reference_name: str = field(init=False)

    def _set_up(self, given: Mapping[str, Any]) -> None:
        super()._set_up(given)
        ref = self.task_reference_name
        self.join_reference_name = f"join_{ref}" if self.join_on is None else f"{ref}_join"

    @classmethod
    def of(cls, branches: Sequence[Composable]) -> Self:
        """Returns the fork that a list becomes in a `>>` chain, named after its first task: `fork_a` and `join_a`."""
        sequences = _branches(branches)
        first = next(iter(sequences[0])).task_reference_name
        fork = cls(f"fork_{first}", sequences)
        fork.join_reference_name = f"join_{first}"
        return fork

    @property
    def join_output(self) -> Reference:
        """The outputs of the branches, by reference name, if no `JoinTask` follows."""
        return Reference(f"{self.join_reference_name}.output")

    def _own_fields(self) -> Mapping[str, Any]:
        return {"fork_tasks": [definitions_of(list(branch)) for branch in self.forked_tasks]}

    def to_workflow_tasks(self, before: WorkflowTask | None, after: TaskInterface | None) -> list[WorkflowTask]:
        """Returns the fork and its JOIN."""
        fork = self.to_workflow_task()
        if isinstance(after, JoinTask):
            return [fork]
        join = JoinTask(self.join_reference_name, _ends(fork) if self.join_on is None else self.join_on)
        return [fork, join.to_workflow_task()]


class DynamicForkTask(TaskInterface, task_type=TaskType.FORK_JOIN_DYNAMIC):
    """Runs branches that are known only at run time, one task each, and joins them.

    There are three ways to choose them:

    ```python
    # The same task for each input; their reference names are _resize_0, _resize_1 …
    fork = DynamicForkTask.of_task("fork", "resize", workflow.input.images)
    # The same workflow for each input.
    fork = DynamicForkTask.of_workflow("fork", "resize_flow", workflow.input.images)
    # What an earlier task planned: definitions of tasks, and their inputs by reference name.
    fork = DynamicForkTask("fork", tasks=plan.output.tasks, tasks_inputs=plan.output.inputs)
    ```

    Its JOIN is always there: `join_task`, or a `JoinTask` that you put right after it, or else one named `join_<ref>`.
    Its output has those of the branches by reference name: `fork.join_output`.

    Args:
        tasks_param: The input parameter that holds the definitions of the tasks.
        tasks_input_param_name: The input parameter that holds their inputs.
        join_task: The JOIN after it.
        tasks: The definitions of the tasks, usually an expression.
        tasks_inputs: Their inputs by reference name, usually an expression.

    Further arguments: see `TaskInterface`.
    """

    tasks_param: str | None = "dynamicTasks"
    tasks_input_param_name: str | None = "dynamicTasksInputs"
    join_task: JoinTask | None = None
    _: KW_ONLY
    tasks: InitVar[InputValue] = None
    tasks_inputs: InitVar[InputValue] = None
    fork_join_tasks_param: str | None = field(default=None, init=False)
    """The input parameter of the older form, which `tasks_param` replaced."""
    fork_task_name: Text | None = field(init=False, key="forkTaskName")
    fork_task_type: Text | None = field(init=False, key="forkTaskType")
    fork_task_workflow: Text | None = field(init=False, key="forkTaskWorkflow")
    fork_task_workflow_version: Text | None = field(init=False, key="forkTaskWorkflowVersion")
    fork_task_inputs: InputValue = field(init=False, key="forkTaskInputs")

    def _set_up(self, given: Mapping[str, Any]) -> None:
        super()._set_up(given)
        for param, value in (
            (self.tasks_param, given["tasks"]),
            (self.tasks_input_param_name, given["tasks_inputs"]),
        ):
            if param is not None and value is not None:
                self.input_parameters[param] = value

    @classmethod
    def of_task(
        cls,
        task_ref_name: str,
        task_name: Text | None,
        inputs: InputValue,
        task_type: Text | None = None,
        **options: Unpack[TaskOptions],
    ) -> Self:
        """Returns a fork that runs the same task for each input.

        Args:
            task_ref_name: The task's reference name, unique in the workflow.
            task_name: The task that workers run, or None for a `task_type` of the server.
            inputs: A list of inputs, or an expression for one. A task's input has the keys of the dict, or anything
                else as `input`, and the index in the list as `__index`.
            task_type: Such as `HTTP`. Default: SIMPLE.
            options: See `TaskInterface`.
        """
        fork = cls(task_ref_name, None, None, **options)
        fork.fork_task_name = task_name
        fork.fork_task_type = task_type
        fork.fork_task_inputs = inputs
        return fork

    @classmethod
    def of_workflow(
        cls,
        task_ref_name: str,
        workflow_name: Text,
        inputs: InputValue,
        version: int | Text | None = None,
        **options: Unpack[TaskOptions],
    ) -> Self:
        """Returns a fork that runs the same workflow for each of `inputs`: a list, or an expression for one."""
        fork = cls(task_ref_name, None, None, **options)
        fork.fork_task_workflow = workflow_name
        # The server reads a number here only if it is written as text.
        fork.fork_task_workflow_version = str(version) if isinstance(version, int) else version
        fork.fork_task_inputs = inputs
        return fork

    @property
    def join_reference_name(self) -> str:
        """The reference name of its JOIN, unless a `JoinTask` follows."""
        return f"join_{self.task_reference_name}" if self.join_task is None else self.join_task.task_reference_name

    @property
    def join_output(self) -> Reference:
        """The outputs of the branches, by reference name, if no `JoinTask` follows."""
        return Reference(f"{self.join_reference_name}.output")

    def _own_fields(self) -> Mapping[str, Any]:
        return {
            "dynamic_fork_tasks_param": self.tasks_param,
            "dynamic_fork_tasks_input_param_name": self.tasks_input_param_name,
            "dynamic_fork_join_tasks_param": self.fork_join_tasks_param,
        }

    def to_workflow_tasks(self, before: WorkflowTask | None, after: TaskInterface | None) -> list[WorkflowTask]:
        """Returns the fork and its JOIN."""
        fork = self.to_workflow_task()
        if isinstance(after, JoinTask):
            return [fork]
        return [fork, (self.join_task or JoinTask(self.join_reference_name)).to_workflow_task()]

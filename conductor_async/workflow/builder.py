"""A workflow described in code: its tasks, its settings, and the definition that they make. No server is needed."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Self

from conductor_async.errors import ConductorError, WorkflowDefinitionError
from conductor_async.models import WorkflowDef
from conductor_async.workflow._from_definition import DefinedTask, complete, settings_of
from conductor_async.workflow._settings import WorkflowSettings
from conductor_async.workflow._snapshot import TracksAssignments
from conductor_async.workflow._validation import (
    ValidationContext,
    build_model,
    check,
    collecting_errors,
    problems_of,
)
from conductor_async.workflow._validation.known_outputs import known_outputs, tasks_within
from conductor_async.workflow.references import Reference, plain
from conductor_async.workflow.tasks._sequences import definitions_of
from conductor_async.workflow.tasks.base import Composable, Step, tasks_of
from conductor_async.workflow.tasks.children import InlineSubWorkflowTask

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conductor_async.workflow.tasks.base import TaskInterface

__all__ = ["WorkflowBuilder"]


class WorkflowBuilder(TracksAssignments, WorkflowSettings, Step):
    """Builds a workflow definition: `add` and `>>` append tasks, settings are methods that return the workflow.

    ```python
    workflow = WorkflowBuilder(name="order", version=1)
    workflow >> reserve >> [charge, pack] >> ship       # charge and pack run in parallel
    workflow.timeout_seconds(3600).output_parameters({"parcel": ship.output.parcel})
    definition = workflow.to_workflow_def()
    ```

    Building does no I/O, and the same code gives the same definition, byte for byte. Settings that you leave out are
    not sent, so that the server's defaults apply: no timeout, restartable.

    `ConductorWorkflow` is a builder that can also register and run the workflow.

    Args:
        name: The workflow's name.
        version: Its version. Without one it is registered as version 1.
        description: What the workflow does.
    """

    _untracked = frozenset({"_origin", "_accepted_problems"})

    name: str
    version: int | None
    description: str | None

    def __init__(self, name: str = "", version: int | None = None, description: str | None = None) -> None:
        self.name = name
        self.version = version
        self.description = description
        self._tasks: list[TaskInterface] = []
        self._settings = {}
        self._origin: WorkflowDef | None = None
        self._accepted_problems: frozenset[str] = frozenset()

    @classmethod
    def from_workflow_def(cls, definition: WorkflowDef) -> Self:
        """Returns a builder of an existing definition. It builds the same definition; `>>` appends tasks to it.

        ```python
        workflow = WorkflowBuilder.from_workflow_def(await conductor.metadata.get_workflow_def("order"))
        workflow >> SimpleTask("thank", "thank_ref", input_parameters={"to": workflow.task("ship_ref").output.name})
        ```

        Nothing is lost: unknown fields and task types are kept. Problems that the definition already has are accepted;
        only new ones raise an error.

        Args:
            definition: The definition. It is copied.
        """
        workflow = cls(
            name=definition.name,
            version=definition.version if "version" in definition.model_fields_set else None,
            description=definition.description,
        )
        workflow._origin = definition.model_copy(deep=True)
        workflow._accepted_problems = frozenset(problems_of(definition))
        workflow._settings = settings_of(workflow._origin)
        workflow._tasks = [DefinedTask(task) for task in definition.tasks]
        return workflow

    if not TYPE_CHECKING:  # type checkers would take it for leave to set anything

        def __setattr__(self, name: str, value: object) -> None:
            if not name.startswith("_") and not any(
                name in vars(cls).get("__annotations__", ()) for cls in type(self).__mro__
            ):
                hint = f": call it, workflow.{name}(…)" if hasattr(type(self), name) else ""
                raise AttributeError(f"{name!r} cannot be assigned to a workflow{hint}.", name=name, obj=self)
            super().__setattr__(name, value)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, version={self.version!r}, {len(self._tasks)} tasks)"

    # -- tasks

    def add(self, task: Composable) -> Self:
        """Appends a task, or each step of a list in turn; returns the workflow."""
        for step in task if isinstance(task, list | tuple) else [task]:
            self.__rshift__(step)
        return self

    def __rshift__(self, step: Composable) -> Self:
        """Appends a step: a task, a list (its elements run in parallel), or a workflow (runs as a sub-workflow)."""
        if step is self:
            raise WorkflowDefinitionError(
                f"Workflow {self.name!r} cannot contain itself.",
                problems=[f"tasks[{len(self._tasks)}]: the workflow itself"],
            )
        self._tasks.extend(tasks_of(step))
        return self

    def steps(self) -> Sequence[TaskInterface]:
        """Returns the one task that the workflow becomes in another workflow: it runs this one as a sub-workflow."""
        return (InlineSubWorkflowTask.of(self),)

    def task(self, task_reference_name: str) -> TaskInterface:
        """Returns the task with this reference name, also from a branch, a case or a loop that was built in code.

        Raises:
            KeyError: The workflow has no such task.
        """
        for task in tasks_within(self._tasks):
            if task.task_reference_name == task_reference_name:
                return task
        raise KeyError(f"workflow {self.name!r} has no task {task_reference_name!r}")

    # -- references

    @property
    def input(self) -> Reference:
        """The input of the execution: `workflow.input.a.b`, `workflow.input("a.b")`, `workflow.input["a"]`."""
        return Reference("workflow.input")

    @property
    def output(self) -> Reference:
        """The output of the execution: `workflow.output.x`, `workflow.output("x")`."""
        return Reference("workflow.output")

    # -- the definition

    def to_workflow_def(self) -> WorkflowDef:
        """Returns the definition as it is now: a new object each time, with all references as text.

        Raises:
            WorkflowDefinitionError: The definition cannot work; `problems` lists everything that is wrong.
        """
        with collecting_errors() as found:
            definition = self.unchecked_definition()
        check(definition, self.validation_context(), found)
        return definition

    def validation_context(self) -> ValidationContext:
        """Returns what is known of the workflow besides its definition: the output fields of its workers, mainly."""
        children = {ref: child.validation_context() for ref, child in self.sub_workflows()}
        return ValidationContext(known_outputs(self._tasks), children, self._accepted_problems)

    def sub_workflows(self) -> Iterator[tuple[str, WorkflowBuilder]]:
        """Yields the sub-workflows that were built in code, each with the reference name of the task that runs it."""
        for task in tasks_within(self._tasks):
            if isinstance(task, InlineSubWorkflowTask) and isinstance(task.workflow, WorkflowBuilder):
                yield task.task_reference_name, task.workflow

    def unchecked_definition(self) -> WorkflowDef:
        """Returns the definition as `to_workflow_def()` does, also if it cannot work: for diagrams and parents.

        Raises:
            WorkflowDefinitionError: The workflow contains itself, or a value has the wrong type.
        """
        _check_nesting(self, ())
        fields: dict[str, Any] = {
            "name": self.name,
            "version": self.version,
            "description": self.description,
            **copy.deepcopy({name: plain(value) for name, value in self._settings.items()}),
            "tasks": definitions_of(self._tasks),
        }
        definition = build_model(WorkflowDef, f"workflow {self.name!r}", fields)
        if self._origin is not None:
            complete(definition, self._origin)
        return definition

    # -- diagrams

    def to_mermaid(self) -> str:
        """Returns a Mermaid flowchart, which GitHub, notebooks and documentation sites render."""
        from conductor_async.workflow.diagrams import to_mermaid  # imported late: few programs draw

        return to_mermaid(self.unchecked_definition())

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Returns what a notebook shows: a diagram, of an incomplete workflow too."""
        from conductor_async.workflow.diagrams import notebook_bundle

        try:
            return notebook_bundle(repr(self), self.unchecked_definition())
        except ConductorError:  # there is no definition yet; to_workflow_def() says why
            return {"text/plain": repr(self)}


def _check_nesting(workflow: WorkflowBuilder, parents: tuple[WorkflowBuilder, ...]) -> None:
    """Raises if the workflow contains itself, directly or through its sub-workflows."""
    if any(parent is workflow for parent in parents):
        path = " >> ".join(repr(each.name) for each in (*parents, workflow))
        problem = f"tasks: a workflow cannot contain itself: {path}"
        raise WorkflowDefinitionError(f"Workflow {workflow.name!r} cannot work:\n- {problem}", problems=[problem])
    for _, child in workflow.sub_workflows():
        _check_nesting(child, (*parents, workflow))

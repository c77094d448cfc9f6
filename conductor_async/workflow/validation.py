"""What is wrong with a definition, found before it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from conductor_async.errors import WorkflowDefinitionError
from conductor_async.models import ConductorModel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from conductor_async.models import WorkflowDef, WorkflowTask

__all__ = ["check", "modelled", "placed_tasks", "problems_of"]

ModelT = TypeVar("ModelT", bound=ConductorModel)


def modelled(model: type[ModelT], what: str, fields: Mapping[str, Any]) -> ModelT:
    """The model with those of these fields that are not None.

    Raises:
        WorkflowDefinitionError: A field has a value of the wrong kind. `what` is named.
    """
    try:
        return model(**{name: value for name, value in fields.items() if value is not None})
    except ValidationError as error:
        problems = [f"{what}: {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        raise WorkflowDefinitionError(f"A definition cannot work: {'; '.join(problems)}.", problems=problems) from error


def check(definition: WorkflowDef) -> None:
    """Raises if the definition cannot work.

    Raises:
        WorkflowDefinitionError: With all its problems, each starting with its path.
    """
    if problems := problems_of(definition):
        listed = "\n".join(f"- {problem}" for problem in problems)
        raise WorkflowDefinitionError(f"Workflow {definition.name!r} cannot work:\n{listed}", problems=problems)


def problems_of(definition: WorkflowDef) -> list[str]:
    """All that is wrong with the definition, each starting with its path in the server's terms."""
    problems: list[str] = []
    if not definition.name:
        problems.append("name: a workflow needs a name")
    places: dict[str, str] = {}
    for path, task in placed_tasks(definition.tasks):
        reference = task.task_reference_name
        if not reference:
            problems.append(f"{path}: the task {task.name!r} needs a reference name")
        elif reference in places:
            problems.append(
                f"{path}: the reference name {reference!r} is that of {places[reference]} already;"
                " each task of a workflow has its own, and one task object stands in one place only"
            )
        else:
            places[reference] = path
    return problems


def placed_tasks(tasks: Sequence[WorkflowTask], path: str = "tasks") -> Iterator[tuple[str, WorkflowTask]]:
    """Every task with its path, those inside forks, cases and loops too. Sub-workflows are worlds of their own."""
    for index, task in enumerate(tasks):
        place = f"{path}[{index}]"
        yield place, task
        for number, branch in enumerate(task.fork_tasks):
            yield from placed_tasks(branch, f"{place}.forkTasks[{number}]")
        for case, branch in task.decision_cases.items():
            yield from placed_tasks(branch, f"{place}.decisionCases[{case!r}]")
        yield from placed_tasks(task.default_case, f"{place}.defaultCase")
        yield from placed_tasks(task.loop_over, f"{place}.loopOver")

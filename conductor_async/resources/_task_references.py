"""Which reference names the tasks of an execution can have: the server silently ignores a misspelled one."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from conductor_async._language.positions import positions_in
from conductor_async.errors import ConfigurationError
from conductor_async.models import TaskType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conductor_async.models import Workflow, WorkflowDef

_ITERATION = re.compile(r"(__\d+)+$")


def without_iteration(task_reference_name: str) -> str:
    """Returns `ref` for `ref__2`, the name of a task in the second iteration of a loop."""
    return _ITERATION.sub("", task_reference_name)


def check_references(execution: Workflow, task_reference_names: Iterable[str]) -> None:
    """Raises an error if the execution cannot have a task with one of these reference names.

    Raises:
        ConfigurationError: The error names the tasks that there are.
    """
    definition = execution.workflow_definition
    if definition is None or not definition.tasks:
        return
    check_references_of(
        definition,
        task_reference_names,
        f"Workflow {execution.workflow_name or definition.name!r} (id {execution.workflow_id})",
        {task.reference_task_name for task in execution.tasks},
    )


def check_references_of(
    definition: WorkflowDef, task_reference_names: Iterable[str], owner: str, running: Iterable[str] = ()
) -> None:
    """Raises an error if an execution of a definition cannot have a task with one of these reference names.

    Args:
        definition: The definition.
        task_reference_names: The names to check.
        owner: What the error calls the workflow.
        running: The tasks that an execution has already.

    Raises:
        ConfigurationError: The error names the tasks that there are.
    """
    tasks = [position.task for position in positions_in(definition.tasks)]
    if any(task.type == TaskType.FORK_JOIN_DYNAMIC for task in tasks):
        return  # its tasks get their names at run time
    known = dict.fromkeys([*(task.task_reference_name for task in tasks), *running])
    for name in task_reference_names:
        if name not in known and without_iteration(name) not in known:
            near = difflib.get_close_matches(without_iteration(name), known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ConfigurationError(
                f"{owner} has no task with the reference name {name!r}.{hint} Its tasks: {', '.join(known)}."
            )

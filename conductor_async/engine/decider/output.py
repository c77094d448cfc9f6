"""The output of an execution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async._language.names import base_name
from conductor_async.engine.rows.inputs import evaluate

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.task_row import TaskRow

__all__ = ["update_output"]


def update_output(core: Core, execution: Execution, row: TaskRow | None = None) -> None:
    """Sets the execution's output: that of a TERMINATE task, else the output parameters, else the output of a task.

    Args:
        core: The engine.
        execution: The execution.
        row: The task whose output is used if the definition has no output parameters; the last one by default.
    """
    if not execution.tasks:
        return
    _add_unfinished_iterations(execution)
    last = row or execution.tasks[-1]
    terminate = execution.terminate_row
    if terminate is not None and terminate.is_terminal and terminate.is_successful:
        execution.output = terminate.output
    elif execution.definition.output_parameters:
        execution.output = evaluate(core, execution, execution.definition.output_parameters)
    else:
        execution.output = last.output


def _add_unfinished_iterations(execution: Execution) -> None:
    """Adds the iteration that was not over in this decision to the outputs of loops.

    The server puts it there in each decision, and stores it only if the loop then continues or is cancelled. What it
    puts there are the tasks' own output maps, which still grow, but for TERMINATE, which replaces its map.
    """
    for task_id, body in execution.unfinished_iterations.items():
        loop = execution.open.get(task_id)
        if loop is not None:
            loop.output[str(loop.iteration)] = {
                base_name(row.reference_name): {} if row.task_type == "TERMINATE" else row.output
                for row in body.values()
            }

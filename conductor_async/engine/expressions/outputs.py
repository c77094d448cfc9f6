"""What a workflow puts out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async._language.names import base_name
from conductor_async.engine.expressions.inputs import evaluate

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.execution import Execution, TaskRow

__all__ = ["update_output"]


def update_output(core: Core, execution: Execution, row: TaskRow | None = None) -> None:
    """Set the execution's output: a TERMINATE task's, else the output parameters, else a task's.

    Args:
        core: The engine.
        execution: What puts out.
        row: The task whose output it is if the definition does not say; the last one by default.
    """
    if not execution.tasks:
        return
    _show_unfinished_iterations(execution)
    last = row or execution.tasks[-1]
    terminate = execution.terminate_row
    if terminate is not None and terminate.is_terminal and terminate.is_successful:
        execution.output = terminate.output
    elif execution.definition.output_parameters:
        execution.output = evaluate(core, execution, execution.definition.output_parameters)
    else:
        execution.output = last.output


def _show_unfinished_iterations(execution: Execution) -> None:
    """A loop has in its output what it saw of its iteration, if the execution ended while it was deciding.

    The server notes it at each look, and stores it only when the loop goes on or is cancelled. What it noted are the
    outputs themselves, to which tasks add; a TERMINATE puts another in the place of its own.
    """
    for task_id, body in execution.loops_seen.items():
        loop = execution.open.get(task_id)
        if loop is not None:
            loop.output[str(loop.iteration)] = {
                base_name(row.reference_name): {} if row.task_type == "TERMINATE" else row.output
                for row in body.values()
            }

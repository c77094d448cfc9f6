"""The output of an execution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async._language.names import base_name
from conductor_async.engine.expressions.inputs import evaluate

if TYPE_CHECKING:
    from conductor_async.engine.expressions.inputs import NamedValues
    from conductor_async.engine.state.execution import Execution, TaskRow

__all__ = ["update_output"]


def update_output(named: NamedValues, execution: Execution, row: TaskRow | None = None) -> None:
    """Sets the execution's output: that of a TERMINATE, else the output parameters, else the output of one task.

    Args:
        named: The environment's variables.
        execution: The execution.
        row: The task whose output it is if the definition has no output parameters; the last one by default.
    """
    if not execution.tasks:
        return
    _show_unfinished_iterations(execution)
    last = row or execution.tasks[-1]
    terminate = execution.terminate_row
    if terminate is not None and terminate.is_terminal and terminate.is_successful:
        execution.output = terminate.output
    elif execution.definition.output_parameters:
        execution.output = evaluate(named, execution, execution.definition.output_parameters)
    else:
        execution.output = last.output


def _show_unfinished_iterations(execution: Execution) -> None:
    """Puts the iteration that a loop was deciding into the loop's output, if the execution ended meanwhile.

    The server notes the outputs of an iteration at each decision, but stores them only when the loop goes on or is
    cancelled. It notes the output objects themselves, so what tasks add later shows; a TERMINATE replaces its own
    object, so the noted one stays empty.
    """
    for task_id, body in execution.loops_seen.items():
        loop = execution.open.get(task_id)
        if loop is not None:
            loop.output[str(loop.iteration)] = {
                base_name(row.reference_name): {} if row.task_type == "TERMINATE" else row.output
                for row in body.values()
            }

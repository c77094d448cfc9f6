"""What a workflow puts out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.inputs import evaluate

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.execution import Execution, TaskRow

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
    last = row or execution.tasks[-1]
    terminate = execution.terminate_row
    if terminate is not None and terminate.is_terminal and terminate.is_successful:
        execution.output = terminate.output
    elif execution.definition.output_parameters:
        execution.output = evaluate(core, execution, execution.definition.output_parameters)
    else:
        execution.output = last.output

"""From a task of a definition to its first rows, and from a row to its next attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.rows.kind import RowFactory, kind_of

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.definition import TaskSpec
    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.task_row import TaskRow

__all__ = ["assign_iteration", "make_rows", "next_attempt"]


def make_rows(
    core: Core, execution: Execution, spec: TaskSpec, retry_count: int = 0, retried_task_id: str | None = None
) -> list[TaskRow]:
    """Returns the rows that a task begins with, without those of tasks that have started before."""
    factory = RowFactory(core, execution, spec, retry_count, retried_task_id)
    return [row for row in kind_of(spec).rows(factory) if not execution.has_started(row.reference_name)]


def assign_iteration(rows: list[TaskRow], iteration: int) -> None:
    """Makes rows belong to an iteration of a loop: `ref` becomes `ref__2`."""
    for row in rows:
        row.reference_name = f"{row.reference_name}__{iteration}"
        row.iteration = iteration


def next_attempt(core: Core, row: TaskRow) -> TaskRow:
    """Returns a row for the next attempt of a task, with nothing that belongs to the last attempt."""
    attempt = row.copy()
    attempt.task_id = core.ids.new()
    attempt.retried_task_id = row.task_id
    attempt.retry_count = row.retry_count + 1
    attempt.status = "SCHEDULED"
    attempt.retried = attempt.executed = attempt.subworkflow_changed = False
    attempt.input = {key: value for key, value in row.input.items() if key != "subWorkflowId"}
    attempt.output = {}
    attempt.output_message = attempt.worker_id = attempt.sub_workflow_id = attempt.external_output_path = None
    attempt.seq = attempt.poll_count = attempt.callback_after = attempt.callback_after_ms = 0
    attempt.scheduled_time = attempt.start_time = attempt.end_time = attempt.update_time = attempt.next_check = 0
    return attempt

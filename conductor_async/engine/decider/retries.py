"""Whether a failed task gets another attempt, when, and what it starts with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.errors import WorkflowHalted
from conductor_async.engine.expressions.inputs import evaluate
from conductor_async.engine.expressions.outputs import update_output
from conductor_async.engine.state.execution import RETRIABLE

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.definition import TaskDefinition
    from conductor_async.engine.state.execution import Execution, TaskRow

__all__ = ["fresh_attempt", "retry"]

_BUILT_IN = frozenset({"DECISION", "SWITCH", "FORK", "JOIN", "EXCLUSIVE_JOIN", "DO_WHILE"})
_LONGEST = 2**31 - 1
_ENDS = {"CANCELED": "TERMINATED", "TIMED_OUT": "TIMED_OUT"}


def retry(core: Core, execution: Execution, row: TaskRow) -> TaskRow | None:
    """The next attempt of a task that went wrong. None if the workflow goes on without.

    Raises:
        WorkflowHalted: There is no further attempt, and the workflow fails with it.
    """
    definition = row.definition or core.metadata.task_definition(row.task_def_name)
    if _is_exhausted(definition, row) or definition is None:
        if row.optional or row.permissive:
            return None
        status = _ENDS.get(row.status, "FAILED")
        update_output(core, execution, row)
        msg = f"Task {row.task_id} failed with status: {status} and reason: '{_shown(row.reason)}'"
        raise WorkflowHalted(msg, status, row)
    _check_budget(core, execution, definition, row)
    delay = _delay(definition, row.retry_count)
    jitter = core.ids.random.randint(0, definition.jitter_ms) if definition.jitter_ms > 0 else 0
    row.retried = True
    attempt = fresh_attempt(core, row)
    attempt.start_delay = delay
    attempt.callback_after = delay
    attempt.callback_after_ms = delay * 1000 + jitter
    attempt.reason = row.reason
    if row.spec is not None:
        values = evaluate(core, execution, row.spec.input_parameters, definition=definition, task_id=attempt.task_id)
        attempt.input = {**attempt.input, **values}
    return attempt


def fresh_attempt(core: Core, row: TaskRow) -> TaskRow:
    """A row for the next attempt of a task: as if it had just been made."""
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


def _is_exhausted(definition: TaskDefinition | None, row: TaskRow) -> bool:
    if definition is None:
        allowed = 0
    elif row.spec is not None and row.spec.retry_count is not None:
        allowed = row.spec.retry_count
    else:
        allowed = definition.retry_count
    return row.status not in RETRIABLE or row.task_type in _BUILT_IN or allowed <= row.retry_count


def _check_budget(core: Core, execution: Execution, definition: TaskDefinition, row: TaskRow) -> None:
    """The total timeout spans all attempts: when it is used up there is none any more."""
    if definition.total_timeout <= 0 or row.first_scheduled_time <= 0:
        return
    elapsed = (core.now() - row.first_scheduled_time) // 1000
    if elapsed < definition.total_timeout:
        return
    update_output(core, execution, row)
    msg = (
        f"Task {row.task_id}/{row.task_def_name} exceeded total timeout of {definition.total_timeout} seconds "
        f"(elapsed {elapsed} seconds across all attempts). No further retries will be attempted."
    )
    raise WorkflowHalted(msg, "TIMED_OUT" if row.status == "TIMED_OUT" else "FAILED", row)


def _delay(definition: TaskDefinition, retry_count: int) -> int:
    """Seconds until the next attempt."""
    delay = definition.retry_delay
    if definition.retry_logic == "LINEAR_BACKOFF":
        delay *= definition.backoff_scale * (retry_count + 1)
    elif definition.retry_logic == "EXPONENTIAL_BACKOFF":
        delay *= 2 ** min(retry_count, 31)
    delay = min(delay, _LONGEST)
    return min(delay, definition.max_retry_delay) if definition.max_retry_delay > 0 else delay


def _shown(reason: str | None) -> str:
    return "null" if reason is None else reason

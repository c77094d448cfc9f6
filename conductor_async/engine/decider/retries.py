"""Whether a failed task gets another attempt, after which delay, and with which input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.decider.output import update_output
from conductor_async.engine.errors import WorkflowHalted
from conductor_async.engine.rows.inputs import evaluate
from conductor_async.engine.rows.making import next_attempt
from conductor_async.engine.state.task_row import RETRIABLE

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.task_definition import TaskDefinition
    from conductor_async.engine.state.task_row import TaskRow

__all__ = ["retry"]

_NEVER_RETRIED = frozenset({"DECISION", "SWITCH", "FORK", "JOIN", "EXCLUSIVE_JOIN", "DO_WHILE"})
_MAX_DELAY = 2**31 - 1  # the server computes with 32-bit integers
_WORKFLOW_STATUS = {"CANCELED": "TERMINATED", "TIMED_OUT": "TIMED_OUT"}


def retry(core: Core, execution: Execution, row: TaskRow) -> TaskRow | None:
    """Returns the next attempt of a task that failed; None if the workflow continues without one.

    Raises:
        WorkflowHalted: There is no further attempt, and the workflow fails with the task.
    """
    definition = row.definition or core.metadata.task_definition(row.task_def_name)
    if _is_exhausted(definition, row) or definition is None:
        if row.optional or row.permissive:
            return None
        status = _WORKFLOW_STATUS.get(row.status, "FAILED")
        update_output(core, execution, row)
        reason = "null" if row.reason is None else row.reason
        msg = f"Task {row.task_id} failed with status: {status} and reason: '{reason}'"
        raise WorkflowHalted(msg, status, row.task_id)
    _check_total_timeout(core, execution, definition, row)
    delay = _delay(definition, row.retry_count)
    jitter = core.ids.random.randint(0, definition.jitter_ms) if definition.jitter_ms > 0 else 0
    row.retried = True
    attempt = next_attempt(core, row)
    attempt.start_delay = delay
    attempt.callback_after = delay
    attempt.callback_after_ms = delay * 1000 + jitter
    attempt.reason = row.reason
    if row.spec is not None:
        values = evaluate(core, execution, row.spec.input_parameters, definition=definition, task_id=attempt.task_id)
        attempt.input = {**attempt.input, **values}
    return attempt


def _is_exhausted(definition: TaskDefinition | None, row: TaskRow) -> bool:
    if definition is None:
        allowed = 0
    elif row.spec is not None and row.spec.retry_count is not None:
        allowed = row.spec.retry_count
    else:
        allowed = definition.retry_count
    return row.status not in RETRIABLE or row.task_type in _NEVER_RETRIED or allowed <= row.retry_count


def _check_total_timeout(core: Core, execution: Execution, definition: TaskDefinition, row: TaskRow) -> None:
    """Halts the workflow if the total timeout, which spans all attempts, is over."""
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
    raise WorkflowHalted(msg, "TIMED_OUT" if row.status == "TIMED_OUT" else "FAILED", row.task_id)


def _delay(definition: TaskDefinition, retry_count: int) -> int:
    """Returns the delay before the next attempt, in seconds."""
    delay = definition.retry_delay
    if definition.retry_logic == "LINEAR_BACKOFF":
        delay *= definition.backoff_scale * (retry_count + 1)
    elif definition.retry_logic == "EXPONENTIAL_BACKOFF":
        delay *= 2 ** min(retry_count, 31)
    delay = min(delay, _MAX_DELAY)
    return min(delay, definition.max_retry_delay) if definition.max_retry_delay > 0 else delay

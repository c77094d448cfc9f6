"""Timers for timeouts: a row or an execution is checked when the first of its timeouts may be over.

The server checks open tasks every few seconds. Here a timer fires at the exact moment, and the decider then checks the
row by the server's rules: see `decider.timeouts`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.rows.kind import system_kind
from conductor_async.engine.state.task_row import TERMINAL

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.task_definition import TaskDefinition
    from conductor_async.engine.state.task_row import TaskRow

__all__ = ["response_due", "set_timeout_timer", "set_workflow_timer"]


def set_timeout_timer(core: Core, row: TaskRow) -> None:
    """Sets a timer for the first timeout of a row, unless an earlier one is set."""
    due = _first_due(row)
    if due is not None and (row.next_check == 0 or due < row.next_check or row.next_check <= core.now()):
        row.next_check = max(due, core.now() + 1)
        core.timers.add(row.next_check, "timeout", row.task_id)


def set_workflow_timer(core: Core, execution: Execution) -> None:
    """Sets a timer for the timeout of an execution, if its definition has one."""
    definition = execution.definition
    if definition.timeout > 0 and definition.timeout_policy == "TIME_OUT_WF":
        since = execution.last_retried_time or execution.create_time
        core.timers.add(since + definition.timeout * 1000, "workflow", execution.workflow_id)


def response_due(definition: TaskDefinition, row: TaskRow) -> int | None:
    """Returns when the response timeout of a row is over; None if nobody has to report the row."""
    if row.status != "IN_PROGRESS" or definition.response_timeout == 0 or row.task_type == "JOIN":
        return None  # the server updates its JOINs all the time, so that they never time out
    kind = system_kind(row)
    if kind is not None and kind.is_async_complete(row):
        return None
    return row.update_time + (definition.response_timeout + row.callback_after) * 1000


def _first_due(row: TaskRow) -> int | None:
    """Returns when the first timeout that has a consequence may be over."""
    definition = row.definition
    if definition is None or row.status in TERMINAL:
        return None
    due: list[int] = []
    if definition.timeout_policy != "ALERT_ONLY":
        if definition.total_timeout > 0 and row.first_scheduled_time > 0:
            due.append(row.first_scheduled_time + definition.total_timeout * 1000)
        if definition.timeout > 0 and row.start_time > 0:
            due.append(row.start_time + (row.start_delay + definition.timeout) * 1000)
        if definition.poll_timeout > 0 and row.status == "SCHEDULED":
            wait = row.start_delay + definition.poll_timeout + row.callback_after
            due.append(row.scheduled_time + wait * 1000)
    response = response_due(definition, row)
    if response is not None:
        due.append(response)
    return min(due, default=None)

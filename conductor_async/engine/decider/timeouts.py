"""The timeouts of tasks (total, run, poll, response) and of workflows, checked by the server's rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.errors import WorkflowHalted
from conductor_async.engine.rows.timeout_timers import response_due
from conductor_async.engine.state.task_row import TERMINAL

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.task_definition import TaskDefinition
    from conductor_async.engine.state.task_row import TaskRow

__all__ = ["check_task", "check_workflow"]


def check_workflow(core: Core, execution: Execution) -> None:
    """Checks the timeout of an execution.

    Raises:
        WorkflowHalted: It is over.
    """
    definition = execution.definition
    if definition.timeout <= 0 or definition.timeout_policy != "TIME_OUT_WF":
        return
    elapsed = core.now() - (execution.last_retried_time or execution.create_time)
    if elapsed >= definition.timeout * 1000:
        msg = (
            f"Workflow timed out after {elapsed // 1000} seconds. Timeout configured as {definition.timeout} seconds. "
            f"Timeout policy configured to {definition.timeout_policy}"
        )
        raise WorkflowHalted(msg, "TIMED_OUT")


def check_task(core: Core, row: TaskRow) -> None:
    """Sets a row to TIMED_OUT if one of its timeouts is over.

    Raises:
        WorkflowHalted: The timeout policy ends the workflow.
    """
    definition = row.definition
    if definition is None or row.status in TERMINAL:
        return
    now = core.now()
    _check_total(definition, row, now)
    _check_run(definition, row, now)
    _check_poll(definition, row, now)
    response = response_due(definition, row)
    if response is not None and now >= response:
        row.status = "TIMED_OUT"
        row.reason = (
            f"responseTimeout: {definition.response_timeout} exceeded for the taskId: {row.task_id} "
            f"with Task Definition: {row.task_def_name}"
        )


def _check_total(definition: TaskDefinition, row: TaskRow, now: int) -> None:
    if definition.total_timeout <= 0 or row.status in TERMINAL or row.first_scheduled_time <= 0:
        return
    elapsed = (now - row.first_scheduled_time) // 1000
    if elapsed >= definition.total_timeout:
        reason = (
            f"Task {row.task_def_name}/{row.task_id} exceeded total timeout of {definition.total_timeout} seconds "
            f"(elapsed {elapsed} seconds across all attempts including retry delays). "
            f"Timeout policy: {definition.timeout_policy}"
        )
        _time_out(definition, row, reason)


def _check_run(definition: TaskDefinition, row: TaskRow, now: int) -> None:
    if definition.timeout <= 0 or row.status in TERMINAL or row.start_time <= 0:
        return
    elapsed = now - (row.start_time + row.start_delay * 1000)
    if elapsed >= definition.timeout * 1000:
        reason = (
            f"Task timed out after {elapsed // 1000} seconds. Timeout configured as {definition.timeout} seconds. "
            f"Timeout policy configured to {definition.timeout_policy}"
        )
        _time_out(definition, row, reason)


def _check_poll(definition: TaskDefinition, row: TaskRow, now: int) -> None:
    if definition.poll_timeout <= 0 or row.status != "SCHEDULED":
        return
    elapsed = now - (row.scheduled_time + row.start_delay * 1000)
    if elapsed >= (definition.poll_timeout + row.callback_after) * 1000:
        reason = (
            f"Task poll timed out after {elapsed // 1000} seconds. "
            f"Poll timeout configured as {definition.poll_timeout} seconds. "
            f"Timeout policy configured to {definition.timeout_policy}"
        )
        _time_out(definition, row, reason)


def _time_out(definition: TaskDefinition, row: TaskRow, reason: str) -> None:
    if definition.timeout_policy == "ALERT_ONLY":
        return
    row.status = "TIMED_OUT"
    row.reason = reason
    if definition.timeout_policy == "TIME_OUT_WF":
        raise WorkflowHalted(reason, "TIMED_OUT", row.task_id)

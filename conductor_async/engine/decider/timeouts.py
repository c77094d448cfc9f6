"""Every timeout: of a task, of its attempts together, of the worker's silence, of the queue, of the workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.errors import WorkflowHalted
from conductor_async.engine.state.execution import TERMINAL
from conductor_async.engine.task_kinds.base import system_kind

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.definition import TaskDefinition
    from conductor_async.engine.state.execution import Execution, TaskRow

__all__ = ["check_task", "check_workflow", "watch", "watch_workflow"]


def watch(core: Core, row: TaskRow) -> None:
    """Let a timer look at the row when the first of its timeouts may be due."""
    due = _first_due(row)
    if due is not None and (row.next_check == 0 or due < row.next_check or row.next_check <= core.now()):
        row.next_check = max(due, core.now() + 1)
        core.timers.add(row.next_check, "timeout", row.task_id)


def watch_workflow(core: Core, execution: Execution) -> None:
    """Let a timer look at the execution when its time is up."""
    definition = execution.definition
    if definition.timeout > 0 and definition.timeout_policy == "TIME_OUT_WF":
        since = execution.last_retried_time or execution.create_time
        core.timers.add(since + definition.timeout * 1000, "workflow", execution.workflow_id)


def check_workflow(core: Core, execution: Execution) -> None:
    """Raise `WorkflowHalted` if the execution has taken too long."""
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
    """Time the attempt out if one of its times is up. Raises `WorkflowHalted` if the policy says so."""
    definition = row.definition
    if definition is None or row.status in TERMINAL:
        return
    now = core.now()
    _check_total(definition, row, now)
    _check_run(definition, row, now)
    _check_poll(definition, row, now)
    if _is_silent(definition, row) and now - row.update_time >= _silence_ms(definition, row):
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
        raise WorkflowHalted(reason, "TIMED_OUT", row)


def _is_silent(definition: TaskDefinition, row: TaskRow) -> bool:
    """Whether somebody ought to report this row, who has not yet."""
    if row.status != "IN_PROGRESS" or definition.response_timeout == 0 or row.task_type == "JOIN":
        return False  # the server looks at its JOINs all the time, which counts as a sign of life
    kind = system_kind(row)
    return kind is None or not kind.is_async_complete(row)


def _silence_ms(definition: TaskDefinition, row: TaskRow) -> int:
    return (definition.response_timeout + row.callback_after) * 1000


def _first_due(row: TaskRow) -> int | None:
    """When the first timeout may be due that does something."""
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
    if _is_silent(definition, row):
        due.append(row.update_time + _silence_ms(definition, row))
    return min(due, default=None)

"""Tasks that wait: WAIT for a time or a signal, HUMAN for a person, PULL_WORKFLOW_MESSAGES for messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async._language.wait_times import WaitTimeError, parse_duration, parse_until
from conductor_async.engine.errors import Invalid
from conductor_async.engine.expressions.java_values import as_java_string
from conductor_async.engine.rows.kind import TaskKind

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.rows.kind import RowFactory
    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.task_row import TaskRow
    from conductor_async.models import JsonValue

__all__ = ["HumanKind", "PullWorkflowMessagesKind", "WaitKind"]

_FOR_EVER = 2**31 - 1  # Integer.MAX_VALUE, which the server shows as callbackAfterSeconds
_MAX_MESSAGES = 100
_RECHECK_SECONDS = 30


class _InProgress(TaskKind):
    """A task whose row is in progress from the start."""

    def rows(self, factory: RowFactory) -> list[TaskRow]:
        """Returns one row in progress."""
        task_id = factory.core.ids.new()
        values = factory.input(None, task_id)
        return [factory.started_row(task_id=task_id, input=values)]


class WaitKind(_InProgress):
    """Waits for a duration, until a time, or until somebody completes the task."""

    type = "WAIT"
    is_async = True

    def rows(self, factory: RowFactory) -> list[TaskRow]:
        """Returns one row with the time at which it completes.

        Raises:
            Invalid: The duration cannot be parsed, which on the server fails the request too.
        """
        (row,) = super().rows(factory)
        now = factory.core.now()
        duration, until = _text(row.input.get("duration")), _text(row.input.get("until"))
        if duration and until:
            row.status = "FAILED_WITH_TERMINAL_ERROR"
            row.reason = "Both 'duration' and 'until' specified. Please provide only one input"
        elif duration:
            try:
                row.callback_after = parse_duration(duration)
            except WaitTimeError as error:
                raise Invalid(str(error)) from None
            row.wait_until = now + row.callback_after * 1000
        elif until:
            try:
                row.wait_until = parse_until(until)
            except WaitTimeError as error:
                row.status = "FAILED_WITH_TERMINAL_ERROR"
                row.reason = str(error)
            else:
                row.callback_after = max((row.wait_until - now) // 1000, 0)
        else:
            row.callback_after = _FOR_EVER
        return [row]

    def delay_ms(self, core: Core, row: TaskRow) -> int | None:
        """Returns the delay until its time."""
        if row.status == "SCHEDULED":
            return super().delay_ms(core, row)  # another attempt
        return max(row.wait_until - core.now(), 0) if row.wait_until else None

    def start(self, core: Core, execution: Execution, row: TaskRow) -> None:
        """Waits again, as another attempt. The time at which it completes stays the same."""
        row.status = "IN_PROGRESS"
        row.callback_after = max((row.wait_until - core.now()) // 1000, 1) if row.wait_until else _RECHECK_SECONDS
        if row.wait_until:
            core.timers.add(max(row.wait_until, core.now()), "run", row.task_id)

    def execute(self, core: Core, execution: Execution, row: TaskRow) -> bool:
        """Completes the task at its time."""
        if row.wait_until == 0 or core.now() < row.wait_until:
            return False
        row.status = "COMPLETED"
        return True


def _text(value: JsonValue) -> str:
    text = "" if value is None else as_java_string(value)
    return text if text.strip() else ""


class HumanKind(_InProgress):
    """Waits until a person completes the task."""

    type = "HUMAN"

    def start(self, core: Core, execution: Execution, row: TaskRow) -> None:
        """Waits, as another attempt."""
        row.status = "IN_PROGRESS"


class PullWorkflowMessagesKind(_InProgress):
    """Receives messages that were sent to the execution."""

    type = "PULL_WORKFLOW_MESSAGES"
    is_async = True

    def execute(self, core: Core, execution: Execution, row: TaskRow) -> bool:
        """Takes up to `batchSize` messages. Without any, it waits unless `blocking` is false."""
        size = row.input.get("batchSize")
        count = min(max(size if isinstance(size, int) and not isinstance(size, bool) else 1, 1), _MAX_MESSAGES)
        waiting = core.store.messages.get(execution.workflow_id, [])
        taken, waiting[:count] = waiting[:count], []
        blocking = row.input.get("blocking")
        if not taken and (blocking if isinstance(blocking, bool) else True):
            return False
        row.output = {**row.output, "messages": taken, "count": len(taken)}
        row.status = "COMPLETED"
        return True

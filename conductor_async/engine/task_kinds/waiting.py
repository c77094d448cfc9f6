"""Tasks that wait: WAIT for a time or for ever, HUMAN for a person, PULL_WORKFLOW_MESSAGES for messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async._language.wait_times import WaitTimeError, parse_duration, parse_until
from conductor_async.engine.errors import Invalid
from conductor_async.engine.expressions.java_values import as_java_string
from conductor_async.engine.task_kinds.base import TaskKind

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.execution import Execution, TaskRow
    from conductor_async.engine.task_kinds.base import Place
    from conductor_async.models import JsonValue

__all__ = ["HumanKind", "PullWorkflowMessagesKind", "WaitKind"]

_FOR_EVER = 2**31 - 1
_MOST_MESSAGES = 100
_LOOKED_AT_AGAIN = 30


class _InProgress(TaskKind):
    """A row that is in progress from the start, with its input evaluated."""

    def rows(self, place: Place) -> list[TaskRow]:
        """One row."""
        task_id = place.core.ids.new()
        values = place.input(None, task_id)
        return [place.row("IN_PROGRESS", task_id=task_id, input=values, start_time=place.core.now())]


class WaitKind(_InProgress):
    """Waits for a duration, until a time, or until somebody completes it."""

    type = "WAIT"
    is_async = True

    def rows(self, place: Place) -> list[TaskRow]:
        """One row that knows its time. Raises `Invalid` for a duration that is none, as the server does."""
        (row,) = super().rows(place)
        now = place.core.now()
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
        """Until its time comes."""
        if row.status == "SCHEDULED":
            return super().delay_ms(core, row)  # another attempt
        return max(row.wait_until - core.now(), 0) if row.wait_until else None

    def start(self, core: Core, execution: Execution, row: TaskRow) -> None:
        """Wait again: the time that was to come stays the same."""
        row.status = "IN_PROGRESS"
        row.callback_after = max((row.wait_until - core.now()) // 1000, 1) if row.wait_until else _LOOKED_AT_AGAIN
        if row.wait_until:
            core.timers.add(max(row.wait_until, core.now()), "run", row.task_id)

    def execute(self, core: Core, execution: Execution, row: TaskRow) -> bool:
        """End when the time has come."""
        if row.wait_until == 0 or core.now() < row.wait_until:
            return False
        row.status = "COMPLETED"
        return True


def _text(value: JsonValue) -> str:
    text = "" if value is None else as_java_string(value)
    return text if text.strip() else ""


class HumanKind(_InProgress):
    """Waits for a person."""

    type = "HUMAN"

    def start(self, core: Core, execution: Execution, row: TaskRow) -> None:
        """Wait. For another attempt that is what begins it."""
        row.status = "IN_PROGRESS"


class PullWorkflowMessagesKind(_InProgress):
    """Takes messages that were sent to the execution."""

    type = "PULL_WORKFLOW_MESSAGES"
    is_async = True

    def execute(self, core: Core, execution: Execution, row: TaskRow) -> bool:
        """Take what is there; wait if there is nothing and the task is to block."""
        size = row.input.get("batchSize")
        count = min(max(size if isinstance(size, int) and not isinstance(size, bool) else 1, 1), _MOST_MESSAGES)
        waiting = core.store.messages.get(execution.workflow_id, [])
        taken, waiting[:count] = waiting[:count], []
        blocking = row.input.get("blocking")
        if not taken and (blocking if isinstance(blocking, bool) else True):
            return False
        row.output = {**row.output, "messages": taken, "count": len(taken)}
        row.status = "COMPLETED"
        return True

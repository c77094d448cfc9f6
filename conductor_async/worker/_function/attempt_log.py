"""Logs failed attempts at tasks, so that a worker's exception shows where the worker runs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from conductor_async.errors import PayloadError
from conductor_async.models import TaskResultStatus
from conductor_async.worker._function.input_validator import InputValidationError
from conductor_async.worker._function.task_results import user_traceback

if TYPE_CHECKING:
    from types import TracebackType

    from conductor_async.models import Task, TaskDef, TaskResult

logger = logging.getLogger("conductor_async")

_MAX_KINDS: Final = 1_000
_EXPLAINED_BY_MESSAGE: Final = (InputValidationError, PayloadError)


class AttemptLog:
    """Logs each failed attempt of one worker, with the traceback once for each kind; with DEBUG each time.

    Two exceptions are of one kind if they have the same type and were raised by the same line.

    Args:
        worker: The worker's name.
        given: The definition that the worker was declared with, for tasks that come without theirs.
    """

    __slots__ = ("_given", "_kinds", "_worker")

    def __init__(self, worker: str, given: TaskDef | None) -> None:
        self._worker = worker
        self._given = given
        self._kinds: set[object] = set()

    def record(self, task: Task, result: TaskResult, error: BaseException | None) -> None:
        """Logs the attempt, if it failed."""
        is_terminal = result.status == TaskResultStatus.FAILED_WITH_TERMINAL_ERROR
        if not is_terminal and result.status != TaskResultStatus.FAILED:
            return
        attempt, is_last = self._attempt(task, is_terminal)
        logger.log(
            logging.ERROR if is_last else logging.WARNING,
            "Worker %r failed on task %s of workflow %s (%s): %s",
            self._worker,
            task.task_id,
            task.workflow_instance_id,
            attempt,
            result.reason_for_incompletion or "no reason given",
            exc_info=None if error is None else self._exc_info(error),
        )

    def _attempt(self, task: Task, is_terminal: bool) -> tuple[str, bool]:
        """Returns which attempt it was and when the next one comes; and whether there is none."""
        number = task.retry_count + 1
        spec = task.workflow_task
        definition = task.task_definition or (spec.task_definition if spec is not None else None) or self._given
        most = spec.retry_count if spec is not None and spec.retry_count is not None else None
        if most is None and definition is not None:
            most = definition.retry_count
        text = f"attempt {number}" if most is None else f"attempt {number} of {max(most + 1, number)}"
        if is_terminal:
            return f"{text}, no further one: the failure is final", True
        if most is None:
            return f"{text}; retried as the task's definition says", False
        if number > most:
            return f"{text}, the last one", True
        return (text if definition is None else f"{text}, the next one in {_delay(definition, task)} s"), False

    def _exc_info(self, error: BaseException) -> tuple[type[BaseException], BaseException, TracebackType | None] | None:
        if isinstance(error, _EXPLAINED_BY_MESSAGE):
            return None
        trace = innermost = user_traceback(error)
        while innermost is not None and innermost.tb_next is not None:
            innermost = innermost.tb_next
        place = (innermost.tb_frame.f_code, innermost.tb_lineno) if innermost is not None else None
        kind = (type(error), place)
        is_new = kind not in self._kinds and len(self._kinds) < _MAX_KINDS
        self._kinds |= {kind} if is_new else set()
        return (type(error), error, trace) if is_new or logger.isEnabledFor(logging.DEBUG) else None


def _delay(definition: TaskDef, task: Task) -> int:
    """Returns the seconds until the next attempt, without the jitter."""
    delay = definition.retry_delay_seconds
    if definition.retry_logic == "LINEAR_BACKOFF":
        delay *= definition.backoff_scale_factor * (task.retry_count + 1)
    elif definition.retry_logic == "EXPONENTIAL_BACKOFF":
        delay *= 2 ** min(task.retry_count, 31)
    longest = definition.max_retry_delay_seconds
    return min(delay, longest) if longest > 0 else delay

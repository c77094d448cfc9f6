"""The lines of a task's log, kept until its result is delivered: as many as a result should carry."""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import Final

from conductor_async.errors import ConfigurationError
from conductor_async.models import TaskExecLog

FIRST_LINES: Final = 500
LAST_LINES: Final = 500
LONGEST_LINE: Final = 4_000  # characters


class TaskLog:
    """Lines with their times. Of too many, the first and the last are kept. Threads may add to it.

    Args:
        task_id: Whose log it is.
    """

    __slots__ = ("_dropped", "_first", "_last", "_task_id")

    def __init__(self, task_id: str) -> None:
        self._task_id = task_id
        self._first: list[TaskExecLog] = []
        self._last: deque[TaskExecLog] | None = None
        self._dropped = 0

    def add(self, text: str, at: float | None = None) -> None:
        """Adds a line, cut if it is too long. `at` is its time in seconds, by default now."""
        if len(text) > LONGEST_LINE:
            text = f"{text[:LONGEST_LINE]}… ({len(text) - LONGEST_LINE} more characters)"
        # The server wants milliseconds.
        when = time.time_ns() // 1_000_000 if at is None else int(at * 1000)
        line = TaskExecLog(log=text, task_id=self._task_id, created_time=when)
        if len(self._first) < FIRST_LINES:
            self._first.append(line)
            return
        if self._last is None:
            self._last = deque(maxlen=LAST_LINES)
        self._dropped += len(self._last) == LAST_LINES
        self._last.append(line)

    def lines(self) -> list[TaskExecLog]:
        """What is kept, and between first and last a line that says how many are not."""
        last = list(self._last or ())
        if not self._dropped:
            return self._first + last
        gap = TaskExecLog(
            log=f"… {self._dropped} lines are left out …", task_id=self._task_id, created_time=last[0].created_time
        )
        return [*self._first, gap, *last]


def checked_log_level(level: int | str | None) -> int | None:
    """A level of the standard library's, by number or name.

    Raises:
        ConfigurationError: There is no such level.
    """
    if level is None or (isinstance(level, int) and not isinstance(level, bool)):
        return level
    number = logging.getLevelNamesMapping().get(level.upper()) if isinstance(level, str) else None
    if number is None:
        raise ConfigurationError(f"task_log_level is a level of logging, such as 'INFO', not {level!r}")
    return number

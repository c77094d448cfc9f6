"""The log lines of a task, buffered until its result is sent."""

from __future__ import annotations

import time
from collections import deque
from typing import Final

from conductor_async.models import TaskExecLog

MAX_FIRST_LINES: Final = 500
MAX_LAST_LINES: Final = 500
MAX_LINE_LENGTH: Final = 4_000  # characters


class TaskLog:
    """A bounded buffer of log lines: of too many, it keeps the first and the last. Threads may add to it.

    Args:
        task_id: The task's id.
    """

    __slots__ = ("_dropped", "_first", "_last", "_task_id")

    def __init__(self, task_id: str) -> None:
        self._task_id = task_id
        self._first: list[TaskExecLog] = []
        self._last: deque[TaskExecLog] | None = None
        self._dropped = 0

    def add(self, text: str, at: float | None = None) -> None:
        """Adds a line, truncated if it is too long. `at` is its Unix time in seconds, by default now."""
        if len(text) > MAX_LINE_LENGTH:
            text = f"{text[:MAX_LINE_LENGTH]}… ({len(text) - MAX_LINE_LENGTH} more characters)"
        created = time.time_ns() // 1_000_000 if at is None else int(at * 1000)  # the server's unit: milliseconds
        line = TaskExecLog(log=text, task_id=self._task_id, created_time=created)
        if len(self._first) < MAX_FIRST_LINES:
            self._first.append(line)
            return
        if self._last is None:
            self._last = deque(maxlen=MAX_LAST_LINES)
        self._dropped += len(self._last) == MAX_LAST_LINES
        self._last.append(line)

    def lines(self) -> list[TaskExecLog]:
        """Returns the kept lines. If some were dropped, a line in their place says how many."""
        last = list(self._last or ())
        if not self._dropped:
            return self._first + last
        gap = TaskExecLog(
            log=f"… {self._dropped} lines dropped …", task_id=self._task_id, created_time=last[0].created_time
        )
        return [*self._first, gap, *last]

"""Monitors the event loop from a thread: how late it is, and what blocks it."""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

from conductor_async.worker._event_loop import threadsafe_call_soon
from conductor_async.worker._function.annotations import unwrap
from conductor_async.worker.events import EventLoopBlocked

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from types import CodeType, FrameType

    from conductor_async.worker._event_loop import CallSoon
    from conductor_async.worker._listeners import Listeners
    from conductor_async.worker.decorator import AnyWorker

logger = logging.getLogger("conductor_async")

_INTERVAL = 0.5
"""Seconds between two checks whether the loop runs."""

BLOCKED = 0.5
"""Seconds without an answer after which the loop counts as blocked. Polls and leases suffer only after much more."""

_LATE = 0.1
"""Seconds by which this thread wakes too late if the machine is busy with other processes."""


class LoopMonitor:
    """Asks the event loop from a thread whether it runs. If it does not answer, finds out what blocks it.

    Args:
        workers: The workers that may block it.
        worker_id: The worker id of its events.
        listeners: Receive its events.

    Attributes:
        lag: Seconds that the loop took for its last answer.
        longest_lag: The most seconds that it took.
    """

    def __init__(self, workers: Iterable[AnyWorker], worker_id: str, listeners: Listeners) -> None:
        self._by_code: dict[CodeType, str] = {}
        for worker in workers:
            if code := getattr(unwrap(worker.function), "__code__", None):
                self._by_code[code] = worker.task_definition_name
        self._worker_id = worker_id
        self._listeners = listeners
        self._reported: set[str | None] = set()
        self._stopped = threading.Event()
        self.lag = 0.0
        self.longest_lag = 0.0

    @contextmanager
    def monitoring(self) -> Generator[None]:
        """Monitors the running loop while the context is open."""
        call_soon = threadsafe_call_soon()
        loop_thread = threading.get_ident()
        self._stopped.clear()
        thread = threading.Thread(
            target=self._monitor, args=(call_soon, loop_thread), name="conductor_async-loop-monitor", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            self._stopped.set()

    def find_blocker(self) -> tuple[str | None, str]:
        """Returns the worker that the main thread runs, if it runs one, and the stack. For other threads."""
        frame = sys._current_frames().get(threading.main_thread().ident or 0)
        return (None, "") if frame is None else (self._worker_at(frame), "".join(traceback.format_stack(frame)))

    def _monitor(self, call_soon: CallSoon, loop_thread: int) -> None:
        while not self._stopped.wait(_INTERVAL):
            answered = threading.Event()
            asked_at = time.monotonic()
            try:
                call_soon(answered.set)
            except RuntimeError:  # the loop has ended (trio.RunFinishedError is a RuntimeError)
                return
            if not _answers_in_time(answered):
                self._report(asked_at, sys._current_frames().get(loop_thread), call_soon)
                while not answered.wait(_INTERVAL):
                    if self._stopped.is_set():
                        return
                    self.lag = time.monotonic() - asked_at
            self.lag = time.monotonic() - asked_at
            self.longest_lag = max(self.lag, self.longest_lag)

    def _report(self, asked_at: float, frame: FrameType | None, call_soon: CallSoon) -> None:
        if frame is None:
            return
        name = self._worker_at(frame)
        if name in self._reported:
            return
        self._reported.add(name)
        seconds = time.monotonic() - asked_at
        stack = "".join(traceback.format_stack(frame))
        if name is None:
            who, advice = "Something other than a worker", "Polls, leases and results wait for it"
        else:
            who, advice = f"The worker {name!r}", "Write it as a plain `def`, which runs in a thread"
        logger.warning("%s has blocked the event loop for %.1f s. %s. It is at:\n%s", who, seconds, advice, stack)
        if self._listeners:
            event = EventLoopBlocked(self._worker_id, name, seconds, stack)
            call_soon(lambda: self._listeners.emit(event))

    def _worker_at(self, frame: FrameType | None) -> str | None:
        while frame is not None:
            if (name := self._by_code.get(frame.f_code)) is not None:
                return name
            frame = frame.f_back
        return None


def _answers_in_time(answered: threading.Event) -> bool:
    """Returns whether the loop answers before it counts as blocked.

    If this thread gets no time either, and the process has used none, the machine is busy with other processes. Then
    nothing in this process is to blame, and the time does not count.
    """
    while True:
        began, used = time.monotonic(), time.process_time()
        if answered.wait(BLOCKED):
            return True
        passed = time.monotonic() - began
        if passed < BLOCKED + _LATE or time.process_time() - used > passed / 2:
            return False

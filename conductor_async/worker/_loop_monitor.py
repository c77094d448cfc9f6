"""A thread that watches the event loop: how late it is, and who keeps it from running."""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

from conductor_async.worker._event_loop import call_soon_from_anywhere
from conductor_async.worker._function.arguments import underlying
from conductor_async.worker.events import LoopBlocked

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from types import CodeType, FrameType

    from conductor_async.worker._event_loop import CallSoon
    from conductor_async.worker.decorator import AnyWorker
    from conductor_async.worker.events import Listeners

logger = logging.getLogger("conductor_async")

_EVERY = 0.5
"""Seconds from one question whether the loop runs to the next."""

BLOCKED = 0.5
"""Seconds without an answer, and the loop counts as blocked. Polls and leases suffer from much more than that."""

_LATE = 0.1
"""Seconds by which this thread wakes too late, and something keeps it from running, too."""


class LoopMonitor:
    """Asks the event loop, from a thread, whether it runs; if it does not, finds out why.

    Args:
        workers: Who may be to blame.
        worker_id: Whose events these are.
        listeners: Who is told.

    Attributes:
        lag: Seconds that the loop took for its last answer.
        longest_lag: The most that it took.
    """

    def __init__(self, workers: Iterable[AnyWorker], worker_id: str, listeners: Listeners) -> None:
        self._by_code: dict[CodeType, str] = {}
        for worker in workers:
            if code := getattr(underlying(worker.function), "__code__", None):
                self._by_code[code] = worker.task_definition_name
        self._worker_id = worker_id
        self._listeners = listeners
        self._named: set[str | None] = set()
        self._ended = threading.Event()
        self.lag = 0.0
        self.longest_lag = 0.0

    @contextmanager
    def on_guard(self) -> Generator[None]:
        """Watches the running loop while the context is open."""
        call_soon = call_soon_from_anywhere()
        loop_thread = threading.get_ident()
        self._ended.clear()
        thread = threading.Thread(
            target=self._watch, args=(call_soon, loop_thread), name="conductor_async-guardian", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            self._ended.set()

    def _watch(self, call_soon: CallSoon, loop_thread: int) -> None:
        while not self._ended.wait(_EVERY):
            answered = threading.Event()
            asked_at = time.monotonic()
            try:
                call_soon(answered.set)
            except RuntimeError:  # trio.RunFinishedError is one: the loop has ended, and we with it
                return
            if not _answers_in_time(answered):
                self._blocked(asked_at, sys._current_frames().get(loop_thread), call_soon)
                while not answered.wait(_EVERY):
                    if self._ended.is_set():
                        return
                    self.lag = time.monotonic() - asked_at
            self.lag = time.monotonic() - asked_at
            self.longest_lag = max(self.lag, self.longest_lag)

    def _blocked(self, asked_at: float, frame: FrameType | None, call_soon: CallSoon) -> None:
        if frame is None:
            return
        name = self._to_blame(frame)
        if name in self._named:
            return
        self._named.add(name)
        seconds = time.monotonic() - asked_at
        stack = "".join(traceback.format_stack(frame))
        if name is None:
            who, advice = "Something that is no worker", "Polls, leases and results wait for it"
        else:
            who, advice = f"The worker {name!r}", "Write it as a plain `def`: that runs in a thread"
        logger.warning("%s blocks the event loop, for %.1f s so far. %s. It is at:\n%s", who, seconds, advice, stack)
        if self._listeners:
            event = LoopBlocked(self._worker_id, name, seconds, stack)
            call_soon(lambda: self._listeners.tell(event))

    def _to_blame(self, frame: FrameType | None) -> str | None:
        while frame is not None:
            if (name := self._by_code.get(frame.f_code)) is not None:
                return name
            frame = frame.f_back
        return None


def _answers_in_time(answered: threading.Event) -> bool:
    """Whether the loop answers before it counts as blocked.

    When this thread gets no time either, and the process has not used any, the machine is busy with others: then nobody
    here is to blame, and the time does not count.
    """
    while True:
        began, used = time.monotonic(), time.process_time()
        if answered.wait(BLOCKED):
            return True
        passed = time.monotonic() - began
        if passed < BLOCKED + _LATE or time.process_time() - used > passed / 2:
            return False

"""SIGINT and SIGTERM, for hosts that are asked to handle them."""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from conductor_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import FrameType

    from conductor_async.worker._event_loop import CallSoon

_STOP_SIGNALS = (signal.SIGINT,) if sys.platform == "win32" else (signal.SIGINT, signal.SIGTERM)

_TIME_TO_ANSWER = 2.0
"""Seconds without an answer after which the event loop counts as blocked, once the host is to stop."""

_LONGEST_EXIT = 5.0
"""Seconds after which the process ends even if handing back its tasks, or writing the log, hangs."""


class SignalHandler:
    """Has the host stop at a signal, and ends the process if its event loop is blocked then.

    A thread does it, because neither the main thread nor the event loop can while a function blocks them.

    Args:
        call_soon: Schedules a function on the event loop.
        on_signal: Called on the event loop with the number of signals so far, at each of the first two.
        time_to_stop: Seconds after the first signal within which a host stops whose event loop is not blocked.
        before_exit: Called in the thread before it ends the process.
    """

    def __init__(
        self,
        call_soon: CallSoon,
        on_signal: Callable[[int], object],
        *,
        time_to_stop: float,
        before_exit: Callable[[], object],
    ) -> None:
        self._call_soon = call_soon
        self._on_signal = on_signal
        self._time_to_stop = time_to_stop
        self._before_exit = before_exit
        self._closed = threading.Event()

    @contextmanager
    def handling(self) -> Generator[None]:
        """Handles signals while the context is open, and restores the former handlers in the end.

        Raises:
            ConfigurationError: This is not the main thread. Python lets only that one handle signals.
        """
        if threading.current_thread() is not threading.main_thread():
            raise ConfigurationError(
                "only the main thread can handle signals: run the host there, or call stop() yourself"
            )
        receiver, sender = socket.socketpair()
        sender.setblocking(False)
        # Python writes the number of each signal to this socket at once, whatever the main thread does.
        former_fd = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
        former = {number: signal.signal(number, _ignore) for number in _STOP_SIGNALS}
        thread = threading.Thread(
            target=self._watch, args=(receiver, former_fd), name="conductor_async-signals", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            self._closed.set()
            for number, handler in former.items():
                signal.signal(number, handler if handler is not None else signal.SIG_DFL)
            signal.set_wakeup_fd(former_fd)
            sender.close()
            thread.join()
            receiver.close()

    def _watch(self, receiver: socket.socket, forward_to: int) -> None:
        count, check_at = 0, float("inf")
        while not self._closed.is_set():
            timeout = None if check_at == float("inf") else max(0.0, check_at - time.monotonic())
            readable, _, _ = select.select([receiver], [], [], timeout)
            received = receiver.recv(64) if readable else b""
            if readable and not received:
                return  # the context has ended
            _forward(received, forward_to)
            for _ in filter(_STOP_SIGNALS.__contains__, received):
                count += 1
                self._receive(count)
                check_at = time.monotonic() + (self._time_to_stop if count == 1 else 0.0)
            if time.monotonic() >= check_at:
                if not self._is_answered():
                    self._exit()
                check_at = time.monotonic() + _TIME_TO_ANSWER

    def _receive(self, count: int) -> None:
        if count > 2:  # whoever asks a third time does not want to wait for anything
            os._exit(1)
        with suppress(RuntimeError):  # the event loop has ended
            self._call_soon(lambda: self._on_signal(count))

    def _is_answered(self) -> bool:
        """Returns whether the event loop is not blocked, or has ended."""
        answered = threading.Event()
        try:
            self._call_soon(answered.set)
        except RuntimeError:
            return True
        return answered.wait(_TIME_TO_ANSWER) or self._closed.is_set()

    def _exit(self) -> None:
        timer = threading.Timer(_LONGEST_EXIT, os._exit, (1,))
        timer.daemon = True
        timer.start()
        try:
            self._before_exit()
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(1)


def _forward(received: bytes, fd: int) -> None:
    """Passes signals on to the event loop, if it waits for them on a socket of its own."""
    if fd != -1 and received:
        with suppress(OSError):
            os.write(fd, received)


def _ignore(number: int, frame: FrameType | None) -> None:
    """Takes the place of a signal's default action: the socket tells of the signal."""

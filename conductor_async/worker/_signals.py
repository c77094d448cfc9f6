"""SIGINT and SIGTERM, for hosts that are asked to handle them."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from conductor_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import FrameType

    from conductor_async.worker._event_loop import CallSoon

_STOP_SIGNALS = (signal.SIGINT,) if sys.platform == "win32" else (signal.SIGINT, signal.SIGTERM)


@contextmanager
def handling_signals(call_soon: CallSoon, stop: Callable[[], object]) -> Generator[None]:
    """Calls `stop` on the event loop at each signal. Restores the former handlers in the end.

    Args:
        call_soon: Schedules a function on the event loop.
        stop: The function to call.

    Raises:
        ConfigurationError: This is not the main thread. Python lets only that one handle signals.
    """
    if threading.current_thread() is not threading.main_thread():
        raise ConfigurationError("only the main thread can handle signals: run the host there, or call stop() yourself")

    def handle(number: int, frame: FrameType | None) -> None:
        # Between two bytecodes of anything: leave the rest to the event loop.
        call_soon(stop)

    former = {number: signal.signal(number, handle) for number in _STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)

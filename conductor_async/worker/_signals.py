"""SIGINT and SIGTERM, for hosts that are asked to own them."""

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

_STOP = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def owned(call_soon: CallSoon, stop: Callable[[], object]) -> Generator[None]:
    """Calls `stop` on the event loop at each signal. Afterwards the handlers are what they were.

    Args:
        call_soon: Has the event loop call a function, from anywhere.
        stop: What to call.

    Raises:
        ConfigurationError: This is not the main thread, and only that one may handle signals.
    """
    if threading.current_thread() is not threading.main_thread():
        raise ConfigurationError("only the main thread can handle signals: run the host there, or call stop() yourself")

    def received(number: int, frame: FrameType | None) -> None:
        call_soon(stop)

    before = {
        each: signal.signal(each, received) for each in _STOP if each != signal.SIGTERM or sys.platform != "win32"
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)

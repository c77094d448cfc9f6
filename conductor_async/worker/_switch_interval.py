"""Makes busy threads give way to the event loop sooner."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

_SHORT = 0.0005
"""Seconds for which a thread keeps the interpreter while others wait for it."""

_lock = threading.Lock()
_users = 0
_usual = 0.0


@contextmanager
def short_switch_interval() -> Generator[None]:
    """Shortens the interpreter's switch interval while the context is open, for the whole process.

    A system call gives the interpreter away. With eight threads that compute, the event loop then waits for all of them
    before it goes on: 40 ms after each system call at Python's interval of 5 ms, and a lease extension takes several.
    """
    global _users, _usual
    with _lock:
        if not _users:
            _usual = sys.getswitchinterval()
            sys.setswitchinterval(min(_usual, _SHORT))
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if not _users:
                sys.setswitchinterval(_usual)

"""Calling functions on the event loop from other threads and from signal handlers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import anyio.lowlevel

CallSoon: TypeAlias = Callable[[Callable[[], object]], object]
"""Schedules a function on an event loop. Raises a RuntimeError when the loop has ended."""


def threadsafe_call_soon() -> CallSoon:
    """Returns a function that schedules another one on the running event loop, from any thread."""
    native: Any = anyio.lowlevel.current_token().native_token
    call_soon: CallSoon = getattr(native, "call_soon_threadsafe", None) or native.run_sync_soon
    return call_soon

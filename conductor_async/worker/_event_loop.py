"""Reaching the event loop from other threads and from signal handlers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import anyio.lowlevel

CallSoon: TypeAlias = Callable[[Callable[[], object]], object]
"""Has an event loop call a function soon. It raises a RuntimeError when the loop has ended."""


def call_soon_from_anywhere() -> CallSoon:
    """What has the running event loop call a function soon, from any thread."""
    native: Any = anyio.lowlevel.current_token().native_token
    call_soon: CallSoon = getattr(native, "call_soon_threadsafe", None) or native.run_sync_soon
    return call_soon

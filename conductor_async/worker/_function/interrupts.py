"""Tells Ctrl-C from a KeyboardInterrupt that a function raised."""

from __future__ import annotations

import dis
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

_RAISE = dis.opmap["RAISE_VARARGS"]
_SIGNAL_HANDLERS = ("asyncio", "trio", "signal")


def is_interrupt(error: BaseException) -> bool:
    """Returns whether Ctrl-C raised it: not a `raise` statement of the user's, but a signal handler."""
    trace: TracebackType | None = error.__traceback__
    if not isinstance(error, KeyboardInterrupt) or trace is None:
        return False
    while trace.tb_next is not None:
        trace = trace.tb_next
    module = str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
    # Python's own handler has no frame: the interrupt seems to come from whatever instruction was running.
    return module in _SIGNAL_HANDLERS or trace.tb_frame.f_code.co_code[trace.tb_lasti] != _RAISE

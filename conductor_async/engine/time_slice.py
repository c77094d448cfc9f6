"""How long the engine may go on before it gives the event loop back."""

from __future__ import annotations

import time

__all__ = ["TimeSlice"]

# Work that never ends is postponed after so many steps, also without a limit of time.
_MAX_STEPS = 5_000


class TimeSlice:
    """The steps and the time that one command has for the work that it causes.

    Args:
        seconds: How long a slice is. None: as long as it takes.
    """

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._steps_left = 0
        self._end = 0.0

    def begin(self) -> None:
        """Begins a new slice."""
        self._steps_left = _MAX_STEPS
        if self._seconds is not None:
            self._end = time.monotonic() + self._seconds

    def take_step(self) -> bool:
        """Counts one step. Returns whether it is still within the slice."""
        self._steps_left -= 1
        return self._steps_left >= 0 and (self._seconds is None or time.monotonic() < self._end)

    def timeout(self) -> float | None:
        """Returns the seconds that are left to wait for a result; None: as long as it takes."""
        return None if self._seconds is None else max(0.0, self._end - time.monotonic())

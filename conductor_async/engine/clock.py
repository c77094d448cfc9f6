"""The clock of an engine. The engine never reads the wall clock: it asks the clock that it was given."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Clock", "ManualClock"]

# 2026-01-01T00:00:00Z: a start that makes printed times readable.
_DEFAULT_START = 1_767_225_600.0


class Clock(Protocol):
    """Tells the time in epoch seconds."""

    def now(self) -> float:
        """Returns the time in epoch seconds."""
        ...


class ManualClock:
    """A clock that moves only by `set` and `advance`."""

    __slots__ = ("_now",)

    def __init__(self, start: float = _DEFAULT_START) -> None:
        self._now = start

    def now(self) -> float:
        """Returns the time in epoch seconds."""
        return self._now

    def set(self, now: float) -> None:
        """Moves to a time in epoch seconds.

        Raises:
            ValueError: The time is earlier than the current one.
        """
        if now < self._now:
            msg = f"The clock cannot go back from {self._now} to {now}."
            raise ValueError(msg)
        self._now = now

    def advance(self, seconds: float) -> None:
        """Moves on by some seconds."""
        self.set(self._now + seconds)

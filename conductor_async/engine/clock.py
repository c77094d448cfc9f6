"""The time that an engine goes by. Nothing in the engine reads a wall clock: it asks the clock it was given."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Clock", "ManualClock"]

# 2026-01-01T00:00:00Z: a start that makes printed times readable.
_DEFAULT_START = 1_767_225_600.0


class Clock(Protocol):
    """Tells the time in epoch seconds."""

    def now(self) -> float:
        """The time, in epoch seconds."""
        ...


class ManualClock:
    """A clock that moves only when it is told to."""

    __slots__ = ("_now",)

    def __init__(self, start: float = _DEFAULT_START) -> None:
        self._now = start

    def now(self) -> float:
        """The time, in epoch seconds."""
        return self._now

    def set(self, now: float) -> None:
        """Move to `now`, in epoch seconds. Time does not go back."""
        if now < self._now:
            msg = f"Time does not go back: it is {self._now}, asked for {now}."
            raise ValueError(msg)
        self._now = now

    def advance(self, seconds: float) -> None:
        """Move on by `seconds`."""
        self.set(self._now + seconds)

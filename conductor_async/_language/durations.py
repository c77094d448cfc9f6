"""Durations, which users give in seconds, in the units of definitions."""

from __future__ import annotations

import math
from datetime import timedelta

from conductor_async.errors import ConfigurationError

__all__ = ["milliseconds", "whole_seconds"]


def whole_seconds(duration: float | timedelta, what: str) -> int:
    """Returns `duration` in whole seconds, as definitions hold it; a fraction is rounded up.

    Raises:
        ConfigurationError: The duration is negative or infinite. `what` names it in the message.
    """
    return math.ceil(_seconds(duration, what))


def milliseconds(duration: float | timedelta, what: str) -> int:
    """Returns `duration`, which is in seconds, in whole milliseconds, as HTTP tasks hold it.

    Raises:
        ConfigurationError: The duration is negative or infinite, or looks like milliseconds.
    """
    seconds = _seconds(duration, what)
    if seconds >= _SURELY_MILLISECONDS and not isinstance(duration, timedelta):
        raise ConfigurationError(
            f"{what} is in seconds: {duration!r} would be {seconds / 60:.0f} minutes. For {duration!r} milliseconds"
            f" write {seconds / 1000:g}; if you do mean that long, give a timedelta."
        )
    return round(seconds * 1000)


# conductor-python takes milliseconds here, from 1000 up. No HTTP request waits for a quarter of an hour.
_SURELY_MILLISECONDS = 900


def _seconds(duration: float | timedelta, what: str) -> float:
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else float(duration)
    if not 0 <= seconds < math.inf:
        raise ConfigurationError(f"{what} is a number of seconds from 0, or a timedelta, not {duration!r}.")
    return seconds

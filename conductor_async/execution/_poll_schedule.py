"""When a wait polls the server next. No I/O."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from conductor_async._backoff import Backoff, retry_after_of

if TYPE_CHECKING:
    from conductor_async.errors import ConductorError

_FIRST_DELAYS = (0.005, 0.01, 0.02, 0.04)
_MAX_DELAY = 5.0
_MAX_POLLS_PER_SECOND = 2000
_MAX_RETRY_AFTER = 60.0
_OUTAGE_BACKOFF = Backoff(0.25, limit=_MAX_DELAY, jitter=0.0)


def delay_before_poll(polls: int, waited: float, waits: int = 1) -> float:
    """Returns the seconds until the next poll: 5, 10, 20, 40 ms, then a tenth of the time waited, 40 ms to 5 s.

    All waits of an executor together make at most 2,000 polls a second, which takes the client half a core. So each of
    10,000 waits still polls every 5 s.

    Args:
        polls: How many polls this wait has made.
        waited: Seconds since the wait began, or since the last change.
        waits: How many waits there are.
    """
    fair_share = waits / _MAX_POLLS_PER_SECOND
    if polls < len(_FIRST_DELAYS):
        return max(fair_share, _FIRST_DELAYS[polls])
    return max(fair_share, min(max(_FIRST_DELAYS[-1], waited / 10), _MAX_DELAY))


def delay_in_outage(failures: int, error: ConductorError) -> float:
    """Returns the seconds until the next poll of a server that has failed this many times in a row.

    At least what the server asks for by `Retry-After`, up to a minute.
    """
    return max(_OUTAGE_BACKOFF.ceiling(failures), min(retry_after_of(error) or 0.0, _MAX_RETRY_AFTER))


class PollSchedule:
    """The delays of one wait.

    Args:
        now: When the wait begins, in seconds on the event loop's clock.
        delay: Seconds before the first poll.

    Attributes:
        delay: Seconds to the next poll, without jitter.
        polls: How many polls were made since the wait began, or was reset.
    """

    __slots__ = ("_failures", "_since", "delay", "polls")

    def __init__(self, now: float, delay: float = 0.0) -> None:
        self.delay: float = delay
        self._since = now
        self.polls: int = 0
        self._failures = 0

    def jittered_delay(self) -> float:
        """Returns 90 to 100 % of the delay: waits that began together drift apart."""
        return self.delay * random.uniform(0.9, 1.0)  # noqa: S311 - spreads load, protects nothing

    def waited(self, now: float) -> float:
        """Returns the seconds since the wait began, or was reset."""
        return now - self._since

    def reset(self, now: float) -> None:
        """Begins again with the short delays: something has changed."""
        self._since = now
        self.polls = 0

    def succeeded(self, now: float, waits: int) -> None:
        """Sets the delay after a poll that the server answered."""
        self._failures = 0
        self.delay = delay_before_poll(self.polls, self.waited(now), waits)

    def failed(self, error: ConductorError) -> None:
        """Sets the delay after a poll that failed because of an outage or an overload."""
        self._failures += 1
        self.delay = delay_in_outage(self._failures, error)

    def postponed(self, waits: int) -> None:
        """Sets the delay after a poll that was not made, because too many others are in progress."""
        self.delay = delay_before_poll(2, 0.0, waits)

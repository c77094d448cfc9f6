"""Exponential back-off with jitter: how long to wait before the next try. It computes delays, and never sleeps."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_LARGEST_EXPONENT = 64  # a float overflows at 2**1024; every limit is reached long before


class Backoff:
    """A schedule of delays that grow by a factor with each failure in a row, up to a limit.

    ```python
    backoff = Backoff(0.1, limit=30.0)  # full jitter: 0 to 0.1 s, 0 to 0.2 s, 0 to 0.4 s, … 0 to 30 s
    await anyio.sleep(backoff.delay(failures, retry_after=retry_after_of(error)))
    ```

    It has no state: the caller counts the failures. So one schedule can be a constant that many callers share.

    Args:
        first: Seconds after the first failure, before jitter.
        limit: The longest delay in seconds, before `retry_after` is added.
        factor: How much longer the delay becomes with each failure.
        jitter: The random part of a delay, from 0.0 (always the whole delay) to 1.0 ("full jitter": anything from zero
            to the whole delay). Jitter keeps clients that failed together from trying again together.
        max_retry_after: The most seconds that a server's `Retry-After` may add.
        random_source: Returns a number in [0.0, 1.0).
    """

    __slots__ = ("_factor", "_first", "_jitter", "_limit", "_max_retry_after", "_random")

    def __init__(
        self,
        first: float,
        *,
        limit: float,
        factor: float = 2.0,
        jitter: float = 1.0,
        max_retry_after: float = float("inf"),
        random_source: Callable[[], float] = random.random,
    ) -> None:
        self._first = first
        self._limit = limit
        self._factor = factor
        self._jitter = jitter
        self._max_retry_after = max_retry_after
        self._random = random_source

    def ceiling(self, failures: int) -> float:
        """Returns the longest delay, in seconds, after this many failures in a row: what is left without jitter."""
        exponent = min(max(failures, 1) - 1, _LARGEST_EXPONENT)
        return min(self._limit, self._first * self._factor**exponent)

    def delay(self, failures: int, *, retry_after: float | None = None) -> float:
        """Returns the seconds to wait after this many failures in a row (1 after the first).

        Args:
            failures: How many tries have failed, one after the other.
            retry_after: What the server asked for. The delay is added to it: all of the clients that it told the same
                would otherwise come back at the same moment.
        """
        ceiling = self.ceiling(failures)
        delay = ceiling * (1.0 - self._jitter * self._random()) if self._jitter else ceiling
        return delay if retry_after is None else min(retry_after, self._max_retry_after) + delay


def retry_after_of(error: BaseException) -> float | None:
    """Returns the seconds that the server asked to wait before the next try; None if it did not ask.

    Errors that can carry a `Retry-After` have it as their attribute `retry_after`.
    """
    seconds: float | None = getattr(error, "retry_after", None)
    return seconds

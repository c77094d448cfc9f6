"""Failed requests of a worker host: how long to wait after one, what to log, and what the server may have done."""

from __future__ import annotations

import logging
import time

from conductor_async._backoff import Backoff, retry_after_of
from conductor_async.errors import (
    AmbiguousOutcomeError,
    APIError,
    AuthenticationError,
    ConductorError,
    PermissionDeniedError,
    RateLimitedError,
    ResponseDecodeError,
    ServerError,
    TransportError,
)

logger = logging.getLogger("conductor_async")

LONGEST_DELAY = 30.0

_TRANSIENT = Backoff(0.1, limit=LONGEST_DELAY, max_retry_after=LONGEST_DELAY)
_RATE_LIMITED = Backoff(0.1, limit=LONGEST_DELAY, jitter=0.5, max_retry_after=LONGEST_DELAY)
_REJECTED = Backoff(1.0, limit=LONGEST_DELAY, jitter=0.5, max_retry_after=LONGEST_DELAY)


class FailureBackoff:
    """Delays between the tries of one kind of request: they grow with each failure in a row, to at most 30 seconds.

    The first delay is up to 0.1 s if the network failed or the server is overloaded, and up to 1 s after an answer that
    will hardly change soon: a wrong key, a request that the server rejects.
    """

    __slots__ = ("_failures",)

    def __init__(self) -> None:
        self._failures = 0

    def delay_after(self, error: ConductorError) -> float:
        """Returns the seconds to wait after this failure."""
        self._failures += 1
        if isinstance(error, TransportError) or (isinstance(error, ServerError) and error.status != 500):
            backoff = _TRANSIENT
        else:
            backoff = _RATE_LIMITED if isinstance(error, RateLimitedError) else _REJECTED
        return backoff.delay(self._failures, retry_after=retry_after_of(error))

    def reset(self) -> None:
        """Starts over, because a request succeeded."""
        self._failures = 0


class FailureLog:
    """Logs once that something fails, once if it then fails in another way, and once that it works again.

    Args:
        what: What fails: `polling for 'greet'`.
    """

    __slots__ = ("_kind", "_since", "_tries", "_what")

    def __init__(self, what: str) -> None:
        self._what = what[0].upper() + what[1:]
        self._kind: object = None
        self._since = 0.0
        self._tries = 0

    def record_failure(self, error: ConductorError) -> None:
        """Logs the failure, unless it is like the one before."""
        if self._kind is None:
            self._since, self._tries = time.monotonic(), 0
        self._tries += 1
        kind = (type(error), error.status if isinstance(error, APIError) else None)
        if kind == self._kind:
            return
        self._kind = kind
        advice = ""
        if isinstance(error, AuthenticationError | PermissionDeniedError):
            advice = " Check the access key and its permissions."
        logger.warning("%s fails and is retried until it works: %s.%s", self._what, str(error).rstrip("."), advice)

    def record_success(self) -> None:
        """Logs that it works again, if it failed before."""
        if self._kind is not None:
            self._kind = None
            seconds = time.monotonic() - self._since
            logger.info("%s works again, after %d tries in %.1f s", self._what, self._tries, seconds)


def may_have_handed_out(error: ConductorError) -> bool:
    """Returns whether a poll or update-v2 that failed with this error may have taken a task from the queue."""
    return isinstance(error, AmbiguousOutcomeError | ResponseDecodeError | ServerError) or (
        isinstance(error, APIError) and error.status in (408, 502, 504)
    )

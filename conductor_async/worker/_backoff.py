"""How long to wait after a failure, and how often to speak of it."""

from __future__ import annotations

import logging
import random
import time

from conductor_async.errors import (
    APIError,
    AuthenticationError,
    ConductorError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
    TransportError,
)

logger = logging.getLogger("conductor_async")

LONGEST_WAIT = 30.0
_FIRST_WAIT = 0.1
_FIRST_WAIT_AFTER_A_NO = 1.0


class Backoff:
    """Waits that grow with each failure in a row: random, up to twice the former limit, at most 30 seconds.

    The first limit is 0.1 s after trouble on the way or in the server, and 1 s after an answer that will hardly change
    at once: a wrong key, a refused request.
    """

    __slots__ = ("_failures",)

    def __init__(self) -> None:
        self._failures = 0

    def after(self, error: ConductorError) -> float:
        """Seconds to wait after this failure."""
        passing = isinstance(error, TransportError) or (isinstance(error, ServerError) and error.status != 500)
        first = _FIRST_WAIT if passing or isinstance(error, RateLimitedError) else _FIRST_WAIT_AFTER_A_NO
        limit = min(LONGEST_WAIT, first * 2 ** min(self._failures, 10))
        self._failures += 1
        asked = error.retry_after if isinstance(error, RateLimitedError | ServerError) else None
        wait = random.uniform(0 if passing else limit / 2, limit)  # noqa: S311
        return wait if asked is None else min(asked, LONGEST_WAIT) + wait

    def reset(self) -> None:
        """It works again."""
        self._failures = 0


class FailureLog:
    """Says once that something fails, once when it fails in another way, and once that it works again.

    Args:
        what: What fails: `polling for 'greet'`.
    """

    __slots__ = ("_kind", "_since", "_tries", "_what")

    def __init__(self, what: str) -> None:
        self._what = what
        self._kind: object = None
        self._since = 0.0
        self._tries = 0

    def failed(self, error: ConductorError) -> None:
        """It failed (again)."""
        if self._kind is None:
            self._since, self._tries = time.monotonic(), 0
        self._tries += 1
        kind = (type(error), error.status if isinstance(error, APIError) else None)
        if kind == self._kind:
            return
        self._kind = kind
        advice = ""
        if isinstance(error, AuthenticationError | PermissionDeniedError):
            advice = " Check the access key, and what it is allowed to do."
        logger.warning("%s fails, and is tried again until it works: %s.%s", self._what.capitalize(), error, advice)

    def works(self) -> None:
        """It worked."""
        if self._kind is not None:
            self._kind = None
            logger.info(
                "%s works again, after %d tries in %.1f s",
                self._what.capitalize(),
                self._tries,
                time.monotonic() - self._since,
            )

"""Which requests are repeated, and when: pure decisions, no waiting."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conductor_async.errors import (
    APIError,
    ConnectionFailedError,
    RateLimitedError,
    RequestTimeoutError,
    ServerError,
    TransportError,
)

if TYPE_CHECKING:
    from conductor_async.config import RetryPolicy
    from conductor_async.errors import ConductorError

#: A proxy or the server itself is too busy or on its way up or down: nothing was carried out.
_TRY_LATER = frozenset({408, 429, 502, 503, 504})

_RETRY_COST = 10
_TIMEOUT_COST = 20


class RetryBudget:
    """Tokens that all calls of a client share, so that a failing server does not get more load because it fails."""

    def __init__(self, tokens: int) -> None:
        self._full = tokens
        self._left = tokens

    def spend(self, error: ConductorError) -> bool:
        """Whether there is enough left to repeat after this error; takes it if so."""
        cost = _TIMEOUT_COST if isinstance(error, RequestTimeoutError) else _RETRY_COST
        if self._left < cost:
            return False
        self._left -= cost
        return True

    def refund(self) -> None:
        """A call succeeded."""
        if self._left < self._full:
            self._left += 1


@dataclass(frozen=True, slots=True)
class RetryDecision:
    """What to do after a failed try.

    Attributes:
        again: Whether the request may be repeated.
        ambiguous: Whether it may have been carried out although it failed.
    """

    again: bool
    ambiguous: bool = False


def judge(error: ConductorError, *, repeatable: bool, repeat_on_500: bool = False) -> RetryDecision:
    """Whether a request that failed so may be repeated.

    Args:
        error: What happened.
        repeatable: Whether carrying it out twice does no more than once: reads, PUT, DELETE, task results. A start is
            not.
        repeat_on_500: Whether a 500 is worth another try even if the server does not say so.
    """
    if isinstance(error, ConnectionFailedError):
        return RetryDecision(again=True)
    if isinstance(error, TransportError):
        return RetryDecision(again=repeatable, ambiguous=not repeatable)
    if isinstance(error, RateLimitedError):
        return RetryDecision(again=True)
    if isinstance(error, ServerError) and error.status == 503 and error.retry_after is not None:
        return RetryDecision(again=True)
    if isinstance(error, APIError) and error.status in _TRY_LATER:
        # What a gateway answers for a server that hung up says nothing of what the server did.
        return RetryDecision(again=repeatable, ambiguous=not repeatable)
    if isinstance(error, APIError) and (error.retryable or (repeat_on_500 and isinstance(error, ServerError))):
        return RetryDecision(again=repeatable)
    return RetryDecision(again=False)


def delay_before(attempt: int, error: ConductorError, policy: RetryPolicy) -> float | None:
    """Seconds to wait before try `attempt` (2 is the first repetition), or None: not again."""
    if attempt > policy.max_attempts:
        return None
    jittered = random.uniform(0, min(policy.max_delay, policy.base_delay * 2.0 ** min(attempt - 2, 64)))  # noqa: S311
    asked = error.retry_after if isinstance(error, RateLimitedError | ServerError) else None
    if asked is None:
        return jittered
    if asked > policy.max_retry_after:
        return None
    return asked + jittered

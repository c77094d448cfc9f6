"""Which failed requests are sent again, and when: decisions only, no waiting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conductor_async._backoff import Backoff, retry_after_of
from conductor_async.errors import (
    AmbiguousOutcomeError,
    APIError,
    ConnectionFailedError,
    NotFoundError,
    RateLimitedError,
    RequestTimeoutError,
    ServerError,
    TransportError,
)

if TYPE_CHECKING:
    import re

    from conductor_async._http.routes import Route
    from conductor_async.config import RetryPolicy
    from conductor_async.errors import ConductorError

#: The server, or a proxy in front of it, is overloaded, starting or stopping.
_UNAVAILABLE = frozenset({408, 502, 503, 504})

_RETRY_COST = 10
_TIMEOUT_COST = 20


@dataclass(slots=True)
class Request:
    """A request as it is sent, once or several times.

    Attributes:
        method: The HTTP method.
        route: The endpoint.
        url: The whole URL, with the query.
        headers: The headers of this request alone.
        content: The body.
        timeout: Seconds for one attempt.
        repeatable: Whether processing it twice has no more effect than processing it once: true for reads, PUT, DELETE
            and task results, false for starts.
        retry_on_500: Whether a 500 is retried even if the server does not call it retryable.
        already_done_pattern: If the error message of a later attempt matches, an earlier attempt has succeeded.
    """

    method: str
    route: Route
    url: str
    headers: dict[str, str]
    content: bytes | None
    timeout: float
    repeatable: bool
    retry_on_500: bool = False
    already_done_pattern: re.Pattern[str] | None = None

    def is_already_done(self, error: ConductorError) -> bool:
        """Whether a later attempt failed with this error because an earlier attempt has succeeded."""
        if self.method == "DELETE" and isinstance(error, NotFoundError):
            return True
        return (
            self.already_done_pattern is not None
            and isinstance(error, APIError)
            and bool(self.already_done_pattern.search(error.message))
        )

    def ambiguous_outcome(self, error: ConductorError, attempts: int) -> AmbiguousOutcomeError:
        """Returns the error to raise when the server may have processed the request although it failed."""
        return AmbiguousOutcomeError(
            f"{error}. The server may or may not have processed the request, so it was not retried: check before you"
            " send it again",
            method=self.method,
            route=self.route.template,
            attempts=attempts,
        )


@dataclass(frozen=True, slots=True)
class RetryDecision:
    """What to do after a failed attempt.

    Attributes:
        retry: Whether the request may be sent again.
        ambiguous: Whether the server may have processed it although it failed.
    """

    retry: bool
    ambiguous: bool = False


def classify(error: ConductorError, *, repeatable: bool, retry_on_500: bool = False) -> RetryDecision:
    """Decides whether a request that failed with this error may be sent again.

    Args:
        error: How it failed.
        repeatable: See `Request`.
        retry_on_500: See `Request`.
    """
    if isinstance(error, ConnectionFailedError | RateLimitedError):
        return RetryDecision(retry=True)
    if isinstance(error, ServerError) and error.status == 503 and error.retry_after is not None:
        return RetryDecision(retry=True)
    # A gateway's response for a server that hung up does not tell what the server did: as ambiguous as no response.
    if isinstance(error, TransportError) or (isinstance(error, APIError) and error.status in _UNAVAILABLE):
        return RetryDecision(retry=repeatable, ambiguous=not repeatable)
    if isinstance(error, APIError) and (error.retryable or (retry_on_500 and isinstance(error, ServerError))):
        return RetryDecision(retry=repeatable)
    return RetryDecision(retry=False)


def retry_delay(failures: int, error: ConductorError, policy: RetryPolicy) -> float | None:
    """Returns the seconds to wait after so many failed attempts (1 after the first), or None to give up.

    The server's `Retry-After` is a floor. If it is longer than the policy allows, we give up at once.
    """
    if failures >= policy.max_attempts:
        return None
    retry_after = retry_after_of(error)
    if retry_after is not None and retry_after > policy.max_retry_after:
        return None
    return Backoff(policy.base_delay, limit=policy.max_delay).delay(failures, retry_after=retry_after)


class RetryBudget:
    """Tokens that all calls of a client share, so that retries do not add load to a server that is failing."""

    def __init__(self, tokens: int) -> None:
        self._capacity = tokens
        self._left = tokens

    def spend(self, error: ConductorError) -> bool:
        """Takes the tokens for a retry after this error. Returns False if there are too few."""
        cost = _TIMEOUT_COST if isinstance(error, RequestTimeoutError) else _RETRY_COST
        if self._left < cost:
            return False
        self._left -= cost
        return True

    def refund(self) -> None:
        """Gives one token back, because a call succeeded."""
        if self._left < self._capacity:
            self._left += 1

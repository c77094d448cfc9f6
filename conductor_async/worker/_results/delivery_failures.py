"""What a failed delivery means for a result: pure decisions."""

from __future__ import annotations

from enum import Enum

from conductor_async.errors import (
    APIError,
    AuthenticationError,
    ClientClosedError,
    ConductorError,
    ConnectionFailedError,
    EndpointNotAvailableError,
    NotFoundError,
    PayloadError,
    PermissionDeniedError,
    RateLimitedError,
    TransportError,
    WrongEventLoopError,
)
from conductor_async.worker._failures import may_have_handed_out


class DeliveryDecision(Enum):
    """What to do with a result that could not be delivered."""

    RETRY = "wait and try again, however often"
    RETRY_LIMITED = "the server rejects it: try again a few times"
    FAIL_TASK = "it cannot be sent: fail the task instead"
    DROP = "the task or its execution is gone"
    GIVE_UP = "it cannot be delivered"
    DELIVERED = "the server has it despite the error"


def classify(error: ConductorError) -> DeliveryDecision:
    """Returns what to do after `POST /tasks` or update-v2 failed with this error."""
    if isinstance(error, PayloadError):
        return DeliveryDecision.FAIL_TASK
    if isinstance(error, ClientClosedError | WrongEventLoopError):
        return DeliveryDecision.GIVE_UP
    if not isinstance(error, APIError):
        return DeliveryDecision.RETRY
    if isinstance(error, NotFoundError) and error.status == 404:
        return DeliveryDecision.DROP
    if isinstance(error, AuthenticationError | PermissionDeniedError | RateLimitedError | EndpointNotAvailableError):
        return DeliveryDecision.RETRY
    if error.retryable or error.status in (408, 502, 503, 504) or error.status < 400:
        return DeliveryDecision.RETRY
    return DeliveryDecision.RETRY_LIMITED


def lacks_update_v2(error: ConductorError) -> bool:
    """Returns whether a failed update-v2 says that this server has no such endpoint."""
    return isinstance(error, EndpointNotAvailableError) or (isinstance(error, APIError) and error.status == 405)


def may_have_arrived(error: ConductorError) -> bool:
    """Returns whether the server may have the result although sending it failed with this error."""
    lost = isinstance(error, TransportError) and not isinstance(error, ConnectionFailedError)
    return lost or may_have_handed_out(error)


class RejectionCount:
    """Counts how often in a row a result was rejected with the same response."""

    __slots__ = ("_count", "_response")

    def __init__(self) -> None:
        self._response: object = None
        self._count = 0

    def reset(self) -> None:
        """Starts over, because something else is sent."""
        self._count = 0

    def add(self, error: ConductorError) -> int:
        """Counts this rejection, and returns how many there were of its kind."""
        response = (error.status, error.message) if isinstance(error, APIError) else str(error)
        self._count = self._count + 1 if response == self._response else 1
        self._response = response
        return self._count

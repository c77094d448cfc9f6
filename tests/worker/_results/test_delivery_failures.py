"""What a failed delivery means, decided without a socket."""

from __future__ import annotations

import pytest

from conductor_async.errors import (
    AmbiguousOutcomeError,
    APIError,
    AuthenticationError,
    BadRequestError,
    ClientClosedError,
    ConnectionFailedError,
    EndpointNotAvailableError,
    NotFoundError,
    PayloadError,
    PermissionDeniedError,
    RateLimitedError,
    RequestTimeoutError,
    ResponseDecodeError,
    ServerError,
)
from conductor_async.worker._results.delivery_failures import DeliveryDecision, classify, lacks_update_v2


def api_error(kind: type[APIError], status: int, message: str = "no", **facts) -> APIError:
    return kind(f"{status}: {message}", status=status, message=message, **facts)


@pytest.mark.parametrize(
    ("error", "decision"),
    [
        (ConnectionFailedError("refused"), DeliveryDecision.RETRY),
        (RequestTimeoutError("slow"), DeliveryDecision.RETRY),
        (AmbiguousOutcomeError("lost"), DeliveryDecision.RETRY),
        (ResponseDecodeError("HTML"), DeliveryDecision.RETRY),
        (api_error(AuthenticationError, 401), DeliveryDecision.RETRY),
        (api_error(PermissionDeniedError, 403), DeliveryDecision.RETRY),
        (api_error(RateLimitedError, 429), DeliveryDecision.RETRY),
        (api_error(ServerError, 503), DeliveryDecision.RETRY),
        (api_error(ServerError, 500, retryable=True), DeliveryDecision.RETRY),
        (api_error(APIError, 302), DeliveryDecision.RETRY),
        (api_error(EndpointNotAvailableError, 404, "No static resource api/tasks"), DeliveryDecision.RETRY),
        (api_error(ServerError, 500), DeliveryDecision.RETRY_LIMITED),
        (api_error(BadRequestError, 400), DeliveryDecision.RETRY_LIMITED),
        (api_error(BadRequestError, 413), DeliveryDecision.RETRY_LIMITED),
        (api_error(NotFoundError, 404, "No such workflow found by id"), DeliveryDecision.DROP),
        (api_error(NotFoundError, 500, "No such task definition"), DeliveryDecision.RETRY_LIMITED),
        (PayloadError("NaN", path="outputData.x"), DeliveryDecision.FAIL_TASK),
        (ClientClosedError("closed"), DeliveryDecision.GIVE_UP),
    ],
)
def test_the_decision_after_each_failure(error, decision):
    assert classify(error) is decision


def test_only_a_missing_endpoint_means_that_update_v2_is_missing():
    assert lacks_update_v2(api_error(EndpointNotAvailableError, 404, "No static resource api/tasks/update-v2"))
    assert lacks_update_v2(api_error(BadRequestError, 405))
    assert not lacks_update_v2(api_error(NotFoundError, 404, "No such workflow found by id: x"))
    assert not lacks_update_v2(api_error(ServerError, 500))

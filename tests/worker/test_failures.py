"""How long a host waits after a failure, and what it logs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from conductor_async.errors import (
    APIError,
    AuthenticationError,
    ConnectionFailedError,
    RateLimitedError,
)
from conductor_async.worker._failures import LONGEST_DELAY, FailureBackoff, FailureLog

if TYPE_CHECKING:
    import pytest


def api_error(kind: type[APIError], status: int, message: str = "no", **facts) -> APIError:
    return kind(f"{status}: {message}", status=status, message=message, **facts)


def delays_after(error, count: int = 200) -> list[float]:
    backoff = FailureBackoff()
    return [backoff.delay_after(error) for _ in range(count)]


def test_the_delays_grow_to_thirty_seconds_and_no_further():
    delays = delays_after(ConnectionFailedError("refused"))
    assert delays[0] <= 0.1
    assert 15 < max(delays) <= LONGEST_DELAY


def test_a_rejected_key_is_not_retried_at_once():
    delays = delays_after(api_error(AuthenticationError, 401))
    assert 0.5 <= delays[0] <= 1
    assert min(delays[5:]) >= 15


def test_retry_after_is_a_floor():
    error = api_error(RateLimitedError, 429)
    error.retry_after = 7.0
    assert min(delays_after(error)) >= 7


def test_a_success_starts_the_delays_over():
    backoff = FailureBackoff()
    for _ in range(20):
        backoff.delay_after(ConnectionFailedError("refused"))
    backoff.reset()
    assert backoff.delay_after(ConnectionFailedError("refused")) <= 0.1


def test_a_failure_is_logged_once_each_time_it_changes(caplog: pytest.LogCaptureFixture):
    log = FailureLog("polling for 'greet'")
    with caplog.at_level(logging.INFO, logger="conductor_async"):
        for _ in range(5):
            log.record_failure(ConnectionFailedError("refused"))
        for _ in range(5):
            log.record_failure(api_error(AuthenticationError, 401))
        log.record_success()
        log.record_success()
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING", "INFO"]
    assert "Polling for 'greet' fails" in caplog.messages[0]
    assert "access key" in caplog.messages[1]
    assert "works again, after 10 tries" in caplog.messages[2]

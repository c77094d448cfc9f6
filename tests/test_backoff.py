"""Back-off is arithmetic: given the random numbers, the delays are known."""

from __future__ import annotations

import pytest

from conductor_async._backoff import Backoff, retry_after_of
from conductor_async.errors import NotFoundError, RateLimitedError, ServerError


def always(number: float) -> Backoff:
    return Backoff(0.1, limit=1.0, random_source=lambda: number)


def test_the_delay_doubles_with_each_failure_up_to_the_limit() -> None:
    backoff = Backoff(0.1, limit=1.0, jitter=0.0)
    assert [backoff.delay(failures) for failures in (1, 2, 3, 4, 5, 6)] == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


def test_the_factor_can_be_another() -> None:
    backoff = Backoff(1.0, limit=100.0, factor=3.0, jitter=0.0)
    assert [backoff.delay(failures) for failures in (1, 2, 3)] == [1.0, 3.0, 9.0]


@pytest.mark.parametrize("failures", [64, 65, 5_000])
def test_however_many_failures_never_overflow(failures: int) -> None:
    assert Backoff(0.1, limit=30.0, jitter=0.0).delay(failures) == 30.0


def test_a_call_before_the_first_failure_counts_as_the_first() -> None:
    assert Backoff(0.1, limit=1.0, jitter=0.0).delay(0) == 0.1


def test_with_full_jitter_a_delay_is_anything_up_to_its_ceiling() -> None:
    assert always(0.0).delay(2) == pytest.approx(0.2)
    assert always(0.5).delay(2) == pytest.approx(0.1)
    assert always(0.999_999).delay(2) == pytest.approx(0.0, abs=1e-6)


def test_with_less_jitter_a_part_of_the_delay_is_certain() -> None:
    backoff = Backoff(1.0, limit=8.0, jitter=0.5)
    delays = [backoff.delay(2) for _ in range(200)]
    assert all(1.0 <= delay <= 2.0 for delay in delays)
    assert len(set(delays)) > 100


def test_without_a_random_source_of_its_own_delays_differ() -> None:
    backoff = Backoff(1.0, limit=1.0)
    delays = [backoff.delay(1) for _ in range(200)]
    assert all(0.0 <= delay <= 1.0 for delay in delays)
    assert min(delays) < 0.2
    assert max(delays) > 0.8


def test_the_delay_is_added_to_what_the_server_asked_for() -> None:
    assert always(0.5).delay(1, retry_after=7.0) == pytest.approx(7.05)
    assert always(0.5).delay(1, retry_after=None) == pytest.approx(0.05)


def test_what_the_server_asked_for_can_be_capped() -> None:
    backoff = Backoff(0.1, limit=1.0, jitter=0.0, max_retry_after=30.0)
    assert backoff.delay(1, retry_after=3_600.0) == pytest.approx(30.1)


def test_only_errors_that_can_carry_a_retry_after_have_one() -> None:
    limited = RateLimitedError("later", status=429, message="later")
    limited.retry_after = 3.0
    assert retry_after_of(limited) == 3.0
    assert retry_after_of(ServerError("later", status=503, message="later")) is None
    assert retry_after_of(NotFoundError("no", status=404, message="no")) is None
    assert retry_after_of(ValueError("no")) is None

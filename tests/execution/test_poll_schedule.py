"""When a wait polls, without any I/O."""

from __future__ import annotations

from itertools import pairwise

import pytest

from conductor_async.errors import RateLimitedError, ServerError
from conductor_async.execution._poll_schedule import PollSchedule, delay_before_poll, delay_in_outage

DOWN = ServerError("down", status=503, message="down")


def polls_of_a_wait(until: float) -> list[float]:
    """When a wait polls, if polls take no time."""
    at: list[float] = []
    now = 0.0
    while now < until:
        now += delay_before_poll(len(at), now)
        at.append(now)
    return at


def test_the_first_polls_come_soon():
    assert polls_of_a_wait(0.2) == pytest.approx([0.005, 0.015, 0.035, 0.075, 0.115, 0.155, 0.195, 0.235])


def test_later_polls_come_after_a_tenth_of_the_time_waited():
    polls = polls_of_a_wait(40)
    gaps = [(after - before) / before for before, after in pairwise(polls) if before > 0.4]
    assert gaps == pytest.approx([0.1] * len(gaps))
    assert len(polls) < 70


def test_polls_are_at_most_five_seconds_apart():
    assert delay_before_poll(1000, 3600) == 5


@pytest.mark.parametrize(("waits", "delay"), [(1, 0.005), (10, 0.005), (100, 0.05), (10_000, 5)])
def test_many_waits_share_two_thousand_polls_a_second(waits, delay):
    assert delay_before_poll(0, 0, waits) == delay


def test_polls_back_off_in_an_outage():
    assert [delay_in_outage(failures, DOWN) for failures in range(1, 8)] == [0.25, 0.5, 1, 2, 4, 5, 5]


@pytest.mark.parametrize(("retry_after", "delay"), [(7, 7), (0.1, 0.25), (3600, 60)])
def test_retry_after_is_the_least_delay_up_to_a_minute(retry_after, delay):
    busy = RateLimitedError("busy", status=429, message="busy")
    busy.retry_after = retry_after
    assert delay_in_outage(1, busy) == delay


def test_a_schedule_starts_over_after_an_outage_and_after_a_change():
    schedule = PollSchedule(now=100)
    delays = [schedule.delay]
    for error in (DOWN, DOWN, None, DOWN):
        schedule.polls += 1
        if error is None:
            schedule.succeeded(now=102, waits=1)
        else:
            schedule.failed(error)
        delays.append(schedule.delay)
    assert delays == [0, 0.25, 0.5, 0.04, 0.25]
    schedule.polls = 50
    schedule.succeeded(now=120, waits=1)
    assert schedule.delay == 2
    schedule.reset(now=120)
    schedule.succeeded(now=120, waits=1)
    assert schedule.delay == 0.005


def test_jitter_takes_at_most_a_tenth_off():
    schedule = PollSchedule(now=0, delay=10)
    delays = [schedule.jittered_delay() for _ in range(100)]
    assert 9 <= min(delays) < max(delays) <= 10

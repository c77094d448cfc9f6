"""For how long a start stays unconfirmed, without any I/O."""

from __future__ import annotations

from conductor_async.execution._unconfirmed_starts import UnconfirmedStart, UnconfirmedStarts

KEY = ("w", "order-1")


def test_a_start_expires_with_the_window_or_after_ten_times_the_slowest_lookup():
    start = UnconfirmedStart(since=100, window=10)
    assert start.expires_at == 110
    start.slowest_lookup = 0.9
    assert start.expires_at == 110
    start.slowest_lookup = 4
    assert start.expires_at == 140


def test_the_slowest_lookup_of_a_key_counts():
    starts = UnconfirmedStarts()
    starts.add(KEY, now=100, window=10)
    for duration in (2, 4, 3):
        starts.record_lookup(KEY, duration)
    starts.record_lookup(("w", "unknown"), 50)
    assert starts.pending(KEY, now=139) is not None
    assert starts.pending(KEY, now=140) is None


def test_expired_and_resolved_starts_are_forgotten():
    starts = UnconfirmedStarts()
    for number in range(3):
        starts.add(("w", f"order-{number}"), now=number * 6, window=10)
    assert [starts.get(("w", f"order-{number}")) is None for number in range(3)] == [True, False, False]
    starts.resolve(KEY)
    assert len(starts) == 1

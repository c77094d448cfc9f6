"""The times of WAIT: what the server takes for one, and for which (asked of its own code)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from conductor_async._language.wait_times import WaitTimeError, parse_duration, parse_until
from conductor_async.engine.errors import Invalid
from tests.engine.bench import Bench, task


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-23", "2026-11-23T00:00"),
        ("2026-1-3", "2026-01-03T00:00"),
        (" 2026- 1-3  7: 5", "2026-01-03T07:05"),
        ("2026-11-23 07:15 UTC", "2026-11-23T07:15"),
        ("2026-11-23 07:15 gmt+2:00", "2026-11-23T05:15"),
        ("2026-11-23 07:15 GMT-03:30", "2026-11-23T10:45"),
        ("2026-11-23 07:15 +0200", "2026-11-23T05:15"),
        ("2026-11-23 07:15 cest", "2026-11-23T05:15"),
        ("2026-07-23 07:15 PST", "2026-07-23T15:15"),
        ("2026-07-23 07:15 PDT", "2026-07-23T14:15"),
        ("2026-11-23 07:15 IST", "2026-11-23T05:15"),
        ("2026-02-30", "2026-03-02T00:00"),
        ("2026-13-01", "2027-01-01T00:00"),
        ("2026-0-0", "2025-11-30T00:00"),
        ("2026-11-23 24:00", "2026-11-24T00:00"),
        ("2026-11-23 99:99", "2026-11-27T04:39"),
    ],
)
def test_what_is_a_time(text: str, utc: str) -> None:
    assert parse_until(text) == datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp() * 1000


def test_a_time_that_nobody_will_see() -> None:
    assert parse_until("12026-11-23") == 317_364_912_000_000


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "2026-11-23 ", "2026-11-23T07:15", "2026-11-23 07:15:30", "2026-11-23\t07:15", "-2026-1-1"),
        *("2026-11-23 07:15 Z", "2026-11-23 07:15 UTC+02:00", "2026-11-23 07:15 +02:00", "2026-11-23 07:15 GMT+0200"),
        *("2026-11-23 07:15 Europe/Berlin", "2026-11-23 07:15  UTC", "2026-11-23 07:15 +2500", "2026-3000000000-1"),
    ],
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(WaitTimeError):
        parse_until(text)


def test_durations_are_numbers_that_java_can_hold() -> None:
    assert (parse_duration(" "), parse_duration("1days2hours")) == (0, 93_600)
    for text in ("99999999999s", "5", "-1 s", "1.5 s", "2m 1h"):
        with pytest.raises(WaitTimeError):
            parse_duration(text)


def test_a_definition_with_a_zone_that_the_server_does_not_know_is_refused(bench: Bench) -> None:
    with pytest.raises(Invalid) as caught:
        bench.run(task("w", "WAIT", inputParameters={"until": "2026-11-23 07:15 America/New_York"}))
    assert "Unable to parse date " in str(caught.value.validation_errors)

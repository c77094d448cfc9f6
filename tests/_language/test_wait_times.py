"""Times of a WAIT, with the values that the server's own code gives them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from conductor_async._language.wait_times import UnknownZoneError, WaitTimeError, parse_duration, parse_until


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
def test_times_that_the_server_reads(text: str, utc: str) -> None:
    assert parse_until(text) == datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp() * 1000


def test_a_year_may_have_five_digits() -> None:
    assert parse_until("12026-11-23") == 317_364_912_000_000


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "2026-11-23 ", "2026-11-23T07:15", "2026-11-23 07:15:30", "2026-11-23\t07:15", "-2026-1-1"),
        *("2026-11-23 07:15 Z", "2026-11-23 07:15 UTC+02:00", "2026-11-23 07:15 +02:00", "2026-11-23 07:15 GMT+0200"),
        *("2026-11-23 07:15 Europe/Berlin", "2026-11-23 07:15  UTC", "2026-11-23 07:15 +2500", "2026-3000000000-1"),
    ],
)
def test_texts_that_the_server_does_not_read(text: str) -> None:
    with pytest.raises(WaitTimeError):
        parse_until(text)


def test_the_numbers_of_a_duration_fit_in_a_java_int() -> None:
    assert (parse_duration(" "), parse_duration("1days2hours")) == (0, 93_600)
    for text in ("99999999999s", "5", "-1 s", "1.5 s", "2m 1h"):
        with pytest.raises(WaitTimeError):
            parse_duration(text)


def test_a_zone_of_an_unknown_name_may_be_known_to_the_server() -> None:
    with pytest.raises(UnknownZoneError):
        parse_until("2026-11-23 07:15 Pacific Standard Time")
    with pytest.raises(WaitTimeError) as caught:
        parse_until("2026-11-23 07:15 Europe/Berlin")
    assert type(caught.value) is WaitTimeError

"""Cron expressions with six fields, here and as the real server's scheduler reads them."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conductor_async.engine.schedules.cron import BadCronExpression, CronExpression

if TYPE_CHECKING:
    from collections.abc import Iterator

BERLIN = ZoneInfo("Europe/Berlin")

GOOD = [
    *("0 0 12 * * *", "0 0 12 * * ?", "*/15 * * * * *", "5/20 1-3 0,12 * * *", "0 30 9 * * MON-FRI", "0 0 0 L * *"),
    *("0 0 0 LW * *", "0 0 0 L-3 * *", "0 0 0 15W * *", "0 0 0 * * 5L", "0 0 0 * * MON#2", "0 0 0 1 1 *"),
    *("0 0 0 ? FEB,MAR SUN", "0 0 0 29 2 ?", "0 0 0 * * 0", "0 0 0 * * 7", "0 0 0 13 * FRI", "10-50/10 * * * * *"),
    *("0 0 0 * */3 fri-sun", "@daily", "@hourly", "@weekly", "@monthly", "@yearly"),
]
BAD = [
    *("", "bogus", "* * * * *", "* * * * * * *", "60 * * * * *", "* 60 * * * *", "* * 24 * * *", "* * * 0 * *"),
    *("* * * 32 * *", "* * * * 13 *", "* * * * * 8", "*/0 * * * * *", "5-1 * * * * *", "1- * * * * *", "? * * * * *"),
    *("* * * * ? *", "* * * * * L", "* * * * * MON#0", "* * * W * *", "1,,2 * * * * *", "@never", "* * * * FOO *"),
]


def times(text: str, start: datetime, count: int) -> list[datetime]:
    def all_times() -> Iterator[datetime]:
        moment: float | None = start.timestamp()
        while (moment := CronExpression.parse(text).after(moment, start.tzinfo or UTC)) is not None:
            yield datetime.fromtimestamp(moment, start.tzinfo)

    return list(itertools.islice(all_times(), count))


def days(text: str, count: int) -> list[str]:
    return [f"{each:%m-%d}" for each in times(f"0 0 0 {text}", datetime(2026, 1, 1, tzinfo=UTC), count)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("L * *", ["01-31", "02-28", "03-31"]),
        ("L-3 * *", ["01-28", "02-25", "03-28"]),
        ("LW * *", ["01-30", "02-27", "03-31"]),
        ("15W * *", ["01-15", "02-16", "03-16"]),
        ("1W * *", ["02-02", "03-02", "04-01"]),
        ("* * 5L", ["01-30", "02-27", "03-27"]),
        ("* * MON#2", ["01-12", "02-09", "03-09"]),
        ("* * 0#5", ["03-29", "05-31", "08-30"]),
        ("13 * FRI", ["02-13", "03-13", "11-13"]),
        ("1,L 2 *", ["02-01", "02-28", "02-01"]),
        ("29 2 ?", ["02-29", "02-29"]),
        ("? JAN,MAR SAT-SUN", ["01-03", "01-04", "01-10"]),
        ("*/10 * *", ["01-11", "01-21", "01-31"]),
        ("30 2 *", []),
    ],
)
def test_days(text: str, expected: list[str]) -> None:
    assert days(text, len(expected) or 1) == expected


def test_times_of_the_day() -> None:
    found = times("10-30/10 58/1 9,17 * * *", datetime(2026, 1, 1, 9, 59, 15, tzinfo=UTC), 4)
    assert [f"{each:%H:%M:%S}" for each in found] == ["09:59:20", "09:59:30", "17:58:10", "17:58:20"]


def test_a_time_that_daylight_saving_skips_does_not_fire() -> None:
    found = times("0 30 2 * * *", datetime(2026, 3, 28, tzinfo=BERLIN), 3)
    assert [each.isoformat() for each in found] == [
        "2026-03-28T02:30:00+01:00",
        "2026-03-30T02:30:00+02:00",
        "2026-03-31T02:30:00+02:00",
    ]


def test_a_time_that_daylight_saving_repeats_fires_twice() -> None:
    found = times("0 30 2 * * *", datetime(2026, 10, 25, tzinfo=BERLIN), 3)
    assert [each.timestamp() - found[0].timestamp() for each in found] == [0, 3600, 3600 + 24 * 3600]


def test_hours_follow_the_daylight_saving_time_of_the_zone() -> None:
    found = times("0 0 12 1 * *", datetime(2026, 3, 1, 13, tzinfo=BERLIN), 2)
    assert [each.astimezone(UTC).hour for each in found] == [10, 10]
    assert CronExpression.parse("0 0 12 1 * *").after(0, BERLIN) == 11 * 3600


@pytest.mark.parametrize("text", BAD)
def test_an_invalid_expression_is_rejected(text: str) -> None:
    with pytest.raises(BadCronExpression):
        CronExpression.parse(text)


@pytest.mark.server
def test_the_server_computes_the_same_next_times(server_url: str) -> None:
    start = int(datetime(2026, 10, 30, 23, 59, 58, tzinfo=UTC).timestamp())
    with httpx.Client() as http:
        for text in GOOD:
            limits = {"scheduleStartTime": start * 1000, "limit": 4}
            answer = http.get(
                f"{server_url}/scheduler/nextFewSchedules", params={"cronExpression": text, **limits}
            ).json()
            assert (text, [each.timestamp() * 1000 for each in times(text, _first(answer), 3)]) == (text, answer[1:])


@pytest.mark.server
def test_the_server_rejects_the_same_expressions(server_url: str) -> None:
    with httpx.Client() as http:
        for text in BAD:
            answer = http.get(f"{server_url}/scheduler/nextFewSchedules", params={"cronExpression": text})
            assert (text, answer.status_code) == (text, 500)


def _first(millis: list[int]) -> datetime:
    return datetime.fromtimestamp(millis[0] / 1000, UTC)


NUMBERS = {"second": (0, 59), "minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (0, 7)}


def field(lowest: int, highest: int) -> st.SearchStrategy[str]:
    number = st.integers(lowest, highest)
    span = st.tuples(number, number).map(lambda ends: f"{min(ends)}-{max(ends)}")
    one = number.map(str) | span
    stepped = st.tuples(one | st.just("*"), st.integers(1, 20)).map(lambda each: f"{each[0]}/{each[1]}")
    return st.just("*") | st.lists(one | stepped, min_size=1, max_size=3).map(",".join)


EXPRESSIONS = st.tuples(*(field(*ends) for ends in NUMBERS.values())).map(" ".join)
MOMENTS = st.integers(1_700_000_000, 1_900_000_000)


@settings(max_examples=60)
@given(text=EXPRESSIONS, moment=MOMENTS)
def test_the_next_time_is_later_and_matches_every_field(text: str, moment: int) -> None:
    found = CronExpression.parse(text).after(moment, BERLIN)
    if found is None:
        return
    local = datetime.fromtimestamp(found, BERLIN)
    shown = (local.second, local.minute, local.hour, local.day, local.month, local.isoweekday())
    exact = " ".join(map(str, shown))
    assert found > moment
    assert CronExpression.parse(exact).after(found - 1, BERLIN) == found
    for part, value, (lowest, highest) in zip(text.split(), shown, NUMBERS.values(), strict=True):
        assert value in allowed(part, lowest, highest)


@settings(max_examples=30)
@given(text=field(0, 59), moment=MOMENTS)
def test_no_time_in_between_is_missed(text: str, moment: int) -> None:
    found = CronExpression.parse(f"{text} * * * * *").after(moment)
    assert found is not None
    seconds = allowed(text, 0, 59)
    between = (datetime.fromtimestamp(moment, UTC) + timedelta(seconds=each) for each in range(1, int(found - moment)))
    assert not any(each.second in seconds for each in between)


def allowed(part: str, lowest: int, highest: int) -> set[int]:
    """What a field allows, worked out the long way."""
    values: set[int] = set()
    for piece in part.split(","):
        span, _, step = piece.partition("/")
        start, dash, end = span.partition("-")
        first = int(start) if span != "*" else 1 if highest == 7 else lowest
        last = highest if span == "*" or (step and not dash) else int(end or start)
        if highest == 7 and dash and first == 7:
            first = 0
        values.update(range(first, last + 1, int(step or 1)))
    return values | {7} if highest == 7 and 0 in values else values

"""Cron expressions as the server's scheduler reads them: six fields, seconds first, as in Spring.

```
second minute hour day-of-month month day-of-week
0 30 9 * * MON-FRI        half past nine on weekdays
0 0 12 LW * ?             noon on the last weekday of each month
```

Unlike in Unix, a date has to match both the day of month and the day of week.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING

from conductor_async.engine.schedules.cron_fields import (
    BadCronExpression,
    days_of_month,
    days_of_week,
    months,
    numbers,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

__all__ = ["BadCronExpression", "CronExpression"]

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
_YEARS_TO_LOOK_AHEAD = 40
_MACROS = {
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *",
    "@midnight": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}


@dataclass(frozen=True, slots=True)
class CronExpression:
    """A cron expression.

    Attributes:
        text: The expression as it was written.
        days: Returns whether a date matches the day of month and the day of week.
    """

    text: str
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: frozenset[int]
    days: Callable[[date], bool]

    @classmethod
    def parse(cls, text: str) -> CronExpression:
        """Parses an expression.

        Raises:
            BadCronExpression: The text cannot be parsed.
        """
        return _parsed(text)

    def after(self, moment: float, zone: tzinfo = UTC) -> float | None:
        """Returns the next time after a moment, both in epoch seconds; None if there is none within 40 years.

        When the clocks are changed, times that do not exist are skipped, and times that occur twice fire twice.
        """
        now = (datetime.fromtimestamp(moment, UTC) + _SECOND).replace(microsecond=0)
        horizon = now + _YEARS_TO_LOOK_AHEAD * 366 * _DAY
        while now < horizon:
            offset = _offset(now, zone)
            local = self._next_local((now + offset).replace(tzinfo=None))
            if local is None:
                return None
            found = (local - offset).replace(tzinfo=UTC)
            change = _first_change(now, found, zone)
            if change is None:
                return found.timestamp()
            now = change
        return None

    def _next_local(self, start: datetime) -> datetime | None:
        """Returns the first matching time from `start` on, on a clock without daylight saving time."""
        first = start.date()
        for day in _days_from(first, self.months):
            if self.days(day):
                time = self._time_of_day(start if day == first else None)
                if time is not None:
                    return datetime(day.year, day.month, day.day, *time)
        return None

    def _time_of_day(self, start: datetime | None) -> tuple[int, int, int] | None:
        if start is None:
            return self.hours[0], self.minutes[0], self.seconds[0]
        earliest = (start.hour, start.minute, start.second)
        for hour in self.hours:
            if hour > earliest[0]:
                return hour, self.minutes[0], self.seconds[0]
            if hour == earliest[0]:
                for minute in self.minutes:
                    if minute > earliest[1]:
                        return hour, minute, self.seconds[0]
                    if minute == earliest[1]:
                        for second in self.seconds:
                            if second >= earliest[2]:
                                return hour, minute, second
        return None


def _days_from(first: date, months: Collection[int]) -> Iterator[date]:
    for year in range(first.year, min(first.year + _YEARS_TO_LOOK_AHEAD, 9999)):
        for month in range(first.month if year == first.year else 1, 13):
            if month in months:
                begin = first.day if (year, month) == (first.year, first.month) else 1
                for day in range(begin, calendar.monthrange(year, month)[1] + 1):
                    yield date(year, month, day)


def _offset(moment: datetime, zone: tzinfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _first_change(start: datetime, end: datetime, zone: tzinfo) -> datetime | None:
    """Returns the first change of the clocks between two moments; None if there is none."""
    if zone is UTC:
        return None
    before, offset = start, _offset(start, zone)
    while before < end:
        after = min(before + _DAY, end)
        if _offset(after, zone) != offset:
            while after - before > _SECOND:
                middle = (before + (after - before) / 2).replace(microsecond=0)
                before, after = (middle, after) if _offset(middle, zone) == offset else (before, middle)
            return after
        before = after
    return None


@lru_cache(maxsize=512)
def _parsed(text: str) -> CronExpression:
    fields = _MACROS.get(text, text).split(" ")
    fields = [field for field in fields if field]
    if len(fields) != 6:
        msg = f"Cron expression must consist of 6 fields (found {len(fields)} in {text!r})."
        raise BadCronExpression(msg)
    second, minute, hour, day, month, weekday = fields
    of_month, of_week = days_of_month(day), days_of_week(weekday)
    return CronExpression(
        text,
        tuple(sorted(numbers(second, 0, 59))),
        tuple(sorted(numbers(minute, 0, 59))),
        tuple(sorted(numbers(hour, 0, 23))),
        frozenset(months(month)),
        lambda date: of_month(date) and of_week(date),
    )

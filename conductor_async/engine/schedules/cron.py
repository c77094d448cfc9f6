"""Cron expressions as the server's scheduler reads them: six fields, seconds first, as in Spring.

```
second minute hour day-of-month month day-of-week
0 30 9 * * MON-FRI        half past nine on weekdays
0 0 12 LW * ?             noon on the last weekday of each month
```

Unlike in Unix, a day has to meet both the day of month and the day of week.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

__all__ = ["BadCronExpression", "CronExpression"]

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
_YEARS_TO_LOOK_AHEAD = 40
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]
_MACROS = {
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *",
    "@midnight": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}


class BadCronExpression(ValueError):  # noqa: N818 - named for what it is about
    """The text is no cron expression."""


@dataclass(frozen=True, slots=True)
class CronExpression:
    """A cron expression.

    Attributes:
        text: As it was written.
        days: Says whether a date is meant.
    """

    text: str
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: frozenset[int]
    days: Callable[[date], bool]

    @classmethod
    def parse(cls, text: str) -> CronExpression:
        """Read an expression.

        Raises:
            BadCronExpression: It is none.
        """
        return _parsed(text)

    def after(self, moment: float, zone: tzinfo = UTC) -> float | None:
        """The next time after a moment, both in epoch seconds. None if there is none for decades.

        Times that a change of the clocks leaves out are left out, those that it repeats come twice.
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
        """The first time that matches, from `start` on, on a clock that is never changed."""
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
    """When the clocks are changed for the first time after `start`, until `end`."""
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


# -- reading -----------------------------------------------------------------------------------------


@lru_cache(maxsize=512)
def _parsed(text: str) -> CronExpression:
    fields = _MACROS.get(text, text).split(" ")
    fields = [field for field in fields if field]
    if len(fields) != 6:
        msg = f"Cron expression must consist of 6 fields (found {len(fields)} in {text!r})."
        raise BadCronExpression(msg)
    second, minute, hour, day, month, weekday = fields
    of_month, of_week = _days_of_month(day), _days_of_week(weekday)
    return CronExpression(
        text,
        tuple(sorted(_numbers(second, 0, 59))),
        tuple(sorted(_numbers(minute, 0, 59))),
        tuple(sorted(_numbers(hour, 0, 23))),
        frozenset(_numbers(_with_numbers(month, _MONTHS), 1, 12)),
        lambda date: of_month(date) and of_week(date),
    )


def _with_numbers(field: str, names: list[str]) -> str:
    field = field.upper()
    for number, name in enumerate(names, start=1):
        field = field.replace(name, str(number))
    return field


def _numbers(field: str, lowest: int, highest: int) -> set[int]:
    """What a list of numbers, ranges and steps comes to."""
    numbers: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        start, end = _range(span, lowest, highest)
        if not slash:
            numbers.update(range(start, end + 1))
        else:
            if "-" not in span and span != "*":
                end = highest
            if not step.isdigit() or int(step) < 1:
                raise BadCronExpression(f"No step: {part!r}.")
            numbers.update(range(start, end + 1, int(step)))
    return numbers


def _range(span: str, lowest: int, highest: int) -> tuple[int, int]:
    if span == "*":
        return lowest, highest
    start, dash, end = span.partition("-")
    ends = [_number(start, lowest, highest), _number(end if dash else start, lowest, highest)]
    if highest == _SUNDAY and dash and ends[0] == _SUNDAY:
        ends[0] = 0
    if ends[0] > ends[1]:
        raise BadCronExpression(f"The range ends before it starts: {span!r}.")
    return ends[0], ends[1]


_SUNDAY = 7


def _number(text: str, lowest: int, highest: int) -> int:
    number = int(text) if re.fullmatch(r"\d+", text, re.ASCII) else -1
    if not (lowest <= number <= highest or (highest == _SUNDAY and number == 0)):
        raise BadCronExpression(f"Not between {lowest} and {highest}: {text!r}.")
    return number


def _days_of_month(field: str) -> Callable[[date], bool]:
    if field == "?":
        field = "*"
    return _any_of([_day_of_month(part) for part in field.split(",")])


def _day_of_month(part: str) -> Callable[[date], bool]:
    if part == "L":
        return lambda date: date.day == _last_day(date)
    if part == "LW":
        return lambda date: date.day == _last_weekday(date)
    if found := re.fullmatch(r"L-(\d+)", part, re.ASCII):
        back = int(found[1])
        return lambda date: date.day == _last_day(date) - back
    if found := re.fullmatch(r"(\d+)W", part, re.ASCII):
        wanted = _number(found[1], 1, 31)
        return lambda date: _is_nearest_weekday(date, wanted)
    numbers = _numbers(part, 1, 31)
    return lambda date: date.day in numbers


def _days_of_week(field: str) -> Callable[[date], bool]:
    if field == "?":
        field = "*"
    return _any_of([_day_of_week(part) for part in _with_numbers(field, _DAYS).split(",")])


def _day_of_week(part: str) -> Callable[[date], bool]:
    if found := re.fullmatch(r"(\d)L", part, re.ASCII):
        last = _weekday(found[1])
        return lambda date: date.isoweekday() == last and date.day > _last_day(date) - 7
    if found := re.fullmatch(r"(\d)#(\d+)", part, re.ASCII):
        wanted, ordinal = _weekday(found[1]), int(found[2])
        if ordinal < 1:
            raise BadCronExpression(f"Not the first or later: {part!r}.")
        return lambda date: date.isoweekday() == wanted and (date.day + 6) // 7 == ordinal
    numbers = {number or _SUNDAY for number in _numbers(part, 1, _SUNDAY)}
    return lambda date: date.isoweekday() in numbers


def _weekday(text: str) -> int:
    return _number(text, 1, _SUNDAY) or _SUNDAY


def _any_of(conditions: list[Callable[[date], bool]]) -> Callable[[date], bool]:
    return conditions[0] if len(conditions) == 1 else lambda date: any(condition(date) for condition in conditions)


def _last_day(date: date) -> int:
    return calendar.monthrange(date.year, date.month)[1]


def _last_weekday(date: date) -> int:
    last = _last_day(date)
    return last - max(0, date.replace(day=last).isoweekday() - 5)


def _is_nearest_weekday(date: date, wanted: int) -> bool:
    """On that day, on the Friday before a Saturday, on the Monday after a Sunday, but not in another month."""
    weekday = date.isoweekday()
    return wanted <= _last_day(date) and (
        (date.day == wanted and weekday <= 5)
        or (date.day == wanted - 1 and weekday == 5)
        or (date.day == wanted + 1 and weekday == 1)
        or (date.day == 3 and wanted == 1 and weekday == 1)
    )

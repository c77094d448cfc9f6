"""The fields of cron expressions, as conditions on numbers and dates."""

from __future__ import annotations

import calendar
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

__all__ = ["BadCronExpression", "days_of_month", "days_of_week", "months", "numbers"]

_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]
_SUNDAY = 7


class BadCronExpression(ValueError):  # noqa: N818 - named for what it is about
    """A text cannot be parsed as a cron expression."""


def months(field: str) -> set[int]:
    """Returns the months of a field of numbers, names, ranges and steps."""
    return numbers(_names_to_numbers(field, _MONTHS), 1, 12)


def _names_to_numbers(field: str, names: list[str]) -> str:
    field = field.upper()
    for number, name in enumerate(names, start=1):
        field = field.replace(name, str(number))
    return field


def numbers(field: str, lowest: int, highest: int) -> set[int]:
    """Returns the numbers of a field: a list of numbers, ranges and steps.

    Raises:
        BadCronExpression: The field cannot be parsed.
    """
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        start, end = _range(span, lowest, highest)
        if not slash:
            found.update(range(start, end + 1))
        else:
            if "-" not in span and span != "*":
                end = highest
            if not step.isdigit() or int(step) < 1:
                raise BadCronExpression(f"The step is not a positive number: {part!r}.")
            found.update(range(start, end + 1, int(step)))
    return found


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


def _number(text: str, lowest: int, highest: int) -> int:
    number = int(text) if re.fullmatch(r"\d+", text, re.ASCII) else -1
    if not (lowest <= number <= highest or (highest == _SUNDAY and number == 0)):
        raise BadCronExpression(f"Not between {lowest} and {highest}: {text!r}.")
    return number


def days_of_month(field: str) -> Callable[[date], bool]:
    """Returns the condition that a day-of-month field puts on a date."""
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
    wanted_days = numbers(part, 1, 31)
    return lambda date: date.day in wanted_days


def days_of_week(field: str) -> Callable[[date], bool]:
    """Returns the condition that a day-of-week field puts on a date."""
    if field == "?":
        field = "*"
    return _any_of([_day_of_week(part) for part in _names_to_numbers(field, _DAYS).split(",")])


def _day_of_week(part: str) -> Callable[[date], bool]:
    if found := re.fullmatch(r"(\d)L", part, re.ASCII):
        last = _weekday(found[1])
        return lambda date: date.isoweekday() == last and date.day > _last_day(date) - 7
    if found := re.fullmatch(r"(\d)#(\d+)", part, re.ASCII):
        wanted, ordinal = _weekday(found[1]), int(found[2])
        if ordinal < 1:
            raise BadCronExpression(f"The ordinal is not a positive number: {part!r}.")
        return lambda date: date.isoweekday() == wanted and (date.day + 6) // 7 == ordinal
    weekdays = {number or _SUNDAY for number in numbers(part, 1, _SUNDAY)}
    return lambda date: date.isoweekday() in weekdays


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
    """Returns whether a date is the weekday nearest to a day of its month: Friday for Saturday, Monday for Sunday."""
    weekday = date.isoweekday()
    return wanted <= _last_day(date) and (
        (date.day == wanted and weekday <= 5)
        or (date.day == wanted - 1 and weekday == 5)
        or (date.day == wanted + 1 and weekday == 1)
        or (date.day == 3 and wanted == 1 and weekday == 1)
    )

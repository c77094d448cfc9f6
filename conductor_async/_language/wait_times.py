"""The times that a WAIT task understands."""

from __future__ import annotations

import re
from datetime import date

from conductor_async.engine.errors import Invalid

__all__ = ["parse_duration", "parse_until"]

_DURATION = re.compile(
    r"\s*(?:(\d+)\s*(?:days|day|d))?"
    r"\s*(?:(\d+)\s*(?:hours|hour|hrs|hr|h))?"
    r"\s*(?:(\d+)\s*(?:minutes|minute|mins|min|m))?"
    r"\s*(?:(\d+)\s*(?:seconds|second|secs|sec|s))?\s*",
    re.IGNORECASE | re.ASCII,
)
_UNTIL = re.compile(r"\s*(\d+)-\s*(\d+)-\s*(\d+)(?: \s*(\d+):\s*(\d+)(?: (\S+))?)?", re.ASCII)
_OFFSET = re.compile(r"([+-])(\d{2})(\d{2})|GMT([+-])(\d{1,2}):(\d{2})", re.ASCII | re.IGNORECASE)
_UNITS = (86400, 3600, 60, 1)
_LARGEST = 2**31 - 1
_DAYS_OF_400_YEARS = 146_097
_DAYS_BEFORE_1970 = date(1970, 1, 1).toordinal()


def parse_duration(text: str) -> int:
    """Seconds: `1 day 2 hours 3 minutes 4 seconds`, `1d 2h 3m 4s`. Raises `Invalid` for anything else."""
    found = _DURATION.fullmatch(text)
    if found is None or any(int(part or 0) > _LARGEST for part in found.groups()):
        msg = f"Not valid duration: {text}"
        raise Invalid(msg)
    return sum(int(part or 0) * unit for part, unit in zip(found.groups(), _UNITS, strict=True))


def parse_until(text: str) -> int:
    """Epoch milliseconds: `2030-01-31`, `2030-01-31 15:30`, `2030-01-31 15:30 CET`; without a zone in UTC.

    As on the server, what is too large rolls over: February 30 is a day in March, and 24:00 the day after.

    Raises:
        Invalid: The text is something else; the zone is none that has a constant offset, such as `Europe/Berlin`.
    """
    found = _UNTIL.fullmatch(text)
    offset = _offset(found[6]) if found else None
    if found is None or offset is None or any(int(part or 0) > _LARGEST for part in found.groups()[:5]):
        msg = f"Invalid/Unsupported Wait Until format.  Provided: {text}"
        raise Invalid(msg)
    year, month, day, hours, minutes = (int(part or 0) for part in found.groups()[:5])
    return (_days(year, month, day) * 1440 + hours * 60 + minutes - offset) * 60_000


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970, whatever the numbers are."""
    years, months = divmod(month - 1, 12)
    cycles, year_of_cycle = divmod(year + years, 400)
    first = date(year_of_cycle + 400, months + 1, 1).toordinal() + (cycles - 1) * _DAYS_OF_400_YEARS
    return first + day - 1 - _DAYS_BEFORE_1970


def _offset(zone: str | None) -> int | None:
    """Minutes east of UTC. None if there is no such zone."""
    if zone is None:
        return 0
    found = _OFFSET.fullmatch(zone)
    if found is None:
        return _ZONES.get(zone.upper())
    sign, hours, minutes = found.groups()[:3] if found[1] else found.groups()[3:]
    if int(hours) > 23 or int(minutes) > 59:
        return None
    return (int(hours) * 60 + int(minutes)) * (-1 if sign == "-" else 1)


_ABBREVIATIONS = {
    -660: "SST",
    -600: "HAST HAT HDT HST",
    -540: "AKST AKT HADT",
    -480: "AKDT PST PT",
    -420: "MST MT PDT",
    -360: "CST CT MDT",
    -300: "CDT EST ET",
    -240: "AST AT EDT",
    -210: "NST NT",
    -180: "ADT",
    -150: "NDT",
    0: "GMT UTC WET",
    60: "BST CET WAT WEST",
    120: "CAT CEST EET IST IT SAST",
    180: "EAT EEST IDT MSK",
    300: "PKST PKT",
    420: "WIB",
    480: "AWDT AWST AWT HKST HKT WITA",
    540: "JDT JST JT KST WIT",
    570: "ACDT ACST ACT",
    600: "AEST AET CHST",
    660: "AEDT",
    720: "NZST NZT",
    780: "NZDT",
}
"""Minutes east of UTC, and the abbreviations that Java knows for them, each with one offset all the year."""

_ZONES = {name: minutes for minutes, names in _ABBREVIATIONS.items() for name in names.split()}

"""The times that a WAIT task understands: durations, and points in time (`until`)."""

from __future__ import annotations

import re
from datetime import date

__all__ = ["UnknownZoneError", "WaitTimeError", "parse_duration", "parse_until"]


class WaitTimeError(ValueError):
    """The server cannot read this time. The message has the server's words."""


class UnknownZoneError(WaitTimeError):
    """The time is in a zone of a name that is not known here. The server also knows long names, in English."""


_DURATION = re.compile(
    r"\s*(?:(\d+)\s*(?:days|day|d))?"
    r"\s*(?:(\d+)\s*(?:hours|hour|hrs|hr|h))?"
    r"\s*(?:(\d+)\s*(?:minutes|minute|mins|min|m))?"
    r"\s*(?:(\d+)\s*(?:seconds|second|secs|sec|s))?\s*",
    re.IGNORECASE | re.ASCII,
)
_UNTIL = re.compile(r"\s*(\d+)-\s*(\d+)-\s*(\d+)(?: \s*(\d+):\s*(\d+)(?: (\S.*))?)?", re.ASCII)
_OFFSET = re.compile(r"([+-])(\d{2})(\d{2})|GMT([+-])(\d{1,2}):(\d{2})", re.ASCII | re.IGNORECASE)
# "UTC", "Pacific Standard Time", but no region such as "Europe/Berlin": Java's formatter does not read these.
_ZONE_NAME = re.compile(r"[^\W\d][^/\d+:]*[^\s\d/+:]")
_BLANKS = re.compile(r"\s+", re.ASCII)
_MAX_LENGTH = 1000
_SECONDS_OF_UNITS = (86400, 3600, 60, 1)
_LARGEST = 2**31 - 1  # the server reads each number as a Java int
_DAYS_OF_400_YEARS = 146_097
_DAYS_BEFORE_1970 = date(1970, 1, 1).toordinal()


def parse_duration(text: str) -> int:
    """Returns the seconds of `1 day 2 hours 3 minutes 4 seconds` or `1d 2h 3m 4s`.

    Raises:
        WaitTimeError: The text is no duration.
    """
    # Without repeated blanks, the pattern is linear: it has many places for them.
    found = _DURATION.fullmatch(_BLANKS.sub(" ", text)) if len(text) <= _MAX_LENGTH else None
    if found is None or any(int(part or 0) > _LARGEST for part in found.groups()):
        raise WaitTimeError(f"Not valid duration: {text}")
    return sum(int(part or 0) * unit for part, unit in zip(found.groups(), _SECONDS_OF_UNITS, strict=True))


def parse_until(text: str) -> int:
    """Returns the epoch milliseconds of `2030-01-31`, `2030-01-31 15:30` or `2030-01-31 15:30 CET`; UTC by default.

    As on the server, numbers that are too large roll over: February 30 is a day in March, 24:00 the day after.

    Raises:
        UnknownZoneError: The zone has a name that is not known here.
        WaitTimeError: The text is no time.
    """
    found = _UNTIL.fullmatch(text) if len(text) <= _MAX_LENGTH else None
    if found is None or any(int(part or 0) > _LARGEST for part in found.groups()[:5]):
        raise WaitTimeError(_unreadable(text))
    year, month, day, hours, minutes = (int(part or 0) for part in found.groups()[:5])
    offset = _offset(found[6], text)
    return (_days(year, month, day) * 1440 + hours * 60 + minutes - offset) * 60_000


def _unreadable(text: str) -> str:
    return f"Invalid/Unsupported Wait Until format.  Provided: {text}"


def _days(year: int, month: int, day: int) -> int:
    """Returns the days since 1970; numbers that are too large roll over."""
    years, months = divmod(month - 1, 12)
    # Python's dates end in the year 9999. The calendar repeats every 400 years, so one cycle of it is enough.
    cycles, year_of_cycle = divmod(year + years, 400)
    first = date(year_of_cycle + 400, months + 1, 1).toordinal() + (cycles - 1) * _DAYS_OF_400_YEARS
    return first + day - 1 - _DAYS_BEFORE_1970


def _offset(zone: str | None, text: str) -> int:
    """Returns the minutes east of UTC."""
    if zone is None:
        return 0
    found = _OFFSET.fullmatch(zone)
    if found is None:
        if (minutes := _ZONES.get(zone.upper())) is not None:
            return minutes
        raise (UnknownZoneError if _ZONE_NAME.fullmatch(zone) else WaitTimeError)(_unreadable(text))
    sign, hours, minutes_past = found.groups()[:3] if found[1] else found.groups()[3:]
    if int(hours) > 23 or int(minutes_past) > 59:
        raise WaitTimeError(_unreadable(text))
    return (int(hours) * 60 + int(minutes_past)) * (-1 if sign == "-" else 1)


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
"""Minutes east of UTC, with the abbreviations that Java knows. Each means one offset, in summer as in winter."""

_ZONES = {name: minutes for minutes, names in _ABBREVIATIONS.items() for name in names.split()}

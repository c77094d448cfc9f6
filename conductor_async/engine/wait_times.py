"""The times that a WAIT task understands."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from conductor_async.engine.errors import Invalid

__all__ = ["parse_duration", "parse_until"]

_DURATION = re.compile(
    r"\s*(?:(\d+)\s*(?:days|day|d))?"
    r"\s*(?:(\d+)\s*(?:hours|hour|hrs|hr|h))?"
    r"\s*(?:(\d+)\s*(?:minutes|minute|mins|min|m))?"
    r"\s*(?:(\d+)\s*(?:seconds|second|secs|sec|s))?\s*",
    re.IGNORECASE,
)
_UNTIL = re.compile(r"(\d{4}-\d{1,2}-\d{1,2})(?: (\d{1,2}:\d{1,2})(?: (.+))?)?")
_OFFSET = re.compile(r"(?:GMT|UTC)?([+-])(\d{1,2}):?(\d{2})")
_UNITS = (86400, 3600, 60, 1)


def parse_duration(text: str) -> int:
    """Seconds: `1 day 2 hours 3 minutes 4 seconds`, `1d 2h 3m 4s`. Raises `Invalid` for anything else."""
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        msg = f"Not valid duration: {text}"
        raise Invalid(msg)
    return sum(int(part or 0) * unit for part, unit in zip(found.groups(), _UNITS, strict=True))


def parse_until(text: str) -> int:
    """Epoch milliseconds: `2030-01-31 15:30 Europe/Berlin`, without zone in UTC. Raises `Invalid` for anything else."""
    found = _UNTIL.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        date, time, zone = found.groups()
        moment = datetime.strptime(f"{date} {time or '00:00'}", "%Y-%m-%d %H:%M")
        return round(moment.replace(tzinfo=_zone(zone)).timestamp() * 1000)
    except (ValueError, ZoneInfoNotFoundError) as error:
        msg = f"Invalid/Unsupported Wait Until format.  Provided: {text}"
        raise Invalid(msg) from error


def _zone(name: str | None) -> tzinfo:
    if name is None or name.strip().upper() in {"UTC", "GMT", "Z"}:
        return UTC
    offset = _OFFSET.fullmatch(name.strip())
    if offset:
        return datetime.strptime(f"{offset[1]}{int(offset[2]):02}{offset[3]}", "%z").tzinfo or UTC
    return ZoneInfo(name.strip())

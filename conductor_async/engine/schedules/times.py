"""When a schedule fires: at the first time of one of its cron expressions, between its start and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from conductor_async.engine.schedules.cron import BadCronExpression, CronExpression

if TYPE_CHECKING:
    from conductor_async.models import JsonObject

__all__ = ["next_firing", "next_time"]


def next_time(expression: str, after: int, zone: str) -> int | None:
    """Returns the first time of an expression after `after`, both in epoch milliseconds.

    Raises:
        BadCronExpression: The expression cannot be parsed.
    """
    found = CronExpression.parse(expression).after(after / 1000, ZoneInfo(zone))
    return None if found is None else round(found * 1000)


def next_firing(schedule: JsonObject, after: int) -> tuple[int, str] | None:
    """Returns the next time after `after` (epoch milliseconds), with the expression and zone that give it.

    Returns None if there is none, also if the expression is invalid: the server stores such schedules too, and they
    never fire.
    """
    after = max(after, (schedule.get("scheduleStartTime") or 0) - 1)
    times: list[tuple[int, str]] = []
    for expression, zone in _expressions(schedule):
        try:
            found = next_time(expression, after, zone)
        except (BadCronExpression, ValueError, ZoneInfoNotFoundError):
            continue
        if found is not None:
            times.append((found, f"{expression} {zone}"))
    first = min(times, default=None)
    end = schedule.get("scheduleEndTime") or 0
    return first if first is not None and (end <= 0 or first[0] <= end) else None


def _expressions(schedule: JsonObject) -> list[tuple[str, str]]:
    several: list[JsonObject] = schedule["cronSchedules"]
    if several:
        return [(one["cronExpression"], one["zoneId"]) for one in several if one.get("cronExpression")]
    expression = schedule.get("cronExpression")
    return [(expression, schedule["zoneId"])] if expression else []

"""The query language of schedule runs: `scheduleName IN (a,b) AND state IN (EXECUTED) AND scheduledTime>0`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from conductor_async.engine.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from conductor_async.models import JsonObject

__all__ = ["run_filter"]

_AND = re.compile(r"\s+AND\s+")
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]+")
_LISTS = {"scheduleName IN (": "scheduleName", "state IN (": "state"}
_TEXTS = {"workflowName=": "workflowName", "executionId=": "executionId"}


def run_filter(query: str | None) -> Callable[[JsonObject], bool]:
    """Returns whether a run meets a query. As on the server, a condition that it does not know is a schedule's name.

    Raises:
        Refused: A time is not a whole number.
    """
    wanted: dict[str, set[str]] = {"scheduleName": set(), "state": set()}
    equal: dict[str, str] = {}
    after, before = None, None
    for condition in filter(None, map(str.strip, _AND.split(query or ""))):
        key, value = _split(condition)
        if key in _LISTS and value.endswith(")"):
            wanted[_LISTS[key]] |= set(filter(None, map(str.strip, value[:-1].split(","))))
        elif key == "scheduledTime>":
            after = _time(value)
        elif key == "scheduledTime<":
            before = _time(value)
        elif key in _TEXTS:
            equal[_TEXTS[key]] = value.strip()
        else:
            wanted["scheduleName"].add(condition)

    def holds(run: JsonObject) -> bool:
        time: int = run["scheduledTime"]
        return (
            all(not values or run[name] in values for name, values in wanted.items())
            and all(not value or run[name] == value for name, value in equal.items())
            and (after is None or time > after)
            and (before is None or time < before)
        )

    return holds


def _split(condition: str) -> tuple[str, str]:
    """Returns the operator that a condition begins with, as the server writes it, and the rest."""
    for key in (*_LISTS, *_TEXTS, "scheduledTime>", "scheduledTime<"):
        if condition.startswith(key):
            return key, condition.removeprefix(key)
    return "", condition


def _time(text: str) -> int:
    if not _WHOLE_NUMBER.fullmatch(text.strip()):
        msg = f'For input string: "{text.strip()}"'
        raise Refused(msg)
    return int(text)

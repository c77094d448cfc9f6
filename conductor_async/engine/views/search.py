"""The query language of searches, as the real server's SQLite index understands it.

```
workflowType='orders' AND status IN (FAILED,TIMED_OUT) AND startTime>1767225600000
```

Conditions can only be joined by ` AND `. Fields that are not indexed are ignored.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypedDict

from conductor_async.engine.errors import Invalid, Refused
from conductor_async.engine.rows.rendering import iso_time

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from conductor_async.models import JsonObject

__all__ = ["TASK_FIELDS", "WORKFLOW_FIELDS", "Hits", "Search", "SearchOptions", "find"]

WORKFLOW_FIELDS = frozenset(
    {
        *("workflow_id", "correlation_id", "workflow_type", "start_time", "end_time", "update_time", "status"),
        *("parent_workflow_id", "classifier", "json_data"),
    }
)
"""The columns of the index of executions."""

TASK_FIELDS = frozenset(
    {
        *("task_id", "task_type", "task_def_name", "status", "start_time", "end_time", "update_time"),
        *("workflow_type", "json_data"),
    }
)
"""The columns of the index of tasks."""

_KNOWN_FIELDS = WORKFLOW_FIELDS | TASK_FIELDS
_EPOCH = "1970-01-01T00:00:00.000Z"


class Hits(NamedTuple):
    """The result of a search.

    Attributes:
        total: The number of matches.
        page: The matches on the requested page.
    """

    total: int
    page: list[JsonObject]


class SearchOptions(TypedDict, total=False):
    """The parameters of every search: see `Search`. The default page is the first 100 matches."""

    start: int
    size: int
    sort: str | None
    free_text: str
    query: str | None


class Search:
    """A parsed query over summaries.

    Args:
        query: Conditions, joined by ` AND `. None or empty matches all.
        free_text: A text that the summary must contain, ignoring case; `*` is a wildcard.
        sort: `field:ASC|field:DESC`. Parts of another form are ignored.
        fields: The columns of the index: `WORKFLOW_FIELDS` or `TASK_FIELDS`.

    Raises:
        Invalid: The query cannot be parsed.
        Refused: It names a column that the index does not have, or a time that is no number.
    """

    def __init__(
        self,
        query: str | None = None,
        *,
        free_text: str | None = "*",
        sort: str | None = None,
        fields: Collection[str] = WORKFLOW_FIELDS,
    ) -> None:
        self._conditions = [_condition(text, fields) for text in query.split(" AND ")] if query else []
        if free_text and free_text != "*":
            self._conditions.append(_like("json_data", f"%{free_text}%"))
        self._order = list(_order(sort, fields))

    def matches(self, summary: JsonObject) -> bool:
        """Returns whether a summary meets all conditions."""
        return all(condition(summary) for condition in self._conditions)

    def among(self, summaries: Iterable[JsonObject], *, start: int = 0, size: int = 100) -> Hits:
        """Returns the matches, sorted; without a sort in the given order."""
        found = [summary for summary in summaries if self.matches(summary)]
        for field, descending in reversed(self._order):
            found.sort(key=lambda summary: _sortable(_column(summary, field)), reverse=descending)
        begin = max(start, 0)
        return Hits(len(found), found[begin : begin + size] if size >= 0 else found[begin:])


def find(summaries: Iterable[JsonObject], options: SearchOptions, fields: Collection[str] = WORKFLOW_FIELDS) -> Hits:
    """Searches summaries of executions or tasks. Raises what `Search` raises."""
    search = Search(
        options.get("query"), free_text=options.get("free_text", "*"), sort=options.get("sort"), fields=fields
    )
    return search.among(summaries, start=options.get("start", 0), size=options.get("size", 100))


def _sortable(value: str | None) -> tuple[bool, str]:
    return (value is not None, value or "")


# -- conditions --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Parts:
    field: str
    operator: str
    values: Sequence[str]


def _condition(text: str, fields: Collection[str]) -> Callable[[JsonObject], bool]:
    parts = _read(text)
    if parts.field not in _KNOWN_FIELDS:
        return lambda _: True
    if parts.field not in fields:
        raise _no_such_column(parts.field)
    return _comparison(parts)


def _no_such_column(field: str) -> Refused:
    return Refused(
        f"Cannot prepare statement for query: [SQLITE_ERROR] SQL error or missing database (no such column: {field})"
    )


def _read(text: str) -> _Parts:
    found = _CONDITION.search(text)
    if found is None:
        msg = f"Incorrectly formatted query string: {text}"
        raise Invalid(msg)
    field = _snake(found[1])
    values = _without_empty_end(_DECORATION.sub("", found[3]).split(","))
    if field.endswith("_time"):
        values[0] = _as_iso(values[0])
    operator = "=" if found[2] == "IN" and len(values) == 1 else found[2]
    return _Parts(field, operator, values)


_CONDITION = re.compile(r"(?<![a-zA-Z])([a-zA-Z]+)\s?(=|>|<|IN)\s?(.*)")
_DECORATION = re.compile(r"[\"'()]")


def _without_empty_end(values: list[str]) -> list[str]:
    while len(values) > 1 and not values[-1]:
        values.pop()
    return values


def _snake(camel: str) -> str:
    return re.sub(r"\B([A-Z])", r"_\1", camel).lower()


def _as_iso(millis: str) -> str:
    if re.fullmatch(r"[+-]?\d+", millis) is None:
        raise Refused(f'For input string: "{millis}"')
    return iso_time(int(millis))


def _comparison(parts: _Parts) -> Callable[[JsonObject], bool]:
    field, values = parts.field, parts.values
    if parts.operator == "IN":
        wanted = frozenset(values)
        return lambda summary: _column(summary, field) in wanted
    if len(values) > 1:
        raise Refused("Index 3 out of bounds for length 3")  # several values where one is expected
    if parts.operator == "=" and "*" in values[0] and not field.endswith("_time"):
        return _like(field, values[0])
    value = values[0].replace("*", "%")
    if parts.operator == "=":
        return lambda summary: _column(summary, field) == value
    if parts.operator == ">":
        return lambda summary: (found := _column(summary, field)) is not None and found > value
    return lambda summary: (found := _column(summary, field)) is not None and found < value


def _like(field: str, pattern: str) -> Callable[[JsonObject], bool]:
    """Returns SQL's LIKE, ignoring case: `*` and `%` match any text, `_` any character."""
    wanted = pattern.replace("*", "%").lower()
    return lambda summary: (found := _column(summary, field)) is not None and _is_like(found.lower(), wanted)


def _is_like(text: str, pattern: str) -> bool:
    """Matches without a regular expression, whose time would be exponential in the number of wildcards."""
    at = in_pattern = 0
    wildcard, resume = -1, 0
    while at < len(text):
        expected = pattern[in_pattern : in_pattern + 1]
        if expected == "%":
            wildcard, resume = in_pattern, at
            in_pattern += 1
        elif expected in ("_", text[at]):
            at += 1
            in_pattern += 1
        elif wildcard >= 0:  # the last wildcard takes one character more
            resume += 1
            at, in_pattern = resume, wildcard + 1
        else:
            return False
    return not pattern[in_pattern:].strip("%")


def _column(summary: JsonObject, field: str) -> str | None:
    if field == "json_data":
        return json.dumps(summary, separators=(",", ":"), ensure_ascii=False)
    value: str | None = summary.get(_camel(field))
    return _EPOCH if value is None and field == "end_time" else value


def _camel(snake: str) -> str:
    first, *rest = snake.split("_")
    return first + "".join(part.title() for part in rest)


def _order(sort: str | None, fields: Collection[str]) -> Iterable[tuple[str, bool]]:
    for part in (sort or "").split("|"):
        name, colon, direction = part.partition(":")
        field = _snake(name)
        if colon and field in _KNOWN_FIELDS and direction.upper() in {"ASC", "DESC"}:
            if field not in fields:
                raise _no_such_column(field)
            yield field, direction.upper() == "DESC"

"""The definitions in the recorded exchanges with a real server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORDED = Path(__file__).parents[1] / "transcripts" / "server-3.32.1.jsonl"


def recorded_definitions() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every workflow definition that was sent or answered, with the case that it is from."""
    for line in RECORDED.read_text(encoding="utf-8").splitlines():
        exchange = json.loads(line)
        for side in ("request", "response"):
            for found in _definitions_in(exchange.get(side)):
                yield exchange["case"], found


def _definitions_in(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        tasks = value.get("tasks")
        if "name" in value and isinstance(tasks, list) and tasks and "taskReferenceName" in tasks[0]:
            yield value
        for each in value.values():
            yield from _definitions_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from _definitions_in(each)

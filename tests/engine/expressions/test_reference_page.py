"""Every row of the tables on the page about expressions holds, on the engine and on the real server."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conductor_async.engine.expressions.evaluation import resolve
from conductor_async.engine.expressions.scope import Scope
from tests.engine.real_server import execute, set_variables, within_a_switch

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "expressions.md").read_text(encoding="utf-8")
INPUT: dict[str, Any] = json.loads(re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0])
ROWS = {found[1]: json.loads(found[2]) for found in re.finditer(r"^\| `([^`]*)` \| `([^`]+)` \|$", PAGE, re.MULTILINE)}
ROOTS = {
    "workflow": {"input": INPUT, "version": 1, "status": "RUNNING", "variables": {"v": "vv"}},
    "first": {"status": "COMPLETED", "input": {"v": "vv"}, "output": {}},
}


def test_the_page_has_its_tables() -> None:
    assert len(ROWS) > 60


@pytest.mark.parametrize("expression", ROWS)
def test_a_row_of_the_page_holds(expression: str) -> None:
    assert resolve(expression, Scope(ROOTS)) == ROWS[expression]


@pytest.mark.server
def test_the_rows_of_the_page_hold_on_the_server(server_url: str, new_name: Callable[[str], str]) -> None:
    templates = {f"r{number}": expression for number, expression in enumerate(ROWS)}
    tasks = [
        set_variables("first", "first", {"v": "vv"}),
        within_a_switch(set_variables("probe", "probe", templates)),
    ]
    execution = execute(server_url, new_name("page"), tasks, INPUT)
    found = next(row["inputData"] for row in execution["tasks"] if row["referenceTaskName"] == "probe")
    assert {templates[key]: value for key, value in found.items()} == ROWS

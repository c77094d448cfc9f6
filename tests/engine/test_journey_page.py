"""The page about a decision's journey names files that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explanation" / "engine-journey.md").read_text(encoding="utf-8")


def test_every_file_that_the_page_names_exists() -> None:
    named = set(re.findall(r"[\w/]+\.py\b", PAGE))
    rooms = (ROOT / "conductor_async" / "engine", ROOT / "conductor_async")
    assert [name for name in sorted(named) if not any((room / name).is_file() for room in rooms)] == []
    assert len(named) > 20

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.server
@pytest.mark.real_server
@pytest.mark.thorough
def test_the_example_runs():
    ran = subprocess.run(
        [sys.executable, "-W", "error", ROOT / "examples" / "local_server.py"],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert "is back as process" in lines[1]
    assert lines[2].endswith("went on and ended: Hello, Ada")

"""The kitchen sink serves everybody."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

KITCHEN_SINK = Path(__file__).parents[2] / "examples" / "kitchen_sink.py"


@pytest.mark.server
@pytest.mark.only_on("server", reason="without a server it runs in its own process, as the other test shows")
def test_kitchen_sink(server_url: str) -> None:
    run(CONDUCTOR_SERVER_URL=server_url)


def test_kitchen_sink_needs_no_server() -> None:
    run()


def run(**environment: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-W", "error", str(KITCHEN_SINK)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    *tasks, output = ended.stdout.splitlines()
    served = ast.literal_eval(output)
    assert sorted(each["served"] for each in served.pop("letters").values()) == ["fresh pie", "fresh tart"]
    assert served.pop("afterwards")
    assert served == {
        "guests": 3,
        "healthy": True,
        "soup": "hot soup",
        "evening": "music",
        "asked": 2,
        "toasts": 2,
        "greeted": 3,
    }
    assert {line.split()[2] for line in tasks} == {"COMPLETED"}

"""The example of two workers runs a workflow and ends: in its own process, and on a server that is named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "worker.py"


@pytest.mark.server
@pytest.mark.only_on("server", reason="without a server it runs in its own process, as the other test shows")
def test_on_a_server(server_url: str) -> None:
    run(CONDUCTOR_SERVER_URL=server_url)


def test_it_needs_no_server() -> None:
    run()


def run(**environment: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLE)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "COMPLETED {'result': 'parcel-A-1'}\n"

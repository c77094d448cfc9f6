"""The quickstart does what it says: in its own process, and on the server that the environment names."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart.py"


def run(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", str(QUICKSTART)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_quickstart_needs_no_server() -> None:
    ended = run()
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Conductor server: http://embedded.conductor/api" in ended.stdout
    assert "Its output: {'invoice': '3 x tea: 13.50'}" in ended.stdout


@pytest.mark.server
@pytest.mark.only_on("server", reason="without a server it runs in its own process, as the other test shows")
def test_quickstart_on_a_server(server_url: str) -> None:
    ended = run(CONDUCTOR_SERVER_URL=server_url)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert f"Conductor server: {server_url}" in ended.stdout
    assert "Its output: {'invoice': '3 x tea: 13.50'}" in ended.stdout
    assert "Waited for the whole: it is COMPLETED." in ended.stdout
    [workflow_id] = re.findall(r"Started execution (\S+) and waited for price_ref", ended.stdout)
    held = httpx.get(f"{server_url}/workflow/{workflow_id}").json()
    assert (held["status"], held["output"]) == ("COMPLETED", {"invoice": "3 x tea: 13.50"})
    assert [task["referenceTaskName"] for task in held["tasks"]] == ["price_ref", "invoice_ref"]


def test_quickstart_stays_short() -> None:
    assert len(QUICKSTART.read_text().splitlines()) < 85

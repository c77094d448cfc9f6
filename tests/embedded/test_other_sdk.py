"""Another SDK works against the dev server: conductor-python 2.0, installed in an environment of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import anyio.to_thread
import pytest

from conductor_async.embedded import EmbeddedConductor

PROGRAM = Path(__file__).with_name("other_sdk.py")
PACKAGE = "conductor-python==2.0.0"


@pytest.fixture(scope="session")
def other_python(pytestconfig: pytest.Config) -> Path:
    """The Python of an environment with the other SDK in it, made once and kept in pytest's cache."""
    cache = pytestconfig.cache
    assert cache is not None
    folder = cache.mkdir(PACKAGE.replace("==", "-"))
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    ready = folder / "ready"
    if not ready.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", PACKAGE], check=True)
        ready.touch()
    return python


@pytest.mark.thorough
@pytest.mark.asyncio
async def test_conductor_python_registers_starts_polls_and_completes(other_python: Path) -> None:
    def run(url: str) -> subprocess.CompletedProcess[str]:
        command = [str(other_python), str(PROGRAM), url]
        return subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)

    async with EmbeddedConductor() as embedded, embedded.serving() as url:
        ended = await anyio.to_thread.run_sync(run, url)
        assert ended.returncode == 0, ended.stderr
        said: dict[str, object] = {}
        for line in ended.stdout.splitlines():
            if line.startswith("{"):
                said |= {f"{next(iter(json.loads(line)))}": json.loads(line)}
        assert said["registered"] == {"registered": "other_sdk"}
        assert said["by_hand"] == {"by_hand": "COMPLETED", "output": {"text": "by hand"}, "tasks": 3}
        assert said["by_workers"] == {"by_workers": "COMPLETED", "output": {"text": "shipped for 13.50"}}
        assert said["missing"] == {"missing": 404}
        assert said["terminated"] == {"terminated": "TERMINATED"}
        found = await embedded.client.workflow.search(query="workflowType=other_sdk")
        assert found.total_hits == 3

"""The example of a user's tests: they pass in a run of pytest as a user has it, and they can fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "test_greetings.py"
QUIET = ("-o", "asyncio_default_fixture_loop_scope=function")  # pytest-asyncio warns where it is left out


def run(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """The file's tests in a folder of their own, where no settings of this repository reach."""
    (folder / EXAMPLE.name).write_text(text, encoding="utf-8")
    options = ["-q", "-p", "no:cacheprovider", "--rootdir", str(folder), *QUIET]
    command = [sys.executable, "-W", "error", "-m", "pytest", *options, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=folder)


def test_they_pass(tmp_path: Path) -> None:
    ended = run(tmp_path, EXAMPLE.read_text(encoding="utf-8"))
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
    assert "3 passed" in ended.stdout


def test_they_notice_another_greeting(tmp_path: Path) -> None:
    ended = run(tmp_path, EXAMPLE.read_text(encoding="utf-8").replace('f"Hello, {name}"', 'f"Bye, {name}"'))
    assert ended.returncode == 1, ended.stdout
    assert "1 failed, 2 passed" in ended.stdout

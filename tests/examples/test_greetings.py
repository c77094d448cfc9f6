"""The example of a user's tests: they pass in a run of pytest as a user has it, and they can fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "test_greetings.py"
QUIET = ("-o", "asyncio_default_fixture_loop_scope=function")  # pytest-asyncio warns where it is left out


def test_they_pass_and_notice_another_greeting(tmp_path: Path) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    (tmp_path / "test_right.py").write_text(text, encoding="utf-8")
    (tmp_path / "test_wrong.py").write_text(text.replace('f"Hello, {name}"', 'f"Bye, {name}"'), encoding="utf-8")
    # In a folder of their own, where no settings of this repository reach.
    options = ["-q", "-rf", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), *QUIET]
    command = [sys.executable, "-W", "error", "-m", "pytest", *options, str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (1, ""), ended.stdout
    assert "1 failed, 5 passed" in ended.stdout
    assert "FAILED test_wrong.py::" in ended.stdout

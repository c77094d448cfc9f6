"""Cache folders, settings and a fake Java for each test: nothing of the real machine is read or written."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.localserver.fakes import JAR_NAME, JAR_PATH, VERSION, Repository, make_java

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders and settings."""
    config = tmp_path / "jgo.conf"
    config.write_text("[repositories]\ncentral = http://127.0.0.1:9\n")  # nobody listens there
    monkeypatch.setenv("CONDUCTOR_ASYNC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("M2_REPO", str(tmp_path / "m2"))
    monkeypatch.setenv("JGO_CONFIG_FILE", str(config))
    monkeypatch.setenv("TEST_PLACES", str(tmp_path))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    return tmp_path


@pytest.fixture
def java(places: Path) -> Path:
    """The fake Java, with a server that is already unpacked."""
    app = places / "cache" / f"server-{VERSION}" / "app"
    app.mkdir(parents=True)
    (app / JAR_NAME).write_text("a jar")
    return make_java(places / "jdk" / "bin")


@pytest.fixture
def repository(places: Path) -> Iterator[Repository]:
    repository = Repository()
    (places / "jgo.conf").write_text(f"[repositories]\ncentral = {repository.url}\n")
    try:
        yield repository
    finally:
        repository.close()


@pytest.fixture
def cached_jar(places: Path) -> Path:
    """Where the jar belongs in the Maven cache."""
    return places / "m2" / JAR_PATH


@pytest.fixture
def no_unpacked_server(java: Path, places: Path) -> None:
    shutil.rmtree(places / "cache")

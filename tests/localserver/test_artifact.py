from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import pytest

from conductor_async.errors import ConfigurationError, LocalServerError
from conductor_async.localserver._artifact import fetch, install
from tests.localserver.fakes import JAR_NAME, VERSION, Repository

if TYPE_CHECKING:
    from pathlib import Path


def not_cancelled() -> None:
    pass


def test_a_jar_is_downloaded_once_into_the_maven_cache_with_its_checksum(repository: Repository, cached_jar: Path):
    assert fetch(VERSION, not_cancelled) == cached_jar
    assert cached_jar.read_bytes() == repository.jar
    assert cached_jar.with_name(f"{JAR_NAME}.sha1").read_text() == repository.sha1
    assert sorted(p.suffix for p in cached_jar.parent.iterdir()) == [".jar", ".lock", ".sha1"]
    repository.sha1 = None
    assert fetch(VERSION, not_cancelled) == cached_jar
    assert len(repository.requests) == 1


@pytest.mark.parametrize("with_checksum", [True, False])
def test_a_truncated_jar_in_the_cache_is_downloaded_again(
    repository: Repository, cached_jar: Path, with_checksum: bool
):
    cached_jar.parent.mkdir(parents=True)
    cached_jar.write_bytes(repository.jar[:1000])
    if with_checksum:
        cached_jar.with_name(f"{JAR_NAME}.sha1").write_text(str(repository.sha1))
    assert fetch(VERSION, not_cancelled).read_bytes() == repository.jar
    assert len(repository.requests) == 1


def test_a_jar_that_another_tool_has_cached_is_verified_and_used(repository: Repository, cached_jar: Path):
    cached_jar.parent.mkdir(parents=True)
    cached_jar.write_bytes(repository.jar)
    fetch(VERSION, not_cancelled)
    assert repository.requests == []


def test_an_interrupted_download_is_resumed(repository: Repository, cached_jar: Path):
    repository.cut = [400_000, 300_000]
    assert fetch(VERSION, not_cancelled).read_bytes() == repository.jar
    first, second, third = (wanted for _, wanted in repository.requests)
    assert first is None
    assert 0 < int(second[6:-1]) < int(third[6:-1]) <= 700_000


def test_a_download_of_a_killed_process_is_resumed(repository: Repository, cached_jar: Path):
    cached_jar.parent.mkdir(parents=True)
    cached_jar.with_name(f"{JAR_NAME}.part").write_bytes(repository.jar[:500_000])
    assert fetch(VERSION, not_cancelled).read_bytes() == repository.jar
    assert [wanted for _, wanted in repository.requests] == ["bytes=500000-"]


@pytest.mark.parametrize("size", [1000, 2_000_000])
def test_a_partial_download_that_does_not_match_starts_again(repository: Repository, cached_jar: Path, size: int):
    cached_jar.parent.mkdir(parents=True)
    cached_jar.with_name(f"{JAR_NAME}.part").write_bytes(b"x" * size)
    assert fetch(VERSION, not_cancelled).read_bytes() == repository.jar
    assert [wanted for _, wanted in repository.requests] == [f"bytes={size}-", None]


def test_a_repository_without_ranges_sends_the_whole_file_again(repository: Repository, cached_jar: Path):
    repository.ranges = False
    repository.cut = [400_000]
    assert fetch(VERSION, not_cancelled).read_bytes() == repository.jar


def test_a_cancelled_download_is_resumed(repository: Repository, cached_jar: Path):
    calls: list[int] = []

    def cancel() -> None:
        calls.append(1)
        if len(calls) > 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fetch(VERSION, cancel)
    assert not cached_jar.exists()
    assert fetch(VERSION, not_cancelled).read_bytes() == repository.jar
    assert repository.requests[1][1] is not None


def test_a_busy_repository_is_retried(repository: Repository, cached_jar: Path):
    repository.statuses = [503]
    assert fetch(VERSION, not_cancelled).read_bytes() == repository.jar


def test_a_jar_that_does_not_match_its_published_checksum_is_never_used(repository: Repository, cached_jar: Path):
    repository.sha1 = "0" * 40
    with pytest.raises(LocalServerError, match=r"boot\.jar is broken: its SHA-1 is [0-9a-f]{40}"):
        fetch(VERSION, not_cancelled)
    assert [p.suffix for p in cached_jar.parent.iterdir()] == [".lock"]


def test_the_error_for_an_unknown_version_names_the_url(repository: Repository):
    with pytest.raises(LocalServerError, match=r"1\.2\.3-boot\.jar\.sha1: HTTP 404"):
        fetch("1.2.3", not_cancelled)


def test_the_error_for_a_refused_download_names_the_status(repository: Repository):
    repository.statuses = [403]
    with pytest.raises(LocalServerError, match=r"boot\.jar cannot be downloaded: HTTP 403"):
        fetch(VERSION, not_cancelled)


def test_without_a_connection_the_error_says_what_to_do(places: Path):
    with pytest.raises(LocalServerError, match=r"Check the version and the\s+connection"):
        fetch(VERSION, not_cancelled)


def test_without_the_extra_the_error_names_it(places: Path, monkeypatch: pytest.MonkeyPatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "jgo"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "jgo", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'conductor-async\[server\]'"):
        fetch(VERSION, not_cancelled)


@pytest.mark.parametrize("version", ["", "../3.32.3", "3.32.3/x", "3 32"])
def test_an_invalid_version_is_rejected(places: Path, java: Path, version: str):
    with pytest.raises(ConfigurationError, match="is not a version of the Conductor server"):
        install(version, java, not_cancelled)


def test_progress_is_shown_in_tenths_without_a_terminal(repository: Repository, capsys: pytest.CaptureFixture[str]):
    fetch(VERSION, not_cancelled)
    shown = capsys.readouterr()
    assert shown.out == ""
    lines = shown.err.splitlines()
    assert lines[0] == f"conductor-async: downloading {JAR_NAME}: 0 % of 1 MB"
    assert lines[-1].endswith("100 % of 1 MB")
    assert len(lines) <= 11


@pytest.mark.usefixtures("no_unpacked_server")
def test_a_server_is_unpacked_once(repository: Repository, places: Path, java: Path):
    jar = install(VERSION, java, not_cancelled)
    assert jar.read_bytes() == repository.jar
    assert jar == places / "cache" / f"server-{VERSION}" / "app" / JAR_NAME
    first = jar.stat()
    assert install(VERSION, java, not_cancelled).stat().st_ino == first.st_ino


@pytest.mark.usefixtures("no_unpacked_server")
def test_simultaneous_starts_download_and_unpack_once(repository: Repository, java: Path):
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(install(VERSION, java, not_cancelled).stat().st_ino))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert len(repository.requests) == 1


@pytest.mark.usefixtures("no_unpacked_server")
def test_a_failed_unpacking_leaves_nothing_that_looks_complete(
    repository: Repository, java: Path, places: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FAKE_JAVA", "cannot-unpack")
    with pytest.raises(LocalServerError, match="Invalid or corrupt jarfile"):
        install(VERSION, java, not_cancelled)
    folder = places / "cache" / f"server-{VERSION}"
    assert [p.name for p in folder.iterdir()] == [".lock"]
    (folder / "unpacking-killed").mkdir()  # what a killed process leaves
    monkeypatch.delenv("FAKE_JAVA")
    install(VERSION, java, not_cancelled)
    assert sorted(p.name for p in folder.iterdir()) == [".lock", "app"]

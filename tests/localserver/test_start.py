"""Failed and cancelled starts leave nothing but the log."""

from __future__ import annotations

import asyncio
import re
import socket
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from conductor_async.errors import ConfigurationError, LocalServerError
from conductor_async.localserver import LocalServer
from conductor_async.localserver._launch import StartupWait
from conductor_async.localserver._log import Log
from tests.localserver.fakes import VERSION, running, seen, temporary_folders, until, until_gone

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio


def server(java: Path, **options: Any) -> LocalServer:
    return LocalServer(version=VERSION, java=java, **options)


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("dies", r"did not start: it ended with exit code 1\. .*no such thing as a database$"),
        ("fails", r"its log says 'APPLICATION FAILED TO START'\. .*Description: the reason$"),
        ("silent", r"it was not ready after 1 seconds without progress \(startup_timeout\)\. .*the log's first line$"),
        ("unhealthy", r"it was not ready after 1 seconds"),
        ("stranger", r"it was not ready after 1 seconds"),
    ],
)
async def test_a_failed_start_gives_the_reason_and_leaves_only_the_log(
    java: Path, places: Path, monkeypatch: pytest.MonkeyPatch, mode: str, reason: str
):
    monkeypatch.setenv("FAKE_JAVA", mode)
    local = server(java, startup_timeout=1 if mode in {"silent", "unhealthy", "stranger"} else 20)
    with pytest.raises(LocalServerError) as caught:
        await local.start()
    assert re.search(reason, str(caught.value), re.DOTALL)
    assert str(local.log_path) in str(caught.value)
    assert local.log_path.read_text().startswith("the log's first line")
    (folder,) = temporary_folders(places)
    assert [p.name for p in folder.iterdir()] == ["server.log"]
    assert not running(places)
    with pytest.raises(LocalServerError, match="not started"):
        _ = local.url


async def test_a_failed_start_can_be_tried_again(java: Path, places: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FAKE_JAVA", "dies")
    local = server(java, data_dir=places / "data")
    with pytest.raises(LocalServerError):
        await local.start()
    monkeypatch.delenv("FAKE_JAVA")
    async with local:
        assert local.pid


@pytest.mark.parametrize("kind", ["text", "locked", "missing"])
async def test_a_java_that_cannot_run_is_an_error(java: Path, places: Path, kind: str):
    if kind == "text":
        java.write_text("#!/bin/sh\nexit 3\n")
    elif kind == "locked":
        java.write_text("no program")
    else:
        java.unlink()
    with pytest.raises(ConfigurationError, match="is not a Java launcher"):
        await server(java).start()
    assert temporary_folders(places) == []


async def test_a_named_port_in_use_is_an_error_at_once(java: Path, places: Path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(LocalServerError, match=f"port {port} is in use"):
            await server(java, port=port).start()
    assert not running(places)


async def test_a_port_that_another_program_takes_first_is_replaced(
    java: Path, places: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FAKE_JAVA", "port-taken-once")
    async with server(java, data_dir=places / "data") as local:
        taken = re.search(r"Port (\d+) was already in use", local.log_path.read_text())
        assert taken
        assert taken[1] not in local.url
        assert seen(local)["pid"] == local.pid
    assert not running(places)


async def test_two_servers_never_share_their_data(java: Path, places: Path):
    async with server(java, data_dir=places / "data"):
        with pytest.raises(LocalServerError, match="is in use by another LocalServer"):
            await server(java, data_dir=places / "data").start()
    async with server(java, data_dir=places / "data"):
        pass


async def test_a_second_start_is_an_error(java: Path):
    async with server(java) as local:
        with pytest.raises(LocalServerError, match="running already"):
            await local.start()


@pytest.mark.parametrize("after", [0.0, 0.02, 0.05, 0.1, 0.3])
async def test_a_cancelled_start_leaves_nothing(
    java: Path, places: Path, monkeypatch: pytest.MonkeyPatch, after: float
):
    monkeypatch.setenv("FAKE_JAVA", "silent")
    with anyio.move_on_after(after) as scope:
        await server(java).start()
    assert scope.cancelled_caught
    assert temporary_folders(places) == []
    assert not running(places)


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("after", [0.0, 0.02, 0.05, 0.1, 0.3])
async def test_a_start_that_asyncio_cancels_leaves_nothing(
    java: Path, places: Path, monkeypatch: pytest.MonkeyPatch, after: float, again: bool
):
    monkeypatch.setenv("FAKE_JAVA", "silent")
    task = asyncio.create_task(server(java).start())
    await asyncio.sleep(after)
    task.cancel()
    if again:
        await asyncio.sleep(0)
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until_gone(places)
    await until(lambda: temporary_folders(places) == [])  # a second cancellation ends the wait, not the cleanup


async def test_a_start_takes_as_long_as_its_log_grows(tmp_path: Path):
    log = Log(tmp_path / "server.log")
    wait = StartupWait(log, 0.2)
    for line in range(4):
        with log.path.open("a") as file:
            file.write(f"line {line}\n")
        assert not wait.is_over()
        await anyio.sleep(0.1)
    await anyio.sleep(0.3)
    assert wait.is_over()


async def test_a_start_does_not_take_for_ever_though_its_log_grows(tmp_path: Path):
    log = Log(tmp_path / "server.log")
    wait = StartupWait(log, 0.05)
    with anyio.fail_after(60):
        while not wait.is_over():
            log.path.write_text(f"{log.size() * ' '}one more")
            await anyio.sleep(0.01)

"""A server after its start: what it receives, and all the ways in which it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from conductor_async.errors import ConfigurationError, LocalServerError
from conductor_async.localserver import LocalServer
from conductor_async.localserver._child import Child
from tests.localserver.fakes import VERSION, running, seen, temporary_folders, until, until_gone

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio


def server(java: Path, **options: Any) -> LocalServer:
    return LocalServer(version=VERSION, java=java, **options)


async def test_the_servers_properties_environment_and_command_line(java: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SPRING_PROFILES_ACTIVE", "production")
    monkeypatch.setenv("CONDUCTOR_SECRET_OLD", "theirs")
    monkeypatch.setenv("OTHER_VARIABLE", "kept")
    local = server(
        java,
        properties={"conductor.app.x": 5, "logging.level.root": "INFO"},
        env={"CONDUCTOR_SECRET_NEW": "ours"},
        java_options=["-Xmx2g"],
        startup_timeout=timedelta(seconds=20),
    )
    async with local:
        given = seen(local)
        port = int(local.url.removeprefix("http://127.0.0.1:").removesuffix("/api"))
        assert given["pid"] == local.pid
        assert 20000 <= port < 32000
        properties = given["properties"]
        assert (properties["server.port"], properties["server.address"]) == (port, "127.0.0.1")
        assert (properties["conductor.app.x"], properties["logging.level.root"]) == (5, "INFO")
        assert properties["conductor.integrations.ai.enabled"] is False
        assert properties["conductor.enable.ui.serving"] is False
        variables = given["environment"]
        assert variables["CONDUCTOR_SECRET_NEW"] == "ours"
        assert variables["OTHER_VARIABLE"] == "kept"
        assert {"SPRING_PROFILES_ACTIVE", "CONDUCTOR_SECRET_OLD"}.isdisjoint(variables)
        arguments = given["arguments"]
        assert arguments.index("-Xmx2g") > arguments.index("-Xmx1g")
        assert f"-Duser.home={local.data_dir}" in arguments
        assert "conductor.app.x" not in " ".join(arguments)


async def test_the_context_ends_the_processes_and_deletes_temporary_data(java: Path, places: Path):
    async with server(java) as local:
        assert temporary_folders(places) == [local.data_dir]
        assert running(places)
    assert not running(places)
    assert temporary_folders(places) == []
    for name in ("url", "client", "pid", "data_dir"):
        with pytest.raises(LocalServerError):
            getattr(local, name)
    await local.stop()  # again: nothing happens


async def test_named_folders_and_ports_are_kept(java: Path, places: Path):
    local = server(java, data_dir=places / "deep" / "data", log_path=places / "logs" / "server.log")
    async with local:
        url = local.url
        assert local.data_dir == places / "deep" / "data"
        assert local.log_path == places / "logs" / "server.log"
    assert (places / "deep" / "data" / "seen.json").exists()
    await local.start()
    assert local.url == url
    assert local.log_path.read_text().count("the log's first line") == 2
    await local.stop()


async def test_a_killed_server_is_brought_back_on_its_data_port_and_client(java: Path, places: Path):
    async with server(java) as local:
        url, folder, client, pid = local.url, local.data_dir, local.client, local.pid
        (folder / "conductor.db").write_text("data")
        await local.kill()
        assert not running(places)
        assert local.url == url
        await local.start()
        assert local.pid != pid
        assert (local.url, local.data_dir, local.client) == (url, folder, client)
        assert (folder / "conductor.db").read_text() == "data"
    assert temporary_folders(places) == []
    with pytest.raises(LocalServerError, match="not running"):
        await local.kill()


async def test_a_server_that_dies_leaves_its_log_and_a_warning(
    java: Path, places: Path, caplog: pytest.LogCaptureFixture
):
    async with server(java) as local:
        os.kill(local.pid, signal.SIGKILL)
        await until_gone(places)
        await anyio.sleep(0.5)  # its supervisor may be seen no more while it is still about to end
    assert local.log_path.read_text() == "the log's first line\n"
    assert f"ended by itself. Its log: {local.log_path}" in caplog.text


async def test_the_server_never_outlives_its_supervisor(java: Path, places: Path):
    async with server(java) as local:
        for pid in running(places) - {local.pid}:
            os.kill(pid, signal.SIGKILL)
        await until_gone(places)


async def test_cancellation_stops_it(java: Path, places: Path):
    with anyio.move_on_after(20) as scope:
        async with server(java):
            scope.cancel()
            await anyio.sleep_forever()
    assert not running(places)
    assert temporary_folders(places) == []


async def test_it_is_started_in_one_task_and_stopped_in_another(java: Path, places: Path):
    local = server(java)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(local.start)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(local.stop)
    assert not running(places)


def test_it_is_started_in_one_event_loop_and_stopped_in_another(java: Path, places: Path, anyio_backend: str):
    local = server(java)
    anyio.run(local.start, backend=anyio_backend)
    anyio.run(local.stop, backend=anyio_backend)
    assert not running(places)


async def test_a_server_that_ignores_the_stop_is_killed(java: Path, places: Path):
    (places / "data").mkdir()
    variables = {"SPRING_APPLICATION_JSON": '{"server.port": 1, "server.server-header": ""}', "FAKE_JAVA": "stubborn"}
    order = {"command": [str(java)], "folder": str(places / "data"), "grace": 0.2}
    child = Child({**order, "recording": None, "recorded": None, "leftover": None}, variables, places / "log")
    await anyio.to_thread.run_sync(child.spawn)
    await until(lambda: "first line" in (places / "log").read_text())
    child.end("stop")
    await until(lambda: child.exit_code() is not None)
    assert child.exit_code() == 128 + signal.SIGKILL


PARENT = """
import anyio, signal, sys, time
from pathlib import Path
from conductor_async.localserver import LocalServer

async def main():
    async with LocalServer(version=sys.argv[1], java=sys.argv[2]) as server:
        print(server.pid, flush=True)
        await anyio.sleep_forever()

signal.signal(signal.SIGINT, signal.default_int_handler)  # it is ignored where the tests run in the background
anyio.run(main, backend=sys.argv[3])
"""


@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_its_parent_dies(
    java: Path, places: Path, death: signal.Signals, anyio_backend: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TMPDIR", str(places / "tmp"))
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, VERSION, java, anyio_backend],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as parent:
        assert parent.stdout
        assert int(parent.stdout.readline()) in running(places)
        assert temporary_folders(places)
        parent.send_signal(death)
    anyio.run(until_gone, places)
    assert temporary_folders(places) == []


def test_it_ends_with_its_parent_even_if_a_forked_child_lives(
    java: Path, places: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TMPDIR", str(places / "tmp"))
    forking = PARENT.replace("print(", "import os; os.fork() or (time.sleep(20), os._exit(0)); print(")
    with subprocess.Popen(
        [sys.executable, "-c", forking, VERSION, java, "asyncio"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as parent:
        assert parent.stdout
        parent.stdout.readline()
        parent.kill()
        parent.wait()
        try:
            anyio.run(until_gone, places)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(parent.pid, signal.SIGKILL)


async def test_class_data_are_recorded_by_the_first_clean_exit_and_used_then(java: Path, places: Path):
    folder = places / "cache" / f"server-{VERSION}"
    async with server(java) as first, server(java) as second:
        for local in (first, second):
            assert any(a.startswith("-XX:ArchiveClassesAtExit=") for a in seen(local)["arguments"])
        assert list(folder.glob("classes-*")) == []
    (archive,) = folder.glob("classes-*.jsa")
    assert archive.read_text() == "classes"
    async with server(java) as local:
        assert f"-XX:SharedArchiveFile={archive}" in seen(local)["arguments"]
        assert not any(a.startswith("-XX:ArchiveClassesAtExit=") for a in seen(local)["arguments"])
    assert sorted(p.name.partition("-")[0] for p in folder.iterdir()) == ["app", "classes", "jdk"]


async def test_a_killed_server_records_no_class_data(java: Path, places: Path):
    async with server(java) as local:
        await local.kill()
    folder = places / "cache" / f"server-{VERSION}"
    assert sorted(p.name.partition("-")[0] for p in folder.iterdir()) == ["app", "jdk"]


async def test_class_data_that_java_rejects_are_written_again(
    java: Path, places: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = places / "cache" / f"server-{VERSION}"
    async with server(java):
        pass
    assert len(list(folder.glob("*.jsa"))) == 2
    monkeypatch.setenv("FAKE_JAVA", "refuses-class-data")
    async with server(java):
        pass
    assert list(folder.glob("*.jsa")) == []
    monkeypatch.delenv("FAKE_JAVA")
    async with server(java):
        pass
    assert len(list(folder.glob("*.jsa"))) == 2


async def test_a_java_without_class_data_works(java: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FAKE_JAVA", "knows-no-class-data")
    async with server(java) as local:
        assert "SharedArchiveFile" not in " ".join(seen(local)["arguments"])


async def test_nothing_is_written_to_the_console(java: Path, capfd: pytest.CaptureFixture[str]):
    async with server(java):
        pass
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"properties": {"server.port": 8080}}, "port=…"),
        ({"startup_timeout": 0}, "must be more than 0 seconds"),
        ({"startup_timeout": timedelta(seconds=-1)}, "must be more than 0 seconds"),
    ],
)
def test_invalid_options_are_rejected(options: dict[str, Any], message: str):
    with pytest.raises(ConfigurationError, match=message):
        LocalServer(**options)


def test_before_the_start_its_properties_raise(anyio_backend: str):
    for name in ("url", "client", "pid", "data_dir", "log_path"):
        with pytest.raises(LocalServerError):
            getattr(LocalServer(), name)

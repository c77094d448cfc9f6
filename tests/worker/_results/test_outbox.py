"""Results that a killed process had not delivered are delivered by the next one."""

from __future__ import annotations

import logging
import os
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import anyio
import httpx
import pytest

from conductor_async.errors import ConfigurationError
from conductor_async.worker.events import ResultDelivered, ResultLost, WorkerEvent
from tests.worker.fake_conductor import FakeConductor
from tests.worker.hosting import anyio_backend, beside_threads_with_a_mock_clock, echo, hosting, worker  # noqa: F401

pytestmark = pytest.mark.anyio

REFUSED = httpx.ConnectError("refused")
DOWN = {"v1": REFUSED, "v2": REFUSED, "other": REFUSED}

in_real_time = pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)


def rows(path: Path) -> int:
    file = sqlite3.connect(path)
    try:
        return file.execute("SELECT count(*) FROM results").fetchone()[0]
    finally:
        file.close()


@in_real_time
async def test_a_delivered_result_is_removed(tmp_path: Path):
    server = FakeConductor()
    server.put(20)
    async with hosting(server, worker(echo, concurrency=5), outbox=tmp_path / "out.db"):
        await server.until(lambda: len(server.results) == 20)
    assert server.statuses() == ["COMPLETED"] * 20
    assert rows(tmp_path / "out.db") == 0


@beside_threads_with_a_mock_clock
async def test_the_next_host_delivers_what_a_host_could_not(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    server, events = FakeConductor(), list[WorkerEvent]()
    server.put(3, n=1)
    server.always = dict(DOWN)
    outbox = tmp_path / "out.db"
    async with hosting(server, worker(echo, concurrency=3), outbox=outbox, grace=1, listeners=[events.append]):
        await server.until(lambda: len(server.tried) >= 3)
    assert rows(outbox) == 3
    assert [event.in_outbox for event in events if isinstance(event, ResultLost)] == [True] * 3
    assert "The outbox keeps it for the next start" in caplog.text

    server.always, events = {}, []
    with caplog.at_level(logging.INFO, logger="conductor_async"):
        async with hosting(server, echo, outbox=outbox, listeners=[events.append]):
            await server.until(lambda: len(server.results) == 3)
    assert f"The outbox {outbox} has 3 results of an earlier run" in caplog.text
    assert server.statuses() == ["COMPLETED"] * 3
    assert [result["outputData"] for result in server.results] == [{"n": 1}] * 3
    assert [event.task_type for event in events if isinstance(event, ResultDelivered)] == ["job"] * 3
    assert rows(outbox) == 0


@in_real_time
async def test_only_final_results_are_kept(tmp_path: Path):
    """A task that was given back may be somebody else's when it is given back again."""
    server = FakeConductor()
    server.put()
    begun = anyio.Event()

    async def endless() -> None:
        begun.set()
        await anyio.sleep_forever()

    async with hosting(server, worker(endless), outbox=tmp_path / "out.db", grace=0):
        await begun.wait()
        server.faults["v1"] = [REFUSED]
    assert server.statuses() == ["IN_PROGRESS"]
    assert rows(tmp_path / "out.db") == 0


@beside_threads_with_a_mock_clock
async def test_a_result_of_a_task_that_is_gone_is_removed(tmp_path: Path):
    server = FakeConductor()
    server.put()
    server.always = dict(DOWN)
    async with hosting(server, echo, outbox=tmp_path / "out.db", grace=0):
        await server.until(lambda: server.tried)
    server.always = {}
    del server.tasks["t1"]
    async with hosting(server, echo, outbox=tmp_path / "out.db"):
        await server.until(lambda: len(server.tried) > 1)
    assert rows(tmp_path / "out.db") == 0


@in_real_time
async def test_a_file_that_another_host_uses_is_rejected(tmp_path: Path):
    server = FakeConductor()
    async with hosting(server, echo, outbox=tmp_path / "out.db", poll_timeout=0.1):
        with pytest.raises(ConfigurationError, match="another process has it"):
            async with hosting(server, echo, outbox=tmp_path / "out.db"):
                pytest.fail("it started")


@in_real_time
async def test_a_file_that_is_not_an_outbox_is_rejected(tmp_path: Path):
    (tmp_path / "out.db").write_text("not a database, but a text that is long enough to be looked at" * 20)
    with pytest.raises(ConfigurationError, match="not a database"):
        async with hosting(FakeConductor(), echo, outbox=tmp_path / "out.db"):
            pytest.fail("it started")
    with pytest.raises(ConfigurationError, match="unable to open"):
        async with hosting(FakeConductor(), echo, outbox=tmp_path / "nowhere" / "out.db"):
            pytest.fail("it started")


KILLED = """
    import os, signal, sys
    import anyio, httpx
    from tests.worker.fake_conductor import FakeConductor
    from tests.worker.hosting import hosting, worker

    async def main():
        server = FakeConductor()
        server.put(3)
        server.always = {"v1": httpx.ConnectError("refused"), "v2": httpx.ConnectError("refused")}

        async def job() -> str:
            return "done"

        async with hosting(server, worker(job, concurrency=3), outbox=sys.argv[1]):
            await server.until(lambda: len(server.tried) >= 3)
            os.kill(os.getpid(), signal.SIGKILL)

    anyio.run(main)
"""


@in_real_time
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
async def test_results_survive_kill_9(tmp_path: Path):
    outbox = tmp_path / "out.db"
    root = Path(__file__).parents[3]
    died = await anyio.run_process(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(outbox)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
        stderr=subprocess.PIPE,
    )
    assert died.returncode == -9, died.stderr.decode()
    server = FakeConductor()
    server.put(3)
    server.queue.clear()
    async with hosting(server, echo, outbox=outbox, poll_timeout=0.1):
        await server.until(lambda: len(server.results) == 3)
    assert [result["outputData"] for result in server.results] == [{"result": "done"}] * 3
    assert rows(outbox) == 0


@in_real_time
async def test_a_result_that_cannot_be_read_stays_in_the_file(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    server, outbox = FakeConductor(), tmp_path / "out.db"
    async with hosting(server, echo, outbox=outbox):
        pass
    file = sqlite3.connect(outbox)
    with file:
        file.execute("INSERT INTO results (task_type, content) VALUES ('job', ?)", (b'{"taskId": 7',))
    file.close()
    server.put()
    async with hosting(server, echo, outbox=outbox):
        await server.until(lambda: len(server.results) == 1)
    assert server.statuses() == ["COMPLETED"]
    assert f"Result 1 of the outbox {outbox} cannot be read" in caplog.text
    assert rows(outbox) == 1


FULL = """
    import resource, sys
    import anyio
    from tests.worker.fake_conductor import FakeConductor
    from tests.worker.hosting import hosting, worker

    async def main():
        server = FakeConductor()

        async def job() -> str:
            return "done"

        async with hosting(server, worker(job, concurrency=1), outbox=sys.argv[1]):
            resource.setrlimit(resource.RLIMIT_FSIZE, (1, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
            server.put(3)
            await server.until(lambda: len(server.results) == 3)
        print(server.statuses())

    anyio.run(main)
"""


@in_real_time
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of file sizes")
async def test_a_file_that_cannot_be_written_is_logged_once_and_results_are_delivered(tmp_path: Path):
    root = Path(__file__).parents[3]
    done = await anyio.run_process(
        [sys.executable, "-c", textwrap.dedent(FULL), str(tmp_path / "out.db")],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
        stderr=subprocess.PIPE,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode().strip() == str(["COMPLETED"] * 3)
    assert done.stderr.decode().count("cannot be written") == 1

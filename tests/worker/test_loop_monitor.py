"""A worker that blocks the event loop is named, once, with its stack."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import anyio
import pytest

from conductor_async.worker.events import EventLoopBlocked, WorkerEvent
from tests.worker.fake_conductor import FakeConductor
from tests.worker.hosting import echo, hosting, worker

pytestmark = pytest.mark.anyio


async def test_a_worker_that_blocks_is_named_once_with_its_stack(caplog: pytest.LogCaptureFixture):
    server, events = FakeConductor(), list[WorkerEvent]()
    server.put(2)

    def compute() -> None:
        time.sleep(1.4)

    async def blocking() -> None:
        compute()

    async with hosting(server, worker(blocking), poll_timeout=0.1, listeners=[events.append]) as host:
        await server.until(lambda: len(server.results) == 2)
        await server.until(lambda: host.health().longest_loop_lag > 0.5)
    warnings = [text for text in caplog.messages if "has blocked the event loop" in text]
    assert len(warnings) == 1
    assert "The worker 'job'" in warnings[0]
    assert "time.sleep(1.4)" in warnings[0]
    assert [
        (event.task_type, "in compute" in event.stack) for event in events if isinstance(event, EventLoopBlocked)
    ] == [("job", True)]


async def test_something_else_that_blocks_is_reported_too(caplog: pytest.LogCaptureFixture):
    async with hosting(FakeConductor(), echo, poll_timeout=0.1):
        await anyio.sleep(0.1)
        time.sleep(1.4)  # noqa: ASYNC251
        await anyio.sleep(0.1)
    assert "Something other than a worker has blocked the event loop" in caplog.text


async def test_a_plain_function_blocks_nothing(caplog: pytest.LogCaptureFixture):
    server = FakeConductor()
    server.put()

    def slow() -> None:
        time.sleep(1.2)

    async with hosting(server, worker(slow), poll_timeout=0.1) as host:
        await server.until(lambda: server.results)
        assert host.health().loop_lag < 0.5
    assert "blocked the event loop" not in caplog.text


HALTING = """
import asyncio, time
from conductor_async import WorkerHost, worker_task
from conductor_async.embedded import EmbeddedConductor

@worker_task("job")
async def job() -> None: ...

async def main() -> None:
    async with EmbeddedConductor() as embedded, WorkerHost(embedded.client, [job]):
        print("ready", flush=True)
        while True:
            time.sleep(0.4)  # so that the loop is asked while it has no time, but not for long
            await asyncio.sleep(0)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGSTOP")
def test_a_machine_that_has_no_time_for_the_process_is_nobody_s_fault():
    """Stopped for a second, again and again, as by a machine that is busy with others."""
    command = [sys.executable, "-c", HALTING]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "ready\n"
        for _ in range(8):
            time.sleep(0.35)
            process.send_signal(signal.SIGSTOP)
            time.sleep(0.8)
            process.send_signal(signal.SIGCONT)
        time.sleep(0.3)
        process.kill()
        assert process.stderr.read() == ""

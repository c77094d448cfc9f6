"""A host that stops depends on nothing that hangs, and leaves no task without an owner."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import pytest

from conductor_async import ConductorClient, ConductorWorkflow, SimpleTask, TaskDef
from conductor_async.worker.events import WorkerEvent
from tests.worker.fake_conductor import FakeConductor
from tests.worker.hosting import anyio_backend, echo, hosting, only_with_a_mock_clock, worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from conductor_async import WorkflowHandle

__all__ = ["anyio_backend"]

pytestmark = pytest.mark.anyio


@only_with_a_mock_clock
async def test_a_coroutine_that_does_not_end_is_named_and_left_behind(caplog: pytest.LogCaptureFixture) -> None:
    server, events = FakeConductor(), list[WorkerEvent]()
    server.put()
    released = anyio.Event()

    async def wait_shielded() -> None:
        with anyio.CancelScope(shield=True):
            await released.wait()

    async with hosting(server, worker(wait_shielded), grace=3, listeners=[events.append]):
        await anyio.sleep(0.1)
        began = anyio.current_time()
    assert anyio.current_time() - began == pytest.approx(8, abs=0.5)
    assert server.tasks["t1"]["status"] == "SCHEDULED"
    [text] = [each for each in caplog.messages if "left behind" in each]
    assert "'job'" in text
    assert "t1" in text
    assert __file__ in text
    released.set()


async def test_what_polls_bring_to_a_host_that_stops_at_once_is_handed_back() -> None:
    server = FakeConductor()

    async def answer_late() -> None:
        await anyio.sleep(0.3)
        server.put(1)

    server.faults["poll"] = [answer_late]
    async with hosting(server, echo, poll_timeout=0.5) as host:
        await server.until(lambda: server.polls)
        host.stop(at_once=True)
    assert server.statuses() == ["IN_PROGRESS"]
    assert server.tasks["t1"]["status"] == "SCHEDULED"


PROGRAM = """
import sys, time
import anyio
from conductor_async import ConductorClient, WorkerHost, worker_task

@worker_task(sys.argv[2], concurrency=1)
async def job(how: str) -> None:
    print("running", flush=True)
    if how == "sleep":
        time.sleep(300)
    while True:
        try:
            if how == "ignore":
                await anyio.sleep(300)
        except BaseException:
            pass

async def main() -> None:
    async with ConductorClient(sys.argv[1]) as conductor:
        await WorkerHost(conductor, [job], grace=0).run(signals=True)

anyio.run(main, backend=sys.argv[3])
"""


@asynccontextmanager
async def hanging_program(
    server_url: str, name: str, how: str, backend: str
) -> AsyncIterator[tuple[subprocess.Popen[str], WorkflowHandle]]:
    """Yields a process whose function hangs, and the execution whose task it is."""
    async with ConductorClient(server_url) as conductor:
        await conductor.metadata.register_task_def(TaskDef(name=name, retry_count=0))
        workflow = ConductorWorkflow(executor=conductor.executor, name=f"{name}_flow", version=1)
        workflow.add(SimpleTask(name, "job", input_parameters={"how": how}))
        await workflow.register()
        handle = await workflow.start({})
        command = [sys.executable, "-c", PROGRAM, server_url, name, backend]
        process = await anyio.to_thread.run_sync(
            lambda: subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )
        try:
            assert process.stdout is not None
            assert await anyio.to_thread.run_sync(process.stdout.readline) == "running\n"
            yield process, handle
        finally:
            process.kill()
            process.communicate()


async def check_that_it_ends(process: subprocess.Popen[str], handle: WorkflowHandle, *signals: int) -> None:
    """Checks that the process ends within half a minute after these signals, and that its task is free again."""
    for number in signals:
        process.send_signal(number)
        await anyio.sleep(0.1)
    await anyio.to_thread.run_sync(lambda: process.wait(30))
    [task] = (await handle.get()).tasks
    assert task.status == "SCHEDULED"
    assert process.stderr is not None
    assert task.task_def_name in process.stderr.read()


NAMES = [("sleep", "asyncio"), ("compute", "trio")]
LONG = [("sleep", "asyncio"), ("compute", "trio"), ("ignore", "asyncio"), ("ignore", "trio")]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize(("how", "backend"), NAMES)
async def test_the_second_signal_ends_a_process_whose_loop_is_blocked(
    server_url: str, new_name: Callable[[str], str], how: str, backend: str
) -> None:
    async with hanging_program(server_url, new_name("hangs"), how, backend) as (process, handle):
        await check_that_it_ends(process, handle, signal.SIGINT, signal.SIGTERM)
        assert process.returncode == 1


@pytest.mark.thorough
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize(("how", "backend"), LONG)
async def test_one_signal_ends_a_process_whose_function_hangs_after_its_deadline(
    server_url: str, new_name: Callable[[str], str], how: str, backend: str
) -> None:
    async with hanging_program(server_url, new_name("hangs"), how, backend) as (process, handle):
        await check_that_it_ends(process, handle, signal.SIGTERM)
        assert process.returncode == (0 if how == "ignore" else 1)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_third_signal_waits_for_nothing(server_url: str, new_name: Callable[[str], str]) -> None:
    async with hanging_program(server_url, new_name("hangs"), "sleep", "asyncio") as (process, _):
        for _ in range(3):
            process.send_signal(signal.SIGINT)
            await anyio.sleep(0.1)
        assert await anyio.to_thread.run_sync(lambda: process.wait(30)) == 1

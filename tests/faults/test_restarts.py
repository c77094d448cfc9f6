"""Hosts that are restarted under load, on the real server: by SIGTERM nobody notices, after SIGKILL nothing is lost."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from conductor_async import ConductorClient
from tests.faults.load import Load, attempts
from tests.faults.rig import Fault, Operation, Storm, between, over_tcp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

pytestmark = [
    pytest.mark.server,
    pytest.mark.only_on("server", reason="processes that are killed leave traces in its database only"),
    pytest.mark.thorough,
    pytest.mark.anyio,
    pytest.mark.parametrize("anyio_backend", ["asyncio"]),
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM"),
]

SCRIPT = Path(__file__).with_name("host_process.py")


class Hosts:
    """Host processes for one task type.

    Attributes:
        record: What they did: `begin` and `end` of each run, `ready` and `left` of each process.
        log: Their standard error, kept for a failure.
    """

    def __init__(self, url: str, task_type: str, folder: Path, *, outbox: bool = False) -> None:
        self._command = [sys.executable, str(SCRIPT), url, task_type, str(folder / "record")]
        self._outbox = [str(folder / "outbox.db")] if outbox else []
        self.record = folder / "record"
        self.log = folder / "log"
        self.running: list[subprocess.Popen[bytes]] = []

    def lines(self) -> list[str]:
        return self.record.read_text().splitlines() if self.record.exists() else []

    def runs(self) -> Counter[str]:
        """How often each task was run to its end."""
        return Counter(line.split()[1] for line in self.lines() if line.startswith("end "))

    def in_flight(self) -> int:
        """How many runs have begun and not ended."""
        return sum(line.startswith("begin ") for line in self.lines()) - self.runs().total()

    def open_the_gate(self) -> None:
        """Lets runs come to their end."""
        self.record.with_name("record.gate").touch()

    async def begin(self, *, url: str | None = None) -> subprocess.Popen[bytes]:
        """One more host, when it is ready to be stopped."""
        ready = self.lines().count("ready")
        command = [*self._command, *self._outbox]
        if url:
            command[2] = url
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, stderr=log, cwd=SCRIPT.parents[2])  # noqa: ASYNC220 - it takes no time
        self.running.append(process)
        await self.until(lambda: self.lines().count("ready") > ready)
        return process

    async def end(self, process: subprocess.Popen[bytes], number: signal.Signals) -> int:
        """Sends a signal, and waits for the exit."""
        process.send_signal(number)
        self.running.remove(process)
        return await anyio.to_thread.run_sync(process.wait, 30)

    async def until(self, condition: Callable[[], bool], within: float = 60) -> None:
        with anyio.move_on_after(within):
            while not condition():  # noqa: ASYNC110 - it happens in another process
                await anyio.sleep(0.05)
            return
        raise AssertionError(f"it did not come true within {within:g} s\n{self.log.read_text()[-3000:]}")


@asynccontextmanager
async def hosts_and_load(
    url: str, task_type: str, folder: Path, **options: object
) -> AsyncIterator[tuple[Hosts, Load]]:
    outbox = bool(options.pop("outbox", False))
    hosts = Hosts(url, task_type, folder, outbox=outbox)
    async with ConductorClient(url) as conductor:
        load = Load(conductor, task_type, **options)  # type: ignore[arg-type]
        try:
            await load.register()
            yield hosts, load
        finally:
            for process in hosts.running:
                process.kill()
                process.wait()
            with anyio.CancelScope(shield=True, deadline=anyio.current_time() + 10):
                await load.clean_up()


async def test_three_hosts_restarted_in_turn_by_sigterm(server_url: str, new_name, tmp_path: Path):
    """Twenty tasks in flight in each, and more coming; no attempt fails or times out, none is made twice."""
    async with hosts_and_load(server_url, new_name("rolling"), tmp_path, tasks=2) as (hosts, load):
        await load.start(60)
        old = [await hosts.begin() for _ in range(3)]
        await hosts.until(lambda: hosts.in_flight() == 60)
        hosts.open_the_gate()
        for process in old:
            await load.start(15)
            assert await hosts.end(process, signal.SIGTERM) == 0
            await hosts.begin()
        executions = await load.ended()
        for process in list(hosts.running):
            assert await hosts.end(process, signal.SIGTERM) == 0
        assert Counter(str(each.status) for each in executions) == {"COMPLETED": 105}
        assert attempts(executions) == {"COMPLETED": 210}
        assert hosts.runs() == dict.fromkeys({task.task_id for each in executions for task in each.tasks}, 1)
        assert hosts.lines().count("left") == 6


async def test_a_host_killed_under_load_leaves_its_tasks_to_the_others(server_url: str, new_name, tmp_path: Path):
    """What ran in it waits for its response timeout, and nothing else does."""
    async with hosts_and_load(server_url, new_name("killed"), tmp_path, response_timeout=8) as (hosts, load):
        await load.start(60)
        victim, *_ = [await hosts.begin() for _ in range(3)]
        await hosts.until(lambda: hosts.in_flight() == 60)
        assert await hosts.end(victim, signal.SIGKILL) == -signal.SIGKILL
        hosts.open_the_gate()
        await anyio.sleep(9)
        await load.look_for_timeouts()
        executions = await load.ended(within=120)
        assert Counter(str(each.status) for each in executions) == {"COMPLETED": 60}
        assert attempts(executions) == {"COMPLETED": 60, "TIMED_OUT": 20}


async def test_with_an_outbox_results_outlive_sigkill(server_url: str, new_name, tmp_path: Path, seed: int):
    """The server takes no results while the tasks run. The next process delivers them; no task is run again."""
    storm = _no_results_get_through(random.Random(seed))
    async with (
        between(over_tcp(server_url), storm, seed=seed) as rig,
        hosts_and_load(server_url, new_name("outbox"), tmp_path, outbox=True, response_timeout=3600) as (hosts, load),
    ):
        await load.start(20)
        hosts.open_the_gate()
        victim = await hosts.begin(url=rig.url)
        await hosts.until(lambda: hosts.runs().total() == 20)
        await anyio.sleep(0.2)  # results are written to the outbox as soon as the function has returned
        assert await hosts.end(victim, signal.SIGKILL) == -signal.SIGKILL
        assert (await load.statuses()) == {"RUNNING": 20}
        await hosts.begin()
        executions = await load.ended()
        assert attempts(executions) == {"COMPLETED": 20}
        assert set(hosts.runs().values()) == {1}


def _no_results_get_through(seeded: random.Random) -> Storm:
    others = tuple(each for each in Operation if each not in (Operation.RESULT, Operation.UPDATE_V2))
    return Storm(seeded, 1.0, (Fault.RESET_BEFORE, Fault.BAD_GATEWAY, Fault.UNAVAILABLE), spares=others)

"""Half an hour of mixed faults on a real server: `nox -s soak`, or `python -m tests.faults.soak --minutes 30`.

Executions are started at a steady rate, safely, through a proxy whose weather changes every few seconds; a host in a
process of its own works them off, and is left and entered again now and then; the server is killed and comes back. In
the end the weather is fine for as long as it takes, and the server is asked what became of everything.

Prints its figures. Fails if anything was lost, orphaned, or started twice. `--seed` repeats a run's weather.
"""

from __future__ import annotations

import argparse
import json
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import psutil

from conductor_async import ConductorClient, ConductorError, Configuration
from conductor_async.errors import NotFoundError
from conductor_async.localserver import LocalServer
from tests.fakes.clients import client_of
from tests.faults.diary import Diary
from tests.faults.load import Load
from tests.faults.rig import Fault, Rig, Storm, between, over_tcp

if TYPE_CHECKING:
    from conductor_async.models import Task

ROOT = Path(__file__).parents[2]
WARM_UP = 0.15
"""The part of the time after which memory is first looked at: pools are filled then, models are built."""

LONG_EVERY = 20
"""Every so many executions have a task that outlives its response timeout, so that leases matter."""


@dataclass
class Figures:
    """What is printed in the end."""

    minutes: float
    seed: int
    executions: int = 0
    tasks: int = 0
    lost: int = 0
    started_twice: int = 0
    undone: int = 0
    orphaned: int = 0
    given_up: int = 0
    failed_attempts: int = 0
    silenced_attempts: int = 0
    run_again: int = 0
    starts_that_raised: int = 0
    requests: int = 0
    faults: int = 0
    server_kills: int = 0
    host_exit_code: int | None = None
    rss_megabytes: list[float] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        bad = self.lost or self.started_twice or self.orphaned or self.failed_attempts or self.host_exit_code
        return not bad and self.executions > 0

    def lines(self) -> list[str]:
        growth = self.rss_megabytes[-1] - self.rss_megabytes[0] if self.rss_megabytes else float("nan")
        return [
            f"{'minutes':32} {self.minutes:10.1f}",
            f"{'seed':32} {self.seed:10}",
            f"{'executions':32} {self.executions:10}",
            f"{'tasks':32} {self.tasks:10}",
            f"{'executions lost':32} {self.lost:10}",
            f"{'executions started twice':32} {self.started_twice:10}",
            f"{'starts the server undid':32} {self.undone:10}",
            f"{'tasks orphaned':32} {self.orphaned:10}",
            f"{'tasks a stopping host gave up':32} {self.given_up:10}",
            f"{'attempts failed or timed out':32} {self.failed_attempts:10}",
            f"{'attempts the outages timed out':32} {self.silenced_attempts:10}",
            f"{'tasks run more than once':32} {self.run_again:10}",
            f"{'starts that raised, then repeated':32} {self.starts_that_raised:9}",
            f"{'requests':32} {self.requests:10}",
            f"{'faults':32} {self.faults:10}",
            f"{'server killed':32} {self.server_kills:10}",
            f"{'memory at first, MB':32} {self.rss_megabytes[0] if self.rss_megabytes else 0:10.1f}",
            f"{'memory growth, MB':32} {growth:10.1f}",
            f"{'file descriptors, first and last':32} {self.descriptors[:1] + self.descriptors[-1:]!s:>10}",
        ]


class Soak:
    """One run.

    Args:
        server: The server to torment.
        rig: The way to it.
        storm: The rig's weather.
        load: Executions, each a chain of two tasks.
        long: Executions, each of one task that takes long.
        figures: What is counted.
        rate: Executions a second.
        diary: What happens to their starts.
        left_behind: Where the host notes what it could not hand back when it stopped.
    """

    def __init__(
        self,
        server: LocalServer,
        rig: Rig,
        storm: Storm,
        load: Load,
        long: Load,
        *,
        figures: Figures,
        rate: float,
        diary: Diary,
        left_behind: Path,
    ) -> None:
        self.server = server
        self.rig = rig
        self.storm = storm
        self.load = load
        self.long = long
        self.figures = figures
        self.rate = rate
        self.ends_at = time.monotonic() + figures.minutes * 60
        self.keys: dict[str, Load] = {}
        self.keys_by_id: dict[str, str] = {}
        self.random = random.Random(figures.seed)
        self.diary = diary
        self.left_behind = left_behind
        self.outages: list[tuple[float, float]] = []

    def is_on(self) -> bool:
        return time.monotonic() < self.ends_at

    async def start_executions(self) -> None:
        async with client_of(self.rig, timeout=10) as conductor, anyio.create_task_group() as group:
            number = 0
            while self.is_on():
                number += 1
                load = self.long if number % LONG_EVERY == 0 else self.load
                self.keys[f"{load.task_type}-{number}"] = load
                group.start_soon(self._start_one, conductor, load, f"{load.task_type}-{number}")
                await anyio.sleep(self.random.expovariate(self.rate))

    async def _start_one(self, conductor: ConductorClient, load: Load, key: str) -> None:
        pause = 1.0
        while True:
            try:
                handle = await conductor.executor.start(load.name, dedupe_key=key)
            except ConductorError as error:
                self.diary.note(key, f"start() raised {error!r}"[:400])
                self.figures.starts_that_raised += 1
                await anyio.sleep(pause)
                pause = min(pause * 2, 15)  # as callers do who want a struggling server back
            else:
                self.diary.note(key, f"start() returned {handle.workflow_id}")
                load.ids.append(handle.workflow_id)
                self.keys_by_id[handle.workflow_id] = key
                return

    async def change_the_weather(self) -> None:
        while self.is_on():
            self.storm.rate = self.random.choice([0.0, 0.02, 0.1, 0.3])
            self.storm.kinds = tuple(self.random.sample(list(Fault), 5))
            await anyio.sleep(self.random.uniform(5, 20))
        self.storm.end()

    async def kill_the_server(self, times: int) -> None:
        for _ in range(times):
            await anyio.sleep(self.figures.minutes * 60 / (times + 1))
            if self.is_on():
                self.figures.server_kills += 1
                gone = time.time()
                await self.server.kill()
                await anyio.sleep(self.random.uniform(0, 5))
                await self.server.start()
                self.outages.append((gone, time.time()))
                print(f"the server was away for {time.time() - gone:.1f} s, since {gone - self.diary.began:.1f}")

    async def watch(self, host: subprocess.Popen[bytes]) -> None:
        """Looks at the host's process every ten seconds, and keeps the rig's own books short."""
        process = psutil.Process(host.pid)
        await anyio.sleep(self.figures.minutes * 60 * WARM_UP)
        while self.is_on():
            self.look_at(process)
            self.figures.requests += len(self.rig.log)
            self.figures.faults += sum(fault is not None for _, fault in self.rig.log)
            self.rig.log.clear()
            self.rig.requests.clear()
            left = self.ends_at - time.monotonic()
            print(
                f"{left / 60:5.1f} min left, {len(self.keys)} started, {self.figures.rss_megabytes[-1]:.1f} MB",
                flush=True,
            )
            await anyio.sleep(min(10, max(0, left)))

    def look_at(self, process: psutil.Process) -> None:
        self.figures.rss_megabytes.append(process.memory_info().rss / 2**20)
        self.figures.descriptors.append(process.num_fds())

    def tell(self, *lines: str) -> None:
        print(*lines, sep="\n    ", flush=True)

    async def start_again_what_the_server_undid(self) -> None:
        """A start that fails late removes what it has written down, though it may have been found by then, and begun.

        Whoever waits for it learns that there is no such execution, and starts again by the key.
        """
        for load in (self.load, self.long):
            for workflow_id in tuple(load.ids):
                try:
                    await load.conductor.workflow.get_workflow_status(workflow_id)
                except NotFoundError:
                    load.ids.remove(workflow_id)
                    key = self.keys_by_id[workflow_id]
                    self.tell(f"key {key}: {workflow_id} is not there any more", *self.diary.lines[key])
                    if self.diary.came_by_a_look(key, workflow_id):
                        self.figures.undone += 1
                        await self._start_one(load.conductor, load, key)

    async def reconcile(self) -> None:
        """Asks the server what became of everything."""
        figures = self.figures
        for key, load in self.keys.items():
            found = (await load.conductor.workflow.get_by_correlation_ids(load.name, [key], include_completed=True))[
                key
            ]
            figures.executions += 1
            figures.started_twice += len(found) > 1
            figures.lost += not any(each.status == "COMPLETED" for each in found)
            if len(found) != 1 or found[0].status != "COMPLETED":
                self.tell(f"key {key}: {[(each.workflow_id, each.status, each.create_time) for each in found]}")
                self.tell(*self.diary.lines.get(key, ()))
            for each in found:
                for task in (await load.conductor.workflow.get_workflow(each.workflow_id)).tasks:
                    self.count(load, key, task)

    def count(self, load: Load, key: str, task: Task) -> None:
        """Counts a task under what became of it."""
        figures = self.figures
        if task.status == "COMPLETED":
            figures.tasks += 1
            return
        if {task.task_id, task.worker_id} & self.given_up():
            figures.given_up += 1
        elif not task.is_completed():
            figures.orphaned += 1
        elif task.status == "TIMED_OUT" and self.silence(task) < load.response_timeout:
            figures.silenced_attempts += 1
        else:
            figures.failed_attempts += 1
        self.tell(
            f"key {key}: task {task.task_id} of {task.workflow_instance_id} {task.status}",
            f"scheduled {task.scheduled_time}, started {task.start_time}, updated {task.update_time}",
            f"ended {task.end_time}, polls {task.poll_count}, retry {task.retry_count}, worker {task.worker_id}",
            f"{task.reason_for_incompletion}",
        )

    def silence(self, task: Task) -> float:
        """Seconds for which the server was up, and did not hear of the task that it then timed out."""
        since, until = task.update_time / 1000, task.end_time / 1000
        down = sum(max(0.0, min(until, back) - max(since, gone)) for gone, back in self.outages)
        return until - since - down

    def given_up(self) -> set[str]:
        """Ids of tasks and of hosts: what hosts had to leave when they stopped."""
        return set(self.left_behind.read_text().split())


async def soak(figures: Figures, diary: Diary, *, rate: float, kills: int) -> None:
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        folder = Path(name)
        storm = Storm(random.Random(figures.seed), rate=0.0)
        async with (
            LocalServer(data_dir=folder / "server", startup_timeout=600) as server,
            ConductorClient(Configuration(server.url, trust_env=False)) as conductor,
            between(diary.kept(over_tcp(server.url)), storm, seed=figures.seed, refuses_for=2) as rig,
        ):
            load = Load(conductor, "soak_short", tasks=2, response_timeout=600)
            long = Load(conductor, "soak_long", tasks=1, response_timeout=60)
            await load.register()
            await long.register()
            record, left_behind = folder / "record", folder / "left_behind"
            command = [
                sys.executable,
                str(Path(__file__).with_name("soak_host.py")),
                rig.url,
                str(record),
                str(left_behind),
            ]
            with (
                (ROOT / "soak-host.log").open("wb") as log,
                subprocess.Popen(command, stderr=log, cwd=ROOT) as host,  # noqa: ASYNC220 - it takes no time
            ):
                try:
                    await _run(
                        Soak(
                            server,
                            rig,
                            storm,
                            load,
                            long,
                            figures=figures,
                            rate=rate,
                            diary=diary,
                            left_behind=left_behind,
                        ),
                        host,
                        kills,
                    )
                finally:
                    host.kill()
        runs = Counter(record.read_text().split())
        figures.run_again = sum(count > 1 for count in runs.values())


async def _run(run: Soak, host: subprocess.Popen[bytes], kills: int) -> None:
    async with anyio.create_task_group() as group:
        for part in (run.start_executions, run.change_the_weather):
            group.start_soon(part)
        group.start_soon(run.watch, host)
        group.start_soon(run.kill_the_server, kills)
    await run.start_again_what_the_server_undid()
    for load in (run.load, run.long):
        try:
            await load.ended(within=180)
        except AssertionError as error:
            print(error)
    await anyio.sleep(5)
    run.look_at(psutil.Process(host.pid))
    host.send_signal(signal.SIGTERM)
    run.figures.host_exit_code = await anyio.to_thread.run_sync(host.wait, 60)
    await run.reconcile()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    parser.add_argument("--rate", type=float, default=2, help="executions a second")
    parser.add_argument("--kills", type=int, default=3, help="how often the server is killed")
    parser.add_argument("--diary", type=Path, help="write what happened to each start here")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    args: Any = parser.parse_args()
    figures = Figures(args.minutes, args.seed)
    print(f"seed {args.seed}", flush=True)
    diary = Diary()
    try:
        anyio.run(lambda: soak(figures, diary, rate=args.rate, kills=args.kills))
    finally:
        if args.diary:
            args.diary.write_text(str(diary))
    print("\n".join(figures.lines()))
    if args.json:
        args.json.write_text(json.dumps({**vars(figures), "passed": figures.passed}, indent=1))
    sys.exit(not figures.passed)


if __name__ == "__main__":
    main()

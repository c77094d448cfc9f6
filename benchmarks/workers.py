"""What a task costs its worker, what an idle worker costs, and how soon a task is done.

`python workers.py --peer-2-python PATH [--server URL] [--quick] [--json FILE]`

On the null server: a trivial function, with 10 and 100 slots; idle workers of 1 and 50 task types. On the real one
(started here, unless `--server` names one): from scheduled to started, and a chain of five tasks, by the server's own
clock.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import logging
import os
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from statistics import median

from rounds import Target, null_server, options, report, rotate
from worker_contestants import SERVE, Progress

logging.disable(logging.INFO)

SLOTS = {10: 2_000, 100: 2_000}  # slots → tasks a round
IDLE_TYPES = (1, 50)
IDLE_SECONDS = 10.0
CHAINS = 8
TARGETS = [
    Target("µs CPU a task, 10 slots", "2.0 async", 0.2),
    Target("µs CPU a task, 100 slots", "2.0 async", 0.1),
    Target("ms wall a task, 10 slots", "2.0 async", 1 / 5),
    Target("ms wall a task, 100 slots", "2.0 async", 1 / 10),
    Target("ms wall a task, 10 slots", "2.0 sync", 1 / 2.5),
    Target("ms wall a task, 100 slots", "2.0 sync", 1 / 4),
]
REAL_TARGETS = [
    Target("chain of 5, one type", "2.0 async", 0.9),
    Target("chain of 5, one type", "2.0 sync", 0.9),
    Target("chain of 5, five types", "2.0 async", 0.8),
    Target("chain of 5, five types", "2.0 sync", 0.8),
    Target("ms CPU a task", "2.0 async", 0.35),
    Target("ms CPU a task", "2.0 sync", 0.35),
]


def ask(url: str) -> str:
    with urllib.request.urlopen(url) as answer:
        return answer.read().decode()


def memory() -> float:
    """Megabytes that this process holds now."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20


async def busy(name: str, url: str, quick: bool) -> dict[str, float]:
    figures = {}
    for slots, tasks in SLOTS.items():
        tasks = tasks // 4 if quick else tasks
        progress = Progress(slots * 2 + 100, tasks, requests=lambda: int(ask(url + "/null/requests")))
        gc.collect()
        await SERVE[name](url, ["busy"], slots, progress.stop, progress.done)
        figures[f"tasks/s, {slots} slots"] = tasks / progress.wall
        figures[f"ms wall a task, {slots} slots"] = progress.wall / tasks * 1e3
        figures[f"µs CPU a task, {slots} slots"] = progress.cpu / tasks * 1e6
        figures[f"requests a task, {slots} slots"] = progress.requests / tasks
    return figures


async def idle(name: str, url: str, types: int) -> dict[str, float]:
    stop = threading.Event()
    begin = time.perf_counter()
    serving = asyncio.create_task(SERVE[name](url, [f"idle_{n}" for n in range(types)], 1, stop, lambda: None))
    seen = 0
    while seen < types:
        await asyncio.sleep(0.02)
        seen += int(await asyncio.to_thread(ask, url + "/null/requests"))
    first_polls = time.perf_counter() - begin
    await asyncio.sleep(6)  # a poll waits for five seconds
    await asyncio.to_thread(ask, url + "/null/requests")
    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.sleep(IDLE_SECONDS)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    requests = int(await asyncio.to_thread(ask, url + "/null/requests"))
    figures = {
        f"{types} types: s to the first poll of each": first_polls,
        f"{types} types: requests a second": requests / wall,
        f"{types} types: % of a core": cpu / wall * 100,
        f"{types} types: MB": memory(),
    }
    stop.set()
    await serving
    return figures


# -- the real server -----------------------------------------------------------------------------------


async def real(name: str, url: str, python: str, quick: bool) -> dict[str, float]:
    """Serves five task types, while another process starts workflows of them and looks at their times."""
    types = [f"bench_{name.replace(' ', '_')}_{number}" for number in range(5)]
    stop = threading.Event()
    done = iter(range(10**9))
    serving = asyncio.create_task(SERVE[name](url, types, 5, stop, lambda: next(done) and None))
    await asyncio.sleep(2)  # imports, connections, the first polls
    cpu = time.process_time()
    command = [python, __file__, "drive", url, str(2 if quick else CHAINS), *types]
    driver = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    out, _ = await driver.communicate()
    cpu = time.process_time() - cpu
    stop.set()
    await serving
    return {**json.loads(out), "ms CPU a task": cpu / next(done) * 1e3}


async def drive(url: str, count: int, types: list[str]) -> dict[str, float]:
    """Starts workflows one by one, and tells what the server says of their times, in milliseconds."""
    from conductor_async import ConductorClient, ConductorWorkflow, SimpleTask
    from conductor_async.models import TaskDef

    chains = {"one task": types[:1], "chain of 5, one type": types[:1] * 5, "chain of 5, five types": types}
    figures: dict[str, list[float]] = {"scheduled to started, ms": []}
    async with ConductorClient(url + "/api") as conductor:
        for task_type in types:
            await conductor.metadata.register_task_def(TaskDef(name=task_type, retry_count=0))
        for number, (what, chain) in enumerate(chains.items()):
            flow = ConductorWorkflow(executor=conductor.executor, name=f"{types[0]}_flow_{number}", version=1)
            flow.add([SimpleTask(task_type, f"step_{place}") for place, task_type in enumerate(chain)])
            await flow.register(overwrite=True)
            for _ in range(count):
                await asyncio.sleep(0.5)  # so that the workers are idle again
                run = await flow.execute({})
                execution = await conductor.workflow.get_workflow(run.workflow_id)
                first = execution.tasks[0]
                figures["scheduled to started, ms"].append(first.start_time - first.scheduled_time)
                figures.setdefault(f"{what}, ms", []).append(execution.end_time - execution.create_time)
    return {figure: median(values) for figure, values in figures.items()}


# -- the rounds ----------------------------------------------------------------------------------------


def main() -> None:
    parser = options(__doc__ or "", rounds=5)
    parser.add_argument("--server", help="the URL of a real Conductor server, without /api")
    args = parser.parse_args()
    names = list(SERVE)
    with null_server() as url:
        results = rotate("workers.py", names, args, "busy", url)
        report("Workers, busy", "a trivial function on the null server, one process", results, TARGETS, args)
        results = {name: {} for name in results}
        for types in IDLE_TYPES:
            for name, figures in rotate("workers.py", names, args, "idle", url, str(types)).items():
                results[name] |= figures
        report("Workers, idle", "workers with nothing to do, in one process", results, [], args)
    if args.server:
        on_the_real_server(args.server, args)
    else:
        asyncio.run(with_a_server_of_our_own(args))


async def with_a_server_of_our_own(args: argparse.Namespace) -> None:
    from conductor_async.localserver import LocalServer

    async with LocalServer() as server:
        await asyncio.to_thread(on_the_real_server, server.url.removesuffix("/api"), args)


def on_the_real_server(url: str, args: argparse.Namespace) -> None:
    names = [name for name in SERVE if name != "aiohttp"]
    results = rotate("workers.py", names, args, "real", url, sys.executable)
    report("Workers, real server", "medians of workflows run one by one", results, REAL_TARGETS, args)


def measure() -> dict[str, float]:
    parser = argparse.ArgumentParser()
    for argument in ("name", "part", "url"):
        parser.add_argument(argument)
    parser.add_argument("more", nargs="?", default="")
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args(sys.argv[2:])
    match given.part:
        case "busy":
            return asyncio.run(busy(given.name, given.url, given.quick))
        case "idle":
            return asyncio.run(idle(given.name, given.url, int(given.more)))
    return asyncio.run(real(given.name, given.url, given.more, given.quick))


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        print(json.dumps(measure()))
    elif sys.argv[1:2] == ["drive"]:
        print(json.dumps(asyncio.run(drive(sys.argv[2], int(sys.argv[3]), sys.argv[4:]))))
    else:
        main()

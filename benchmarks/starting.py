"""What it costs to start a registered workflow of 5, 50 and 200 tasks, next to starting it by its name.

`python starting.py [--quick] [--json FILE]`

CPU time of the client's process alone. `ConductorWorkflow.start` has to know whether the workflow is still the one that
was registered; `start_workflow_by_name` need not. Both take turns within one process, in short blocks.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
import time
from statistics import median
from typing import TYPE_CHECKING

from rounds import Target, null_server, options, report, rotate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conductor_async import ConductorClient, ConductorWorkflow

COUNTS = (5, 50, 200)
BLOCK = 50
BY_NAME = "by name"
TARGETS = [Target("", BY_NAME, 1.10)]


def described(client: ConductorClient, count: int) -> ConductorWorkflow:
    from conductor_async import ConductorWorkflow, SimpleTask

    workflow = ConductorWorkflow(executor=client.executor, name="started", version=1)
    for number in range(count):
        inputs = {"order": workflow.input.order, "number": number}
        workflow >> SimpleTask("work", f"work_{number}", input_parameters=inputs)
    return workflow


async def cpu_of(start: Callable[[], Awaitable[object]]) -> float:
    gc.collect()
    begin = time.process_time()
    for _ in range(BLOCK):
        await start()
    return (time.process_time() - begin) / BLOCK * 1e6


async def measure(url: str, quick: bool) -> dict[str, float]:
    from conductor_async import ConductorClient

    figures = {}
    async with ConductorClient(url + "/api") as client:
        for count in COUNTS:
            workflow = described(client, count)
            await workflow.register()
            starts: dict[str, Callable[[], Awaitable[object]]] = {
                "ours": lambda workflow=workflow: workflow.start({"order": 1}),
                BY_NAME: lambda: client.workflow.start_workflow_by_name("started", {"order": 1}, 1),
            }
            blocks: dict[str, list[float]] = {name: [] for name in starts}
            for _ in range(6 if quick else 24):
                for name, start in starts.items():
                    blocks[name].append(await cpu_of(start))
            for name, seconds in blocks.items():
                figures[f"{name}: {count} tasks"] = median(seconds[1:])  # the first one warms up
    return figures


def main() -> None:
    args = options(__doc__ or "", rounds=5).parse_args()
    with null_server() as url:
        found = rotate("starting.py", ["ours"], args, url)["ours"]
    results: dict[str, dict[str, list[float]]] = {}
    for figure, values in found.items():
        name, _, what = figure.partition(": ")
        results.setdefault(name, {})[what] = values
    report("Starting", "µs CPU a start of a workflow of so many tasks", results, TARGETS, args)


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        parser = argparse.ArgumentParser()
        parser.add_argument("name")
        parser.add_argument("url")
        parser.add_argument("--quick", action="store_true")
        given = parser.parse_args(sys.argv[2:])
        print(json.dumps(asyncio.run(measure(given.url, given.quick))))
    else:
        main()

"""The embedded Conductor next to the real server: workflows a second, start-up, memory of what it keeps.

`python embedded.py [--quick] [--server URL] [--json FILE]`

Each round is a process of its own. A workflow is a chain of worker tasks, each returning a small object, run to its end
by `workflow.execute` with a `WorkerHost` in the same process, 20 executions at a time. The contestants are the embedded
Conductor as it comes (`ours`), the same through httpx's ASGITransport (`asgi`), and a real server (`server`), which
`--server` names. CPU is that of the client's process: in the embedded ones, all there is.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import sys
import time
import uuid
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from rounds import options, report, rotate

TASKS = (1, 5, 20)
AT_ONCE = 20
KEPT = (2_500, 5_000, 10_000)


def memory() -> int:
    """Bytes that this process holds now."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


async def connected(name: str, url: str, stack: AsyncExitStack) -> Any:
    from conductor_async import ConductorClient

    if name == "server":
        return await stack.enter_async_context(ConductorClient(url))
    from conductor_async.embedded import EmbeddedConductor

    embedded = await stack.enter_async_context(EmbeddedConductor())
    if name == "asgi":
        import httpx

        http = httpx.AsyncClient(transport=httpx.ASGITransport(embedded.app))
        await stack.enter_async_context(http)
        return await stack.enter_async_context(ConductorClient(embedded.url, http_client=http))
    return embedded.client


def chain(conductor: Any, name: str, length: int) -> Any:
    from conductor_async import ConductorWorkflow, SimpleTask

    workflow = ConductorWorkflow(executor=conductor.executor, name=f"{name}_{length}", version=1)
    for number in range(length):
        workflow >> SimpleTask(name, f"step_{number}", input_parameters={"item": workflow.input.item})
    return workflow


async def throughput(name: str, url: str, quick: bool) -> dict[str, float]:
    from conductor_async import TaskDef, WorkerHost, worker_task

    task_type = f"bench_{uuid.uuid4().hex[:8]}"

    @worker_task(task_definition_name=task_type, concurrency=AT_ONCE)
    async def step(item: int) -> dict[str, int]:
        return {"item": item}

    figures: dict[str, float] = {}
    async with AsyncExitStack() as stack:
        conductor = await connected(name, url, stack)
        await conductor.metadata.register_task_def(TaskDef(name=task_type))
        async with WorkerHost(conductor, [step]):
            for length in TASKS:
                workflow = chain(conductor, task_type, length)
                await workflow.register()
                await asyncio.gather(*(workflow.execute({"item": 1}) for _ in range(AT_ONCE)))  # warm
                count = (50 if name == "server" else 400) // (length if name == "server" else max(1, length // 4))
                count = max(AT_ONCE, count // (4 if quick else 1))
                slots = asyncio.Semaphore(AT_ONCE)

                async def run(workflow: Any = workflow, slots: asyncio.Semaphore = slots) -> None:
                    async with slots:
                        done = await workflow.execute({"item": 1})
                        assert done.is_successful(), done.reason_for_incompletion

                gc.collect()
                wall, cpu = time.perf_counter(), time.process_time()
                await asyncio.gather(*(run() for _ in range(count)))
                wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
                figures[f"{length} tasks: workflows a second"] = count / wall
                figures[f"{length} tasks: ms a workflow"] = wall / count * 1000
                figures[f"{length} tasks: ms CPU a workflow"] = cpu / count * 1000
    return figures


async def start_up() -> dict[str, float]:
    from conductor_async.embedded import EmbeddedConductor

    async with EmbeddedConductor() as first:  # what is paid once: models, modules
        await first.client.metadata.get_all_workflow_defs()
    began = time.perf_counter()
    for _ in range(20):
        async with EmbeddedConductor() as embedded:
            await embedded.client.metadata.get_all_workflow_defs()
    return {"start, first answer, stop: ms": (time.perf_counter() - began) / 20 * 1000}


async def kept(count: int) -> dict[str, float]:
    """Memory of so many ended executions of five tasks each, completed without a worker."""
    from conductor_async.embedded import EmbeddedConductor

    async with EmbeddedConductor() as embedded:
        engine = embedded.engine
        workflow = chain(embedded.client, "kept", 5)
        await workflow.register()

        def run() -> None:
            workflow_id = engine.workflows.start({"name": "kept_5", "input": {"item": 1}})
            for _ in range(5):
                task = engine.tasks.poll("kept", "w")
                assert task is not None
                result = {"workflowInstanceId": workflow_id, "taskId": task["taskId"], "status": "COMPLETED"}
                engine.tasks.update({**result, "outputData": {"item": 1}})

        for _ in range(100):
            run()
        before, began = memory(), time.process_time()
        for _ in range(count):
            run()
        cpu = time.process_time() - began
        grown = memory() - before
    return {
        f"{count:,} kept executions of 5 tasks: KB each": grown / count / 1024,
        f"{count:,} kept executions of 5 tasks: ms CPU to run each, engine alone": cpu / count * 1000,
    }


def main() -> None:
    parser = options(__doc__ or "", rounds=3)
    parser.add_argument("--server", help="the API's URL of a real Conductor server to compare with")
    args = parser.parse_args()
    names = ["ours", "asgi", *(["server"] if args.server else [])]
    report("Workflows", "20 at once", rotate("embedded.py", names, args, "throughput", args.server or ""), [], args)
    results = rotate("embedded.py", ["ours"], args, "start_up", "")["ours"]
    for count in KEPT[:1] if args.quick else KEPT:
        results |= rotate("embedded.py", ["ours"], args, f"kept-{count}", "")["ours"]
    report("Embedded", "as named", {"ours": results}, [], args)


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        parser = argparse.ArgumentParser()
        parser.add_argument("name")
        parser.add_argument("what")
        parser.add_argument("url")
        parser.add_argument("--quick", action="store_true")
        given = parser.parse_args(sys.argv[2:])
        if given.what == "throughput":
            figures = asyncio.run(throughput(given.name, given.url, given.quick))
        elif given.what == "start_up":
            figures = asyncio.run(start_up())
        else:
            figures = asyncio.run(kept(int(given.what.partition("-")[2])))
        print(json.dumps(figures))
    else:
        main()

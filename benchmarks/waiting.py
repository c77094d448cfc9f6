"""Memory of so many executions awaited at once, and what the waiting costs: `executor.execute` on the null server.

`python waiting.py [--quick] [--json FILE]`

Memory is what the process grew by, divided by the waiters, each with its asyncio task. CPU and requests are those of
five seconds in which nothing happens but waiting; the server says RUNNING all the time, then COMPLETED to all at once.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from rounds import null_server, options, report, rotate

COUNTS = (1_000, 5_000, 10_000)
LISTEN_SECONDS = 5.0
MOST_KILOBYTES = 6.0


def memory() -> int:
    """Bytes that this process holds now."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def ask(url: str, method: str = "GET") -> str:
    with urllib.request.urlopen(urllib.request.Request(url, method=method)) as answer:
        return answer.read().decode()


class Starts:
    """Counts the executions that were started."""

    count = 0

    def on_call_start(self, call: Any) -> None:
        pass

    def on_call_end(self, call: Any) -> None:
        self.count += call.method == "POST"


async def measure(count: int, url: str) -> dict[str, float]:
    from conductor_async import ConductorClient, Configuration

    starts = Starts()
    async with ConductorClient(Configuration(url + "/api", hooks=[starts])) as client:

        async def wait() -> bool:
            return (await client.executor.execute("order_fulfilment", 1, {"order": 1})).is_successful()

        async with asyncio.TaskGroup() as warm_up:  # what is paid once, however many wait: connections, models, buffers
            few = [warm_up.create_task(wait()) for _ in range(100)]
            await asyncio.sleep(1)
            for task in few:
                task.cancel()
        starts.count, before, begin = 0, memory(), time.process_time()
        waiters = [asyncio.create_task(wait()) for _ in range(count)]
        while starts.count < count:
            await asyncio.sleep(0.2)
        started = time.process_time()
        await asyncio.sleep(2)
        grown = memory() - before
        await asyncio.to_thread(ask, url + "/null/requests")
        cpu, wall = time.process_time(), time.perf_counter()
        await asyncio.sleep(LISTEN_SECONDS)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        requests = int(await asyncio.to_thread(ask, url + "/null/requests"))
        await asyncio.to_thread(ask, url + "/null/complete", "PUT")
        assert all(await asyncio.gather(*waiters))
    return {
        f"{count:,} waiters: KB each": grown / count / 1024,
        f"{count:,} waiters: µs CPU to start each": (started - begin) / count * 1e6,
        f"{count:,} waiters: requests a second": requests / wall,
        f"{count:,} waiters: % of a core": cpu / wall * 100,
    }


def main() -> None:
    args = options(__doc__ or "", rounds=3).parse_args()
    results: dict[str, list[float]] = {}
    for count in COUNTS[:1] if args.quick else COUNTS:
        results |= rotate("waiting.py", ["ours"], args, str(count))["ours"]
    report("ExecutionWaiter", "executions awaited at once", {"ours": results}, [], args)
    if not args.quick:  # the target is for ten thousand: of fewer, what a client costs at all weighs on each
        most = max(results[f"{COUNTS[-1]:,} waiters: KB each"])
        print(f"{most:.1f} KB each: target ≤ {MOST_KILOBYTES:g} {'met' if most <= MOST_KILOBYTES else 'MISSED'}\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        parser = argparse.ArgumentParser()
        parser.add_argument("name")
        parser.add_argument("count", type=int)
        parser.add_argument("--quick", action="store_true")
        given = parser.parse_args(sys.argv[2:])
        with null_server() as server:
            print(json.dumps(asyncio.run(measure(given.count, server))))
    else:
        main()

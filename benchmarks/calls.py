"""CPU time of one call, of the client's process alone: the null server is another process.

`python calls.py --peer-2-python PATH --peer-1-python PATH [--quick] [--json FILE]`
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
import time

from contestants import opened
from rounds import Target, null_server, options, report, rotate

CONCURRENCY = (1, 16, 64)
#: What is called, on executions with how many tasks, how often a round.
WORK = {
    "start_workflow": (None, 960),
    "get_workflow, 50 KB": (13, 320),
    "get_workflow, 190 KB": (50, 128),
}
TARGETS = [
    Target("start_workflow @16", "1.2", 0.60),
    Target("start_workflow @16", "2.0", 0.30),
    Target("start_workflow @16", "aiohttp", 2.0),
    Target("start_workflow @64", "1.2", 0.60),
    Target("start_workflow @64", "2.0", 0.30),
    Target("start_workflow @64", "aiohttp", 2.0),
    Target("get_workflow, 50 KB", "1.2", 0.50),
    Target("get_workflow, 50 KB", "2.0", 0.20),
    Target("get_workflow, 190 KB", "1.2", 0.40),
    Target("get_workflow, 190 KB", "2.0", 0.20),
]


async def measure(name: str, url: str, quick: bool) -> dict[str, float]:
    figures = {}
    async with opened(name, url) as contestant:
        for what, (tasks, calls) in WORK.items():
            calls = max(64, calls // 4) if quick else calls
            for concurrency in CONCURRENCY:
                # Warm-up: connections, the token, lazily built models.
                await contestant.run(tasks, 2 * concurrency + 8, concurrency)
                gc.collect()  # what was left to clean up before is not part of this
                begin = time.process_time()
                await contestant.run(tasks, calls, concurrency)
                figures[f"{what} @{concurrency}"] = (time.process_time() - begin) / calls * 1e6
    return figures


def main() -> None:
    args = options(__doc__ or "", rounds=7).parse_args()
    with null_server() as url:
        results = rotate("calls.py", ["ours", "aiohttp", "httpx", "1.2", "2.0"], args, url)
    report("Calls", "µs CPU a call, at so many concurrent calls", results, TARGETS, args)


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        parser = argparse.ArgumentParser()
        parser.add_argument("name")
        parser.add_argument("url")
        parser.add_argument("--quick", action="store_true")
        given = parser.parse_args(sys.argv[2:])
        print(json.dumps(asyncio.run(measure(given.name, given.url, given.quick))))
    else:
        main()

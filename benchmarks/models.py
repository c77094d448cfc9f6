"""CPU time to parse an execution of 5, 50 and 500 tasks from the bytes of an answer, and to dump it as JSON again.

`python models.py --peer-2-python PATH --peer-1-python PATH [--quick] [--json FILE]`

Every contestant does what its client does with an answer and with a body. `json` is the standard library alone.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time

from contestants import CLASSES
from executions import as_sent, execution
from rounds import Target, options, report, rotate

#: Tasks → how often a round.
WORK = {5: 200, 50: 40, 500: 5}
NAMES = {"json": "aiohttp"}  # the bare contestant parses and dumps with the json module alone
TARGETS = [
    *(Target(f"parse, {tasks} tasks", "2.0", 1 / faster) for tasks, faster in ((500, 3), (50, 5), (5, 6))),
    Target("parse", "1.2", 1 / 2),
    Target("dump", "2.0", 1 / 8),
    Target("dump", "1.2", 1 / 8),
]


def measure(name: str, quick: bool) -> dict[str, float]:
    contestant = CLASSES[NAMES.get(name, name)]()
    figures = {}
    for tasks, times in WORK.items():
        times = max(2, times // 4) if quick else times
        sent = execution(tasks)
        body = as_sent(sent)
        workflow = contestant.parse(body)  # warm-up, and what is dumped below
        dumped = json.loads(contestant.dump(workflow))
        assert len(dumped["tasks"]) == tasks, f"{name} lost tasks"
        if name in ("ours", "json"):
            assert dumped == sent, f"{name} is not lossless"
        for what, work in (("parse", lambda: contestant.parse(body)), ("dump", lambda: contestant.dump(workflow))):  # noqa: B023 - called here
            gc.collect()  # what was left to clean up before is not part of this
            begin = time.process_time()
            for _ in range(times):
                work()
            figures[f"{what}, {tasks} tasks"] = (time.process_time() - begin) / times * 1e3
    return figures


def main() -> None:
    args = options(__doc__ or "", rounds=7).parse_args()
    results = rotate("models.py", ["ours", "json", "1.2", "2.0"], args)
    report("Models", "ms CPU an execution", results, TARGETS, args)


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        parser = argparse.ArgumentParser()
        parser.add_argument("name")
        parser.add_argument("--quick", action="store_true")
        given = parser.parse_args(sys.argv[2:])
        print(json.dumps(measure(given.name, given.quick)))
    else:
        main()

"""What it costs to describe a workflow and make its definition: 100, 1,000 and 10,000 tasks.

`python building.py --peer-2-python PATH [--quick] [--json FILE]`

A quarter of the tasks are a worker's, each followed by a fork of two and its join; every one refers to another. Ours
checks all references, and so it builds, checks, reads back and builds again. The figures are for one task: they stay
the same, however many there are, if the time is linear.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

from rounds import options, report, rotate

COUNTS = (100, 1_000, 10_000)
MOST_GROWTH = 1.5
"""How much dearer a task of the largest workflow may be than one of the middle size."""


def describe_ours(count: int) -> Any:
    from conductor_async import ConductorWorkflow
    from conductor_async.tasks import SimpleTask

    workflow = ConductorWorkflow(name="big", version=1)
    before = workflow.input.order
    for number in range(count // 4):
        first = SimpleTask("work", f"first_{number}", input_parameters={"order": before})
        branches = [
            SimpleTask("work", f"{side}_{number}", input_parameters={"of": first.output.result})
            for side in ("left", "right")
        ]
        workflow >> first >> branches
        before = branches[0].output.result
    return workflow


def describe_theirs(count: int) -> Any:
    from conductor.client.workflow.conductor_workflow import ConductorWorkflow
    from conductor.client.workflow.task.simple_task import simple_task

    workflow = ConductorWorkflow(name="big", version=1, executor=None)
    before = workflow.input("order")
    for number in range(count // 4):
        first = simple_task("work", f"first_{number}", {"order": before})
        branches = [
            simple_task("work", f"{side}_{number}", {"of": first.output("result")}) for side in ("left", "right")
        ]
        workflow >> first >> branches
        before = branches[0].output("result")
    return workflow


def measure(name: str, count: int) -> dict[str, float]:
    describe = describe_ours if name == "ours" else describe_theirs
    describe(8).to_workflow_def()  # what is paid once: imports, models
    begin = time.process_time()
    workflow = describe(count)
    described = time.process_time()
    definition = workflow.to_workflow_def()
    made = time.process_time()
    figures = {"described": described - begin, "definition": made - described}
    if name == "ours":
        again = type(workflow).from_workflow_def(definition)
        again.to_workflow_def()
        figures["read and made again"] = time.process_time() - made
    return {f"{count:,} tasks: {what}": seconds / count * 1e6 for what, seconds in figures.items()}


def main() -> None:
    args = options(__doc__ or "", rounds=5).parse_args()
    results: dict[str, dict[str, list[float]]] = {}
    for count in COUNTS[:2] if args.quick else COUNTS:
        for name, figures in rotate("building.py", ["ours", "2.0"], args, str(count)).items():
            results.setdefault(name, {}).update(figures)
    report("Building", "µs CPU a task", results, [], args)
    if args.quick:
        return
    middle, largest = (
        sum(min(values) for figure, values in results["ours"].items() if figure.startswith(f"{count:,} "))
        for count in COUNTS[1:]
    )
    verdict = "linear" if largest <= MOST_GROWTH * middle else "NOT LINEAR"
    print(f"A task among 10,000 costs {largest / middle:.2f} of one among 1,000: {verdict}\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        parser = argparse.ArgumentParser()
        parser.add_argument("name")
        parser.add_argument("count", type=int)
        parser.add_argument("--quick", action="store_true")
        given = parser.parse_args(sys.argv[2:])
        print(json.dumps(measure(given.name, given.count)))
    else:
        main()

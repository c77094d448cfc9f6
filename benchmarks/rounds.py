"""What the benchmarks share: rounds in rotation, medians, tables.

Every round of every contestant is a process of its own, which measures a fixed amount of work and prints its figures
as JSON (figure name → value). The contestants take turns (A B C A B C …), so that whatever else the machine does falls
on all of them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE = Path(__file__).parent
Figures = dict[str, list[float]]  # figure name → one value a round


@dataclass(frozen=True)
class Target:
    """Ours may cost at most `ratio` of what `other` costs, for figures whose name begins so."""

    figure: str
    other: str
    ratio: float


def options(description: str, rounds: int) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--peer-2-python", help="a Python with conductor-python 2.0; without it that peer is left out")
    parser.add_argument("--peer-1-python", help="a Python with conductor-python 1.2; without it that peer is left out")
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--quick", action="store_true", help="three rounds with a quarter of the work: a rough picture")
    parser.add_argument("--only", nargs="*", help="only these contestants")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    return parser


def rotate(script: str, names: Sequence[str], args: argparse.Namespace, *arguments: str) -> dict[str, Figures]:
    """Runs `script measure NAME [arguments]` for every contestant, round after round."""
    pythons = {"2.0": args.peer_2_python, "1.2": args.peer_1_python}  # a contestant is "2.0" or "2.0 in some way"
    pythons = {name: pythons.get(name.split()[0], sys.executable) for name in names}
    taking_part = [name for name in names if pythons[name] and (not args.only or name in args.only)]
    results: dict[str, Figures] = {name: {} for name in taking_part}
    rounds = 3 if args.quick else args.rounds
    foreign = ("CONDUCTOR_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    environment = {name: value for name, value in os.environ.items() if not name.upper().startswith(foreign)}
    environment["PYTHONPATH"] = os.pathsep.join([str(HERE.parent), environment.get("PYTHONPATH", "")])
    for number in range(rounds):
        for name in taking_part:
            if sys.stderr.isatty():
                print(f"\r{script} round {number + 1}/{rounds}: {name:10}\r", end="", file=sys.stderr, flush=True)
            command = [pythons[name], str(HERE / script), "measure", name, *arguments]
            if args.quick:
                command.append("--quick")
            for figure, value in json.loads(_measured(name, command, environment)).items():
                results[name].setdefault(figure, []).append(value)
    return results


def _measured(name: str, command: list[str], environment: dict[str, str]) -> str:
    """The last line that a round prints. A peer may fail a few times: 2.0 now and then breaks at 64 threads."""
    tries_left = 3 if name.split()[0] in ("1.2", "2.0") else 0
    while True:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout.splitlines()[-1]
        if not tries_left:
            raise SystemExit(f"A round of {name} failed:\n{done.stderr}")
        tries_left -= 1
        print(f"A round of {name} failed and is repeated: {done.stderr.splitlines()[-1]}", file=sys.stderr)


def report(
    title: str, unit: str, results: dict[str, Figures], targets: Sequence[Target], args: argparse.Namespace
) -> None:
    """The table: medians, in brackets the ratio of ours to this one and, where there is one, the target."""
    medians = {name: {f: median(values) for f, values in figures.items()} for name, figures in results.items()}
    figures = list(dict.fromkeys(f for of_one in medians.values() for f in of_one))
    ratios: dict[str, dict[str, dict[str, float | None]]] = {}
    lines = [["", *medians], ["---", *["---:" for _ in medians]]]
    for figure in figures:
        ours = medians.get("ours", {}).get(figure)
        line = [figure]
        for name in medians:
            value = medians[name].get(figure)
            cell = "" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
            if value and ours is not None and name not in ("ours", "python"):
                ratio = ours / value
                target = next((t.ratio for t in targets if figure.startswith(t.figure) and t.other == name), None)
                ratios.setdefault(figure, {})[name] = {"ratio": ratio, "target": target}
                verdict = "" if target is None else f", ≤ {target:.3g} {'met' if ratio <= target else 'MISSED'}"
                cell += f" ({ratio:.2f}{verdict})"
            line.append(cell)
        lines.append(line)
    print(f"**{title}**: {unit}\n")
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    for line in lines:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |")
    print()
    if args.json:
        found = json.loads(args.json.read_text()) if args.json.exists() else {}
        found[title] = {"unit": unit, "medians": medians, "ratios": ratios, "rounds": results}
        args.json.write_text(json.dumps(found, indent=1))


@contextlib.contextmanager
def null_server() -> Iterator[str]:
    """The null server in a process of its own, as its URL."""
    command = [sys.executable, str(HERE / "null_server.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()

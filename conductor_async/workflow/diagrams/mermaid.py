"""Pictures of a workflow: a flowchart in the language of Mermaid, and what a notebook shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from conductor_async.models import TaskType
from conductor_async.workflow.diagrams.outline import branches_of, shortened, tasks_inside, words_of
from conductor_async.workflow.diagrams.svg import to_svg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conductor_async.models import WorkflowDef, WorkflowTask

__all__ = ["notebook_bundle", "to_mermaid"]


def to_mermaid(definition: WorkflowDef) -> str:
    """A flowchart of the definition in the language of Mermaid, which GitHub, JupyterLab and many sites draw.

    Forks and switches have an arrow for each branch and case; loops and sub-workflows that go along are boxes around
    their tasks. The same definition gives the same text.
    """
    return _Chart().of(definition)


def notebook_bundle(text: str, definition: WorkflowDef) -> dict[str, str]:
    """What a notebook shows of a workflow, by media type: each frontend takes what it can draw. Nothing is fetched.

    Args:
        text: What it shows if it can draw nothing.
        definition: The workflow.
    """
    chart = to_mermaid(definition)
    return {
        "text/plain": text,
        "text/markdown": f"```mermaid\n{chart}```\n",
        "text/vnd.mermaid": chart,
        "image/svg+xml": to_svg(definition),
    }


class _Way(NamedTuple):
    """Where an arrow comes from, and what is written on it."""

    node: str
    label: str = ""


class _Chart:
    """A flowchart that is being written: the nodes, nested as they are, and behind them all the arrows.

    A node belongs to the box in which it is named first, which is why the arrows come last.
    """

    def __init__(self) -> None:
        self._nodes: list[str] = []
        self._arrows: list[str] = []
        self._count = 0
        self._depth = 1

    def of(self, definition: WorkflowDef) -> str:
        self._line(f"start(({_label(definition.name)}))")
        self._line('finish((("end")))')
        for way in self._sequence(definition.tasks, [_Way("start")]):
            self._arrow(way, "finish")
        return "\n".join(["flowchart TD", *self._nodes, *self._arrows]) + "\n"

    def _line(self, text: str) -> None:
        self._nodes.append("    " * self._depth + text)

    def _arrow(self, way: _Way, target: str) -> None:
        label = f"|{_label(way.label)}|" if way.label else ""
        self._arrows.append(f"    {way.node} -->{label} {target}")

    def _sequence(self, tasks: Sequence[WorkflowTask], ways: list[_Way]) -> list[_Way]:
        """Draws tasks that run one after the other; returns the ways that lead on from there."""
        for task in tasks:
            node = f"t{self._count}"
            self._count += 1
            for way in ways:
                self._arrow(way, node)
            ways = self._task(node, task)
        return ways

    def _task(self, node: str, task: WorkflowTask) -> list[_Way]:
        label = _label(*words_of(task))
        if inside := tasks_inside(task):
            self._line(f"subgraph {node}[{label}]")
            self._depth += 1
            self._sequence(inside, [])
            self._depth -= 1
            self._line("end")
            return [_Way(node)]
        opening, closing = _SHAPES.get(str(task.type), ("[", "]"))
        self._line(f"{node}{opening}{label}{closing}")
        if task.type == TaskType.TERMINATE:
            self._arrow(_Way(node), "finish")
            return []
        if task.type == TaskType.FORK_JOIN_DYNAMIC:
            return [_Way(node, "as many as it takes")]
        ways = [way for label, branch in branches_of(task) for way in self._sequence(branch, [_Way(node, label)])]
        return ways or ([] if task.decision_cases else [_Way(node)])


_SHAPES = {
    "SWITCH": ("{", "}"),
    "DECISION": ("{", "}"),
    "FORK_JOIN": ("{{", "}}"),
    "FORK_JOIN_DYNAMIC": ("{{", "}}"),
    "JOIN": ("{{", "}}"),
    "EXCLUSIVE_JOIN": ("{{", "}}"),
    "SUB_WORKFLOW": ("[[", "]]"),
    "START_WORKFLOW": ("[[", "]]"),
    "WAIT": ("([", "])"),
    "HUMAN": ("([", "])"),
    "TERMINATE": ("([", "])"),
    "EVENT": (">", "]"),
}


def _label(*lines: str) -> str:
    """A text in quotes, with nothing in it that Mermaid takes for more than text."""
    return '"' + ("<br/>".join(map(_escaped, lines)) or " ") + '"'  # an empty one is refused


def _escaped(line: str) -> str:
    text = _SPECIAL.sub(lambda found: f"#{ord(found[0])};", shortened(line))
    # Text that looks like a list in Markdown is refused: "1. first", "- last".
    return _LIST.sub(lambda found: f"{found[1]}#{ord(found[2])};", text)


_SPECIAL = re.compile(r"[\"#<>&`\\{}\[\]|]")
_LIST = re.compile(r"^(\d*)([.)*+-])(?=\s)")

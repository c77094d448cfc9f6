"""Mermaid flowcharts of workflow definitions, and what a notebook shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from conductor_async.models import TaskType
from conductor_async.workflow.diagrams._outline import branches_of, inner_tasks, label_lines, shortened
from conductor_async.workflow.diagrams._svg import to_svg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conductor_async.models import WorkflowDef, WorkflowTask

__all__ = ["notebook_bundle", "to_mermaid"]


def to_mermaid(definition: WorkflowDef) -> str:
    """Returns a Mermaid flowchart of the definition, which GitHub, JupyterLab and many sites render.

    Forks and switches have an arrow for each branch and case; loops and inline sub-workflows are boxes around their
    tasks. The same definition gives the same text.
    """
    return _Chart().of(definition)


def notebook_bundle(text: str, definition: WorkflowDef) -> dict[str, str]:
    """Returns what a notebook shows of a workflow, by media type: each frontend renders what it can, without network.

    Args:
        text: The fallback of frontends that render only text.
        definition: The workflow.
    """
    chart = to_mermaid(definition)
    return {
        "text/plain": text,
        "text/markdown": f"```mermaid\n{chart}```\n",
        "text/vnd.mermaid": chart,
        "image/svg+xml": to_svg(definition),
    }


class _OpenEdge(NamedTuple):
    """An arrow whose target is not known yet."""

    source: str
    label: str = ""


class _Chart:
    """Collects the lines of a flowchart: the nodes, nested in their boxes, and the arrows.

    Mermaid puts a node into the box in which it is first named, so all arrows come after all nodes.
    """

    def __init__(self) -> None:
        self._nodes: list[str] = []
        self._arrows: list[str] = []
        self._count = 0
        self._depth = 1

    def of(self, definition: WorkflowDef) -> str:
        self._line(f"start(({_label(definition.name)}))")
        self._line('finish((("end")))')
        for edge in self._sequence(definition.tasks, [_OpenEdge("start")]):
            self._arrow(edge, "finish")
        return "\n".join(["flowchart TD", *self._nodes, *self._arrows]) + "\n"

    def _line(self, text: str) -> None:
        self._nodes.append("    " * self._depth + text)

    def _arrow(self, edge: _OpenEdge, target: str) -> None:
        label = f"|{_label(edge.label)}|" if edge.label else ""
        self._arrows.append(f"    {edge.source} -->{label} {target}")

    def _sequence(self, tasks: Sequence[WorkflowTask], edges: list[_OpenEdge]) -> list[_OpenEdge]:
        """Adds tasks that run one after the other, entered by `edges`; returns the edges that leave the last one."""
        for task in tasks:
            node = f"t{self._count}"
            self._count += 1
            for edge in edges:
                self._arrow(edge, node)
            edges = self._task(node, task)
        return edges

    def _task(self, node: str, task: WorkflowTask) -> list[_OpenEdge]:
        label = _label(*label_lines(task))
        if inside := inner_tasks(task):
            self._line(f"subgraph {node}[{label}]")
            self._depth += 1
            self._sequence(inside, [])
            self._depth -= 1
            self._line("end")
            return [_OpenEdge(node)]
        opening, closing = _SHAPES.get(str(task.type), ("[", "]"))
        self._line(f"{node}{opening}{label}{closing}")
        if task.type == TaskType.TERMINATE:
            self._arrow(_OpenEdge(node), "finish")
            return []
        if task.type == TaskType.FORK_JOIN_DYNAMIC:
            return [_OpenEdge(node, "one for each task")]
        edges = [
            edge for label, branch in branches_of(task) for edge in self._sequence(branch, [_OpenEdge(node, label)])
        ]
        return edges or ([] if task.decision_cases else [_OpenEdge(node)])


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
    """Returns the lines as a quoted label, with all characters escaped that have a meaning in Mermaid."""
    return '"' + ("<br/>".join(map(_escaped, lines)) or " ") + '"'  # Mermaid rejects empty labels


def _escaped(line: str) -> str:
    text = _SPECIAL.sub(lambda found: f"#{ord(found[0])};", shortened(line))
    # Mermaid rejects text that looks like a list in Markdown: "1. first", "- last".
    return _LIST.sub(lambda found: f"{found[1]}#{ord(found[2])};", text)


_SPECIAL = re.compile(r"[\"#<>&`\\{}\[\]|]")
_LIST = re.compile(r"^(\d*)([.)*+-])(?=\s)")

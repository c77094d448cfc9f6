"""SVG diagrams of workflow definitions, for notebooks that do not render Mermaid. They have no scripts or links.

The layout nests boxes: a task is a box, a sequence of tasks is a box, and so are parallel branches. Every box is
entered at the middle of its top edge and left at the middle of its bottom edge.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from conductor_async.models import TaskType
from conductor_async.workflow.diagrams._outline import branches_of, inner_tasks, label_lines, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conductor_async.models import WorkflowDef, WorkflowTask

__all__ = ["to_svg"]

_GAP, _LINE, _CHARACTER, _MARGIN = 22, 16, 7, 12  # pixels

_STYLE = 'font-family="sans-serif" font-size="12" text-anchor="middle" fill="#1b2733" stroke-width="1.2"'
_ARROW = (
    '<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0 8 4 0 8z" fill="#5a6b7b"/></marker></defs>'
)
_ROUNDED = frozenset({"SWITCH", "DECISION", "FORK_JOIN", "FORK_JOIN_DYNAMIC", "JOIN", "EXCLUSIVE_JOIN", "TERMINATE"})


class _Box(NamedTuple):
    width: float
    height: float
    svg: str
    """SVG elements, relative to the top left corner of the box."""

    def at(self, x: float, y: float) -> str:
        return f'<g transform="translate({x:g} {y:g})">{self.svg}</g>'


def to_svg(definition: WorkflowDef) -> str:
    """Returns a diagram of the definition: an SVG document without external references."""
    ends = [_text_box([shortened(definition.name) or "start"], "#e8eef5", 12), _text_box(["end"], "#e8eef5", 12)]
    box = _column([ends[0], *map(_task, definition.tasks), ends[1]])
    width, height = box.width + 2 * _MARGIN, box.height + 2 * _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}"'
        f' viewBox="0 0 {width:g} {height:g}" {_STYLE}>{_ARROW}'
        f'<rect width="{width:g}" height="{height:g}" fill="#ffffff"/>{box.at(_MARGIN, _MARGIN)}</svg>'
    )


def _task(task: WorkflowTask) -> _Box:
    lines = label_lines(task)
    if inside := inner_tasks(task):
        return _framed(lines, _column([*map(_task, inside)]))
    is_round = task.type in _ROUNDED
    box = _text_box(lines, "#fdf3dc" if is_round else "#e3f0fa", 12 if is_round else 3)
    branches = [_Branch(label, _column([*map(_task, tasks)]), _continues(tasks)) for label, tasks in branches_of(task)]
    return _column([box, _beside(branches)], gap=0) if branches else box


def _text_box(lines: Sequence[str], fill: str, radius: float) -> _Box:
    width, height = _width_of(lines) + 20, _LINE * len(lines) + 10
    frame = f'<rect width="{width:g}" height="{height:g}" rx="{radius}" fill="{fill}" stroke="#5a6b7b"/>'
    return _Box(width, height, frame + _text(lines, width / 2, 0))


def _text(lines: Sequence[str], x: float, y: float) -> str:
    return "".join(
        f'<text x="{x:g}" y="{y + 16 + _LINE * number:g}">{escape(line)}</text>' for number, line in enumerate(lines)
    )


def _width_of(lines: Sequence[str]) -> float:
    return _CHARACTER * max((len(line) for line in lines), default=0)


def _column(boxes: Sequence[_Box], gap: float = _GAP) -> _Box:
    """Returns the boxes stacked from top to bottom, with an arrow from each to the next."""
    width = max((box.width for box in boxes), default=2 * _GAP)
    svg, y = "", 0.0
    for number, box in enumerate(boxes):
        if number and gap:
            svg += _line(width / 2, y, width / 2, y + gap, arrow=True)
        y += gap if number else 0
        svg += box.at((width - box.width) / 2, y)
        y += box.height
    return _Box(width, y, svg)


class _Branch(NamedTuple):
    label: str
    box: _Box
    continues: bool


def _continues(tasks: Sequence[WorkflowTask]) -> bool:
    return not tasks or tasks[-1].type != TaskType.TERMINATE


def _beside(branches: Sequence[_Branch]) -> _Box:
    """Returns the branches side by side, connected to the middle above and, if they continue, to the middle below."""
    widths = [max(each.box.width, _width_of([shortened(each.label)]) + 16) for each in branches]
    width = sum(widths) + _GAP * (len(branches) - 1)
    top, bottom = 2 * _GAP, max(each.box.height for each in branches) + 2 * _GAP
    svg, left = "", 0.0
    for (label, box, continues), own in zip(branches, widths, strict=True):
        middle = left + own / 2
        svg += _line(width / 2, 0, middle, _GAP / 2)
        svg += _line(middle, _GAP / 2, middle, top, arrow=box.height > 0)
        svg += box.at(middle - box.width / 2, top)
        if continues:
            svg += _line(middle, top + box.height, middle, bottom)
            svg += _line(middle, bottom, width / 2, bottom + _GAP / 2)
        if label:
            text = escape(shortened(label))
            svg += f'<text x="{middle:g}" y="{_GAP + 8}" stroke="#ffffff" stroke-width="4">{text}</text>'
            svg += f'<text x="{middle:g}" y="{_GAP + 8}">{text}</text>'
        left += own + _GAP
    return _Box(width, bottom + _GAP / 2, svg)


def _framed(title: Sequence[str], box: _Box) -> _Box:
    top = _LINE * len(title) + 14
    width, height = max(box.width, _width_of(title)) + 2 * _MARGIN, box.height + top + _MARGIN
    frame = f'<rect width="{width:g}" height="{height:g}" rx="4" fill="#f6f8fa" stroke="#5a6b7b"/>'
    return _Box(width, height, frame + _text(title, width / 2, 0) + box.at((width - box.width) / 2, top))


def _line(x1: float, y1: float, x2: float, y2: float, *, arrow: bool = False) -> str:
    head = ' marker-end="url(#head)"' if arrow else ""
    return f'<path d="M{x1:g} {y1:g}L{x2:g} {y2:g}" stroke="#5a6b7b" fill="none"{head}/>'

"""A definition's tasks by position and by reference name."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from conductor_async._language.positions import positions_in
from conductor_async._language.templates import templates_of
from conductor_async.models import TaskType

if TYPE_CHECKING:
    from collections.abc import Collection

    from conductor_async._language.positions import Position
    from conductor_async.models import WorkflowDef

__all__ = ["DefinitionIndex", "suggestion"]

_MAX_SUGGESTIONS = 20  # looking for similar names among thousands is slow, and nobody reads more suggestions

_CREATING_TYPES = frozenset({TaskType.FORK_JOIN_DYNAMIC, TaskType.DYNAMIC})

# What expressions can refer to. The server takes other reference names, too, but no expression finds them.
_REFERABLE = re.compile(r"[^\s.\[\](){}$*][^\s.\[\](){}]*")


class DefinitionIndex:
    """The tasks of one definition, by position and by reference name.

    Attributes:
        positions: The positions of all tasks.
        by_reference: The first position of each reference name.
        unreferable: Reference names that no expression can refer to.
    """

    def __init__(self, definition: WorkflowDef) -> None:
        self.positions: list[Position] = list(positions_in(definition.tasks))
        self.by_reference: dict[str, Position] = {}
        for position in self.positions:
            self.by_reference.setdefault(position.task.task_reference_name, position)
        self.unreferable: list[str] = [name for name in self.by_reference if name and not _REFERABLE.fullmatch(name)]
        self._creators = [each for each in self.positions if each.task.type in _CREATING_TYPES]
        self._suggestions_left = _MAX_SUGGESTIONS

    def may_be_created_before(self, position: Position | None) -> bool:
        """Whether dynamic tasks, whose reference names nobody knows yet, can have run before a position.

        None stands for the end of the workflow.
        """
        return any(
            position is None or each.why_not_before(position) is None for each in self._creators if each is not position
        )

    def mentions_workflow(self) -> bool:
        """Whether an expression of a task starts with `${workflow.`."""
        texts = (text for position in self.positions for _, text in templates_of(position.task, position.path))
        return any("${workflow." in text for text in texts)

    def suggest_reference(self, name: str) -> str:
        """Returns `: did you mean …?` with a similar reference name; empty if there is none, or after many calls."""
        self._suggestions_left -= 1
        if self._suggestions_left < 0:
            return ""
        return suggestion(name, [reference for reference in self.by_reference if reference])


def suggestion(name: str, names: Collection[str]) -> str:
    """Returns `: did you mean …?` with the most similar name; empty if none is similar."""
    matches = difflib.get_close_matches(name, names, n=1)
    return f": did you mean {matches[0]!r}?" if matches else ""

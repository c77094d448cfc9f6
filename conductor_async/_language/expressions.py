"""Reading `${…}` as the server does: where expressions are in a text, and what they refer to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PARTS_OF_TASK", "PARTS_OF_WORKFLOW", "Expression", "expressions_in", "steps_below"]

PARTS_OF_WORKFLOW = frozenset(
    {
        *("input", "output", "variables", "status", "reasonForIncompletion", "env", "secrets"),
        *("workflowId", "workflowType", "version", "schemaVersion", "correlationId"),
        *("parentWorkflowId", "parentWorkflowTaskId"),
    }
)
"""What follows `${workflow.`."""

PARTS_OF_TASK = frozenset(
    {
        *("input", "output", "status", "reasonForIncompletion", "taskType", "taskDefName", "taskId"),
        *("referenceTaskName", "workflowInstanceId", "correlationId", "workerId", "iteration", "retryCount"),
        *("pollCount", "scheduledTime", "startTime", "endTime", "callbackAfterSeconds"),
    }
)
"""What follows a task's reference name."""


class Expression(NamedTuple):
    """One `${…}` of a text.

    Attributes:
        content: What is between the braces; None if they are never closed.
        text: The expression as it stands, to the end of the text if it is never closed.
    """

    content: str | None
    text: str

    @property
    def root(self) -> str:
        """What comes before the first dot: `workflow`, or a task's reference name. Empty if it is worked out."""
        before = (self.content or "").partition(".")[0]
        return "" if "${" in before else before


def expressions_in(text: str) -> Iterator[Expression]:
    """Every expression of a text, from the outside in: `${a.${b.c}}` has two. `$${…}` is none: it stands for `${…}`."""
    start = text.find("${")
    while start >= 0:
        end = _closing(text, start + 1)
        if start > 0 and text[start - 1] == "$":
            next_start = end or start + 2
        elif end is None:
            yield Expression(None, text[start:])
            next_start = start + 2
        else:
            content = text[start + 2 : end]
            yield Expression(content, text[start : end + 1])
            yield from expressions_in(content)
            next_start = end
        start = text.find("${", next_start)


def _closing(text: str, opening: int) -> int | None:
    """Where the brace that opens here is closed."""
    depth = 0
    for brace in _BRACE.finditer(text, opening):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.start()
    return None


_BRACE = re.compile(r"[{}]")


def steps_below(content: str, prefix: str) -> Iterator[str]:
    """The keys that a path goes through below `prefix`, as far as they are plain: no filters, indexes, functions."""
    rest = content.removeprefix(prefix)
    while step := _STEP.match(rest):
        yield step["name"] or step["quoted"]
        rest = rest[step.end() :]


_STEP = re.compile(r"""(?:\.(?P<name>[\w-]+)|\[(?P<mark>['"])(?P<quoted>[^'"\\]+)(?P=mark)\])(?=[.\[]|$)""")

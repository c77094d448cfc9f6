"""The grammar of `${…}`: where expressions are in a string, and what they refer to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "TASK_FIELDS",
    "WORKFLOW_FIELDS",
    "Expression",
    "expression_spans",
    "expressions_in",
    "is_blank",
    "keys_after",
]

WORKFLOW_FIELDS = frozenset(
    {
        *("input", "output", "variables", "status", "reasonForIncompletion", "env", "secrets"),
        *("workflowId", "workflowType", "version", "schemaVersion", "correlationId"),
        *("parentWorkflowId", "parentWorkflowTaskId"),
    }
)
"""What may follow `${workflow.`."""

TASK_FIELDS = frozenset(
    {
        *("input", "output", "status", "reasonForIncompletion", "taskType", "taskDefName", "taskId"),
        *("referenceTaskName", "workflowInstanceId", "correlationId", "workerId", "iteration", "retryCount"),
        *("pollCount", "scheduledTime", "startTime", "endTime", "callbackAfterSeconds"),
    }
)
"""What may follow a task's reference name."""


class Expression(NamedTuple):
    """One `${…}` of a string.

    Attributes:
        content: What is between the braces; None if they are never closed.
        text: The expression with its braces; to the end of the string if it is never closed.
    """

    content: str | None
    text: str

    @property
    def root(self) -> str:
        """What comes before the first dot: `workflow`, or a reference name. Empty if an inner expression gives it."""
        before = (self.content or "").partition(".")[0]
        return "" if "${" in before else before


def expressions_in(text: str) -> Iterator[Expression]:
    """Yields all expressions of a string, outer ones first: `${a.${b.c}}` has two."""
    for start, end in expression_spans(text):
        if end is None:
            yield Expression(None, text[start:])
        else:
            content = text[start + 2 : end - 1]
            yield Expression(content, text[start:end])
            yield from expressions_in(content)


def expression_spans(text: str) -> Iterator[tuple[int, int | None]]:
    """Yields start and end of each outermost expression; the end is None if the expression is never closed.

    As on the server, `$${…}` is no expression (it stands for a literal `${…}`), but what is inside of it is read; and
    nothing is read any more after an expression that is never closed.
    """
    start = text.find("${")
    while start >= 0:
        if text[start - 1 : start] == "$":
            next_start = start + 1
        else:
            end = _end(text, start)
            yield start, end
            if end is None:
                return
            next_start = end
        start = text.find("${", next_start)


def _end(text: str, start: int) -> int | None:
    depth = 0
    for brace in _BRACE.finditer(text, start):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.end()
    return None


_BRACE = re.compile(r"[{}]")


def keys_after(content: str, prefix: str) -> Iterator[str]:
    """Yields the keys that follow `prefix` in a path, up to the first filter, index or function."""
    rest = content.removeprefix(prefix)
    while found := _KEY.match(rest):
        yield found["name"] or found["quoted"]
        rest = rest[found.end() :]


_KEY = re.compile(r"""(?:\.(?P<name>[\w-]+)|\[(?P<mark>['"])(?P<quoted>[^'"\\]+)(?P=mark)\])(?=[.\[]|$)""")


def is_blank(text: str) -> bool:
    """Whether the string is empty or has only what Java takes for white space: as in Python, but no-break spaces."""
    return all(character.isspace() and character not in "\x85\xa0\u2007\u202f" for character in text)

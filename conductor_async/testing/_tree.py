"""Draws an execution as a tree: the status, input, output and reason of each task, at its place in the workflow."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from conductor_async.models import Task, Workflow, WorkflowRun, WorkflowTask, encode_json
from conductor_async.testing._execution_lookup import find_execution

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Execution", "execution_tree", "plain_reference"]

Execution: TypeAlias = Workflow | WorkflowRun
"""An execution as the server returns it, or the run that `execute` returns."""

_ITERATIONS = re.compile(r"(__\d+)+$")
_MAX_LENGTH = 160
_MARKS: Final = {
    "COMPLETED": "✓", "FAILED": "✗", "FAILED_WITH_TERMINAL_ERROR": "✗", "TIMED_OUT": "✗", "CANCELED": "-",
    "COMPLETED_WITH_ERRORS": "!", "SKIPPED": "-", "TERMINATED": "✗",
}  # fmt: skip


def execution_tree(execution: Execution) -> str:
    """Returns a text with every attempt of every task; tasks of loops, forks and cases are nested in these.

    The tasks of sub-workflows are shown if an open `WorkflowEnvironment` has them.
    """
    return "\n".join(_draw(_of_execution(execution, frozenset())))


def plain_reference(task: Task) -> str:
    """Returns the reference name without the suffix of loop iterations."""
    return _ITERATIONS.sub("", task.reference_task_name) if task.iteration else task.reference_task_name


@dataclass(slots=True)
class _Node:
    """Lines, and the nodes nested in them."""

    lines: list[str]
    nested: list[_Node] = field(default_factory=list["_Node"])


def _of_execution(execution: Execution, above: frozenset[str]) -> _Node:
    name = getattr(execution, "workflow_name", None) or "workflow"
    version = getattr(execution, "workflow_version", None)
    mark = _MARKS.get(execution.status, "…")
    title = f"{mark} {name}{f' {version}' if version else ''} {execution.status}  ({execution.workflow_id})"
    details = _details(execution.input, execution.output, execution.reason_for_incompletion)
    within = above | {execution.workflow_id}
    return _Node([title, *details], list(_of_tasks(execution.tasks, within)))


def _of_tasks(tasks: list[Task], within: frozenset[str]) -> Iterator[_Node]:
    """Yields the nodes of the outermost tasks, with the other tasks nested in them."""
    container_of = dict(_containers(tasks))
    latest: dict[str, _Node] = {}
    iterations: dict[tuple[int, str], _Node] = {}
    loops = {plain_reference(task) for task in tasks if task.task_type == "DO_WHILE"}
    attempts = _attempts(tasks)
    for task in tasks:
        node, ref = _of_task(task, attempts[task.reference_task_name], within), plain_reference(task)
        container = latest.get(container_of.get(ref, ""))
        latest[ref] = node
        if container is None:
            yield node
            continue
        if container_of[ref] in loops:
            number = task.reference_task_name.removeprefix(f"{ref}__").rpartition("__")[2]
            key = (id(container), number)
            if key not in iterations:
                iterations[key] = _Node([f"iteration {number}"])
                container.nested.append(iterations[key])
            container = iterations[key]
        container.nested.append(node)


def _attempts(tasks: Iterable[Task]) -> dict[str, int]:
    found: dict[str, int] = {}
    for task in tasks:
        found[task.reference_task_name] = found.get(task.reference_task_name, 0) + 1
    return found


def _containers(tasks: Iterable[Task]) -> Iterator[tuple[str, str]]:
    """Yields each nested reference name with the one that it is nested in, according to the tasks' definitions."""
    for task in tasks:
        container = plain_reference(task)
        if task.task_type == "FORK":
            forked: list[Any] = task.input_data.get("forkedTaskDefs") or []
            yield from ((str(each["taskReferenceName"]), container) for each in forked)
        if task.workflow_task is not None:
            yield from ((each.task_reference_name, container) for each in _nested(task.workflow_task))


def _nested(task: WorkflowTask) -> Iterator[WorkflowTask]:
    for branch in (*task.fork_tasks, *task.decision_cases.values(), task.default_case, task.loop_over):
        yield from branch


def _of_task(task: Task, attempts: int, within: frozenset[str]) -> _Node:
    kind = task.workflow_task.type if task.workflow_task is not None else task.task_type
    named = f"{kind} {task.task_def_name}" if kind == "SIMPLE" else str(kind)
    attempt = f", attempt {task.retry_count + 1}" if attempts > 1 or task.retry_count else ""
    title = f"{_MARKS.get(task.status, '…')} {task.reference_task_name} [{named}] {task.status}{attempt}"
    node = _Node([title, *_details(task.input_data, task.output_data, task.reason_for_incompletion)])
    if task.sub_workflow_id and task.sub_workflow_id not in within:
        child = find_execution(task.sub_workflow_id)
        node.nested.append(
            _Node([f"workflow {task.sub_workflow_id}"]) if child is None else _of_execution(child, within)
        )
    return node


def _details(given: Any, output: Any, reason: str | None) -> Iterator[str]:
    if reason:
        yield f"    reason: {reason}"
    if given:
        yield f"    input:  {_value(given)}"
    if output:
        yield f"    output: {_value(output)}"


def _value(value: Any) -> str:
    text = encode_json(value).decode()
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}… ({len(text)} characters)"


def _draw(node: _Node) -> Iterator[str]:
    """Yields the node's lines, and below them those of its nested nodes, on branches."""
    yield from (f"│{line[1:]}" if node.nested and line.startswith("    ") else line for line in node.lines)
    for index, each in enumerate(node.nested):
        last = index == len(node.nested) - 1
        first, *others = _draw(each)
        yield f"{'└' if last else '├'}─ {first}"
        yield from (f"{' ' if last else '│'}  {line}" for line in others)

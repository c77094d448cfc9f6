"""An execution as a tree for people: each task's state, input, output and reason, where it stands in the workflow."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from conductor_async.models import Task, Workflow, WorkflowRun, WorkflowTask, encode_json
from conductor_async.testing.sources import execution_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Execution", "execution_tree", "plain_reference"]

Execution: TypeAlias = Workflow | WorkflowRun
"""What can be looked at: an execution as the server shows it, or the run that `execute` returns."""

_ITERATIONS = re.compile(r"(__\d+)+$")
_LONGEST = 160
_MARKS: Final = {
    "COMPLETED": "✓", "FAILED": "✗", "FAILED_WITH_TERMINAL_ERROR": "✗", "TIMED_OUT": "✗", "CANCELED": "-",
    "COMPLETED_WITH_ERRORS": "!", "SKIPPED": "-", "TERMINATED": "✗",
}  # fmt: skip


def execution_tree(execution: Execution) -> str:
    """A picture in text: every attempt of every task, those of loops, forks and cases inside of these.

    The tasks of sub-workflows are shown as far as an open `WorkflowEnvironment` knows them.
    """
    return "\n".join(_drawn(_of_execution(execution, frozenset())))


def plain_reference(task: Task) -> str:
    """The reference name without a loop's iterations."""
    return _ITERATIONS.sub("", task.reference_task_name) if task.iteration else task.reference_task_name


@dataclass(slots=True)
class _Node:
    """Something with lines of its own and something inside."""

    lines: list[str]
    inside: list[_Node] = field(default_factory=list["_Node"])


def _of_execution(execution: Execution, above: frozenset[str]) -> _Node:
    name = getattr(execution, "workflow_name", None) or "workflow"
    version = getattr(execution, "workflow_version", None)
    mark = _MARKS.get(execution.status, "…")
    title = f"{mark} {name}{f' {version}' if version else ''} {execution.status}  ({execution.workflow_id})"
    details = _details(execution.input, execution.output, execution.reason_for_incompletion)
    within = above | {execution.workflow_id}
    return _Node([title, *details], list(_of_tasks(execution.tasks, within)))


def _of_tasks(tasks: list[Task], within: frozenset[str]) -> Iterator[_Node]:
    """The nodes of the tasks that are inside no other; these have the others in them."""
    container_of = dict(_containers(tasks))
    latest: dict[str, _Node] = {}
    rounds: dict[tuple[int, str], _Node] = {}
    loops = {plain_reference(task) for task in tasks if task.task_type == "DO_WHILE"}
    attempts = _attempts(tasks)
    for task in tasks:
        node, ref = _of_task(task, attempts[task.reference_task_name], within), plain_reference(task)
        around = latest.get(container_of.get(ref, ""))
        latest[ref] = node
        if around is None:
            yield node
            continue
        if container_of[ref] in loops:
            number = task.reference_task_name.removeprefix(f"{ref}__").rpartition("__")[2]
            key = (id(around), number)
            if key not in rounds:
                rounds[key] = _Node([f"iteration {number}"])
                around.inside.append(rounds[key])
            around = rounds[key]
        around.inside.append(node)


def _attempts(tasks: Iterable[Task]) -> dict[str, int]:
    found: dict[str, int] = {}
    for task in tasks:
        found[task.reference_task_name] = found.get(task.reference_task_name, 0) + 1
    return found


def _containers(tasks: Iterable[Task]) -> Iterator[tuple[str, str]]:
    """Which reference names are inside which others, as the tasks' own definitions tell it."""
    for task in tasks:
        around = plain_reference(task)
        if task.task_type == "FORK":
            forked: list[Any] = task.input_data.get("forkedTaskDefs") or []
            yield from ((str(each["taskReferenceName"]), around) for each in forked)
        if task.workflow_task is not None:
            yield from ((each.task_reference_name, around) for each in _inside(task.workflow_task))


def _inside(task: WorkflowTask) -> Iterator[WorkflowTask]:
    for branch in (*task.fork_tasks, *task.decision_cases.values(), task.default_case, task.loop_over):
        yield from branch


def _of_task(task: Task, attempts: int, within: frozenset[str]) -> _Node:
    kind = task.workflow_task.type if task.workflow_task is not None else task.task_type
    named = f"{kind} {task.task_def_name}" if kind == "SIMPLE" else str(kind)
    attempt = f", attempt {task.retry_count + 1}" if attempts > 1 or task.retry_count else ""
    title = f"{_MARKS.get(task.status, '…')} {task.reference_task_name} [{named}] {task.status}{attempt}"
    node = _Node([title, *_details(task.input_data, task.output_data, task.reason_for_incompletion)])
    if task.sub_workflow_id and task.sub_workflow_id not in within:
        child = execution_of(task.sub_workflow_id)
        node.inside.append(
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
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"


def _drawn(node: _Node) -> Iterator[str]:
    """The node's lines, and below them those of what is inside, on branches."""
    yield from (f"│{line[1:]}" if node.inside and line.startswith("    ") else line for line in node.lines)
    for index, each in enumerate(node.inside):
        last = index == len(node.inside) - 1
        first, *others = _drawn(each)
        yield f"{'└' if last else '├'}─ {first}"
        yield from (f"{' ' if last else '│'}  {line}" for line in others)

"""What all diagrams show of a task: its branches, the tasks inside of it, and its label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.models import TaskType, WorkflowDef

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conductor_async.models import WorkflowTask

__all__ = ["branches_of", "inner_tasks", "label_lines", "shortened"]


def branches_of(task: WorkflowTask) -> Iterator[tuple[str, Sequence[WorkflowTask]]]:
    """Yields the branches of a fork or switch: the label and the tasks of each. Other tasks have none."""
    yield from (("", branch) for branch in task.fork_tasks)
    yield from task.decision_cases.items()
    if task.decision_cases or task.default_case:
        yield "default", task.default_case


def inner_tasks(task: WorkflowTask) -> Sequence[WorkflowTask]:
    """Returns the tasks of a loop, or of an inline sub-workflow."""
    param = task.sub_workflow_param
    child = None if param is None else param.workflow_definition
    return child.tasks if isinstance(child, WorkflowDef) else task.loop_over


def label_lines(task: WorkflowTask) -> list[str]:
    """Returns the lines of a task's label: its reference name, and what it does."""
    inputs = task.input_parameters
    match task.type:
        case TaskType.SIMPLE:
            what = task.name if task.name != task.task_reference_name else ""
        case TaskType.SUB_WORKFLOW:
            what = f"workflow {task.sub_workflow_param.name}" if task.sub_workflow_param else "workflow"
        case TaskType.DO_WHILE:
            items = task.items or inputs.get("_items")
            condition = f"while {task.loop_condition}" if task.loop_condition else ""
            what = " ".join(filter(None, [f"for each of {items}" if items else "", condition])) or "loop"
        case TaskType.SWITCH if task.evaluator_type == "value-param":
            what = str(inputs.get(task.expression or "", task.expression))
        case TaskType.SWITCH:
            what = task.expression or ""
        case TaskType.DECISION:
            what = task.case_expression or str(inputs.get(task.case_value_param or "", ""))
        case TaskType.WAIT:
            what = f"wait {inputs['duration']}" if inputs.get("duration") else f"wait until {inputs.get('until', '…')}"
        case TaskType.EVENT:
            what = f"event {task.sink}"
        case _:
            what = str(task.type).lower().replace("_", " ")
    return [shortened(each) for each in (task.task_reference_name, what) if each]


def shortened(text: str) -> str:
    """Returns the text as one short line, without unprintable characters."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


_LONGEST = 60

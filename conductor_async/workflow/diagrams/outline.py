"""What a picture of a workflow shows: which ways lead on from a task, what is inside of it, and its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.models import TaskType, WorkflowDef

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conductor_async.models import WorkflowTask

__all__ = ["branches_of", "shortened", "tasks_inside", "words_of"]


def branches_of(task: WorkflowTask) -> Iterator[tuple[str, Sequence[WorkflowTask]]]:
    """The ways that part at a task: what is written on each, and the tasks on it. A plain task has none."""
    yield from (("", branch) for branch in task.fork_tasks)
    yield from task.decision_cases.items()
    if task.decision_cases or task.default_case:
        yield "default", task.default_case


def tasks_inside(task: WorkflowTask) -> Sequence[WorkflowTask]:
    """The tasks of a loop, or of a sub-workflow whose definition goes along."""
    param = task.sub_workflow_param
    child = None if param is None else param.workflow_definition
    return child.tasks if isinstance(child, WorkflowDef) else task.loop_over


def words_of(task: WorkflowTask) -> list[str]:
    """What is written in a task: its reference name, and what it does."""
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
    """The text on one line that is not too long, without characters that no picture can show."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


_LONGEST = 60

"""Where an execution stands, in words: for warnings of waits, and for errors of those that timed out. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.models import TaskStatus, TaskType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conductor_async.models import Task, Workflow

_MAX_TASKS = 5
_LONGEST_REASON = 200  # characters
_WAITS_FOR_PEOPLE = {
    TaskType.HUMAN: "it waits for someone to complete it",
    TaskType.WAIT: "it waits for its time, or for a signal",
}
_CONTAINERS = (TaskType.JOIN, TaskType.DO_WHILE)


def describe_progress(execution: Workflow, server_time: float) -> str:
    """Returns the status of an execution, its open tasks, their failed attempts and the next ones, as sentences.

    Args:
        execution: The execution, with its tasks.
        server_time: The time on the server's clock, in epoch milliseconds.
    """
    sentences = [f"It is {execution.status}."]
    if execution.reason_for_incompletion and execution.is_completed():
        sentences = [f"It is {execution.status}: {_shortened(execution.reason_for_incompletion)}."]
    tasks = open_tasks(execution)
    sentences += [_task(task, execution.tasks, server_time) for task in tasks[:_MAX_TASKS]]
    if len(tasks) > _MAX_TASKS:
        sentences.append(f"{len(tasks) - _MAX_TASKS} more tasks are open.")
    if not tasks and not execution.is_completed():
        sentences.append("It has no open task.")
    return " ".join(sentences)


def open_tasks(execution: Workflow) -> list[Task]:
    """Returns the tasks that the execution waits for. A join or a loop counts only if nothing else is open."""
    tasks = [task for task in execution.tasks if not task.is_completed()]
    return [task for task in tasks if task.task_type not in _CONTAINERS] or tasks


def due(task: Task) -> int:
    """Returns when a worker could poll the task first, in epoch milliseconds."""
    return task.scheduled_time + max(task.start_delay_in_seconds, task.callback_after_seconds) * 1000


def _task(task: Task, tasks: Sequence[Task], server_time: float) -> str:
    kind = "" if task.task_def_name in ("", task.reference_task_name) else f" ({task.task_def_name})"
    details = [_attempt(task)] if task.retry_count else []
    if task.status == TaskStatus.SCHEDULED and task.task_type not in _WAITS_FOR_PEOPLE:
        wait = (due(task) - server_time) / 1000
        details.append(f"due in {wait:.0f} s" if wait >= 1 else "waiting for a worker")
    elif task.task_type in _WAITS_FOR_PEOPLE:
        details.append(_WAITS_FOR_PEOPLE[TaskType(task.task_type)])
    elif task.worker_id:
        details.append(f"at worker {task.worker_id}")
    if task.sub_workflow_id:
        details.append(f"sub-workflow {task.sub_workflow_id}")
    text = f"Task {task.reference_task_name!r}{kind} is {task.status}"
    if details:
        text += f": {', '.join(details)}"
    failed = _last_failure(task, tasks)
    if failed is not None:
        reason = f": {_shortened(failed.reason_for_incompletion)}" if failed.reason_for_incompletion else ""
        text += f". Attempt {failed.retry_count + 1} was {failed.status}{reason}"
    return text + "."


def _attempt(task: Task) -> str:
    retries = task.task_definition.retry_count if task.task_definition is not None else None
    if task.workflow_task is not None and task.workflow_task.retry_count is not None:
        retries = task.workflow_task.retry_count
    return f"attempt {task.retry_count + 1}" + (f" of {retries + 1}" if retries and retries >= task.retry_count else "")


def _last_failure(task: Task, tasks: Sequence[Task]) -> Task | None:
    earlier = [
        other
        for other in tasks
        if other.reference_task_name == task.reference_task_name and other.is_completed() and other is not task
    ]
    return max(earlier, key=lambda other: other.retry_count, default=None)


def _shortened(reason: str) -> str:
    line = " ".join(reason.split())
    return (line if len(line) <= _LONGEST_REASON else line[:_LONGEST_REASON] + "…").removesuffix(".")

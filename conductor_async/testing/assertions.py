"""Assertions about executions. When one fails, it says what it missed and shows the whole execution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn

from conductor_async.testing.json_diff import differences
from conductor_async.testing.tree import execution_tree, plain_reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from conductor_async.models import Task
    from conductor_async.testing.tree import Execution

__all__ = ["assert_completed", "assert_failed", "assert_no_task", "assert_path", "assert_status", "assert_task"]


class _Anything:
    """What is not asserted."""

    def __repr__(self) -> str:
        return "anything"


_ANYTHING: Final[Any] = _Anything()


def assert_completed(run: Execution, output: Mapping[str, Any] = _ANYTHING) -> None:
    """The workflow is COMPLETED, with this output if one is given.

    ```python
    run = await workflow.execute({"name": "Ada"})
    assert_completed(run, {"greeting": "Hello, Ada"})
    ```
    """
    __tracebackhide__ = True
    assert_status(run, "COMPLETED", output=output)


def assert_failed(run: Execution, reason: str | None = None) -> None:
    """The workflow is FAILED, for a reason that has this text in it."""
    __tracebackhide__ = True
    assert_status(run, "FAILED", reason=reason)


def assert_status(
    run: Execution, status: str, *, reason: str | None = None, output: Mapping[str, Any] = _ANYTHING
) -> None:
    """The workflow has this status, such as `"RUNNING"` or `"TIMED_OUT"`.

    Args:
        run: The execution, or the run that `execute` returned.
        status: The status.
        reason: Text that the reason for its incompletion has in it.
        output: All of its output.
    """
    __tracebackhide__ = True
    if run.status != status:
        _fail(run, f"The workflow should be {status}. It is {run.status}.")
    _check(run, "The workflow", reason=reason, found_reason=run.reason_for_incompletion, values=[
        ("output", output, run.output),
    ])  # fmt: skip


def assert_task(
    run: Execution,
    task_reference_name: str,
    *,
    status: str | None = None,
    input: Mapping[str, Any] = _ANYTHING,  # noqa: A002 - as the models call it
    output: Mapping[str, Any] = _ANYTHING,
    reason: str | None = None,
    attempts: int | None = None,
    iterations: int | None = None,
) -> Task:
    """The task was scheduled, and its latest attempt is as described.

    ```python
    assert_task(run, "charge_ref", status="COMPLETED", output={"receipt": 7}, attempts=3)
    ```

    Args:
        run: The execution, or the run that `execute` returned.
        task_reference_name: The task. The plain name of a task in a loop is its latest iteration; `ref__2` the second.
        status: Its status.
        input: All of its input.
        output: All of its output.
        reason: Text that its reason for incompletion has in it.
        attempts: How often it was tried.
        iterations: How many iterations of its loop it was in.

    Returns:
        The latest attempt, to look at further.
    """
    __tracebackhide__ = True
    task = run.get_task(task_reference_name=task_reference_name)
    if task is None:
        there = ", ".join(_references(run)) or "none at all"
        _fail(run, f"The task {task_reference_name!r} should have been scheduled. These were: {there}.")
    subject = f"The task {task.reference_task_name!r}"
    if status is not None and task.status != status:
        _fail(run, f"{subject} should be {status}. It is {task.status}.")
    tried = sum(each.reference_task_name == task.reference_task_name for each in run.tasks)
    if attempts is not None and tried != attempts:
        _fail(run, f"{subject} should have been tried {_times(attempts)}. It was tried {_times(tried)}.")
    rounds = len({each.iteration for each in run.tasks if plain_reference(each) == plain_reference(task)})
    if iterations is not None and rounds != iterations:
        _fail(run, f"{subject} should have been in {iterations} iterations. It was in {rounds}.")
    _check(run, subject, reason=reason, found_reason=task.reason_for_incompletion, values=[
        ("input", input, task.input_data), ("output", output, task.output_data),
    ])  # fmt: skip
    return task


def assert_no_task(run: Execution, task_reference_name: str) -> None:
    """The task was not scheduled: its case was not taken, or the workflow never came so far."""
    __tracebackhide__ = True
    task = run.get_task(task_reference_name=task_reference_name)
    if task is not None:
        _fail(run, f"The task {task_reference_name!r} should not have been scheduled. It is {task.status}.")


def assert_path(run: Execution, task_reference_names: Sequence[str]) -> None:
    """These tasks were scheduled, in this order, and no others. Further attempts of a task count as one with it."""
    __tracebackhide__ = True
    found = list(_references(run))
    if found != list(task_reference_names):
        wanted = " → ".join(task_reference_names)
        _fail(run, f"The workflow should have taken this path:\n  {wanted}\nIt took this one:\n  {' → '.join(found)}")


def _references(run: Execution) -> Iterable[str]:
    return dict.fromkeys(task.reference_task_name for task in run.tasks)


def _check(
    run: Execution, subject: str, *, reason: str | None, found_reason: str | None, values: list[tuple[str, Any, Any]]
) -> None:
    __tracebackhide__ = True
    if reason is not None and reason not in (found_reason or ""):
        _fail(run, f"{subject} should say {reason!r} as its reason. It says {found_reason!r}.")
    for what, expected, found in values:
        if expected is not _ANYTHING and expected != found:
            text = "\n".join(f"  {each}" for each in differences(expected, found, what))
            _fail(run, f"{subject} has another {what} than it should:\n{text}")


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _fail(run: Execution, what: str) -> NoReturn:
    __tracebackhide__ = True
    raise AssertionError(f"{what}\n\n{execution_tree(run)}")

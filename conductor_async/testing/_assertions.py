"""Assertions about executions. A failing one says what differs, and shows the whole execution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn

from conductor_async.testing._json_diff import json_diff
from conductor_async.testing._tree import execution_tree, plain_reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from conductor_async.models import Task
    from conductor_async.testing._tree import Execution

__all__ = ["assert_completed", "assert_failed", "assert_no_task", "assert_path", "assert_status", "assert_task"]


class _Anything:
    """The default of values that are not asserted."""

    def __repr__(self) -> str:
        return "anything"


_ANYTHING: Final[Any] = _Anything()


def assert_completed(run: Execution, output: Mapping[str, Any] = _ANYTHING) -> None:
    """Asserts that the workflow is COMPLETED, with this output if one is given.

    ```python
    run = await workflow.execute({"name": "Ada"})
    assert_completed(run, {"greeting": "Hello, Ada"})
    ```
    """
    __tracebackhide__ = True
    assert_status(run, "COMPLETED", output=output)


def assert_failed(run: Execution, reason: str | None = None) -> None:
    """Asserts that the workflow is FAILED, for a reason that contains this text."""
    __tracebackhide__ = True
    assert_status(run, "FAILED", reason=reason)


def assert_status(
    run: Execution, status: str, *, reason: str | None = None, output: Mapping[str, Any] = _ANYTHING
) -> None:
    """Asserts that the workflow has this status, such as `"RUNNING"` or `"TIMED_OUT"`.

    Args:
        run: The execution, or the run that `execute` returned.
        status: The status.
        reason: Text that its reason for incompletion contains.
        output: Its whole output.
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
    """Asserts that the task was scheduled, and that its latest attempt is as described.

    ```python
    assert_task(run, "charge_ref", status="COMPLETED", output={"receipt": 7}, attempts=3)
    ```

    Args:
        run: The execution, or the run that `execute` returned.
        task_reference_name: The task. In a loop, `ref` is the task's latest iteration and `ref__2` its second one.
        status: Its status.
        input: Its whole input.
        output: Its whole output.
        reason: Text that its reason for incompletion contains.
        attempts: How many attempts it had.
        iterations: In how many iterations of its loop it was scheduled.

    Returns:
        The latest attempt, for further assertions.
    """
    __tracebackhide__ = True
    task = run.get_task(task_reference_name=task_reference_name)
    if task is None:
        scheduled = ", ".join(_references(run)) or "none"
        _fail(run, f"The task {task_reference_name!r} should have been scheduled. These were: {scheduled}.")
    subject = f"The task {task.reference_task_name!r}"
    if status is not None and task.status != status:
        _fail(run, f"{subject} should be {status}. It is {task.status}.")
    tried = sum(each.reference_task_name == task.reference_task_name for each in run.tasks)
    if attempts is not None and tried != attempts:
        _fail(run, f"{subject} should have been tried {_times(attempts)}. It was tried {_times(tried)}.")
    found_iterations = len({each.iteration for each in run.tasks if plain_reference(each) == plain_reference(task)})
    if iterations is not None and found_iterations != iterations:
        _fail(run, f"{subject} should have been in {iterations} iterations. It was in {found_iterations}.")
    _check(run, subject, reason=reason, found_reason=task.reason_for_incompletion, values=[
        ("input", input, task.input_data), ("output", output, task.output_data),
    ])  # fmt: skip
    return task


def assert_no_task(run: Execution, task_reference_name: str) -> None:
    """Asserts that the task was not scheduled: its case did not run, or the workflow did not get there."""
    __tracebackhide__ = True
    task = run.get_task(task_reference_name=task_reference_name)
    if task is not None:
        _fail(run, f"The task {task_reference_name!r} should not have been scheduled. It is {task.status}.")


def assert_path(run: Execution, task_reference_names: Sequence[str]) -> None:
    """Asserts that exactly these tasks were scheduled, in this order. All attempts of a task count as one."""
    __tracebackhide__ = True
    found = list(_references(run))
    if found != list(task_reference_names):
        expected = " → ".join(task_reference_names)
        _fail(run, f"The workflow should have taken this path:\n  {expected}\nIt took this one:\n  {' → '.join(found)}")


def _references(run: Execution) -> Iterable[str]:
    return dict.fromkeys(task.reference_task_name for task in run.tasks)


def _check(
    run: Execution, subject: str, *, reason: str | None, found_reason: str | None, values: list[tuple[str, Any, Any]]
) -> None:
    __tracebackhide__ = True
    if reason is not None and reason not in (found_reason or ""):
        _fail(run, f"{subject} should have {reason!r} in its reason. The reason is {found_reason!r}.")
    for what, expected, found in values:
        if expected is not _ANYTHING and expected != found:
            text = "\n".join(f"  {each}" for each in json_diff(expected, found, what))
            _fail(run, f"{subject} has an unexpected {what}:\n{text}")


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _fail(run: Execution, what: str) -> NoReturn:
    __tracebackhide__ = True
    raise AssertionError(f"{what}\n\n{execution_tree(run)}")

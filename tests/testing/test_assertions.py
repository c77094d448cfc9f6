"""A false assertion says what differs and shows the execution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import ANY

import pytest

from conductor_async.models import WorkflowRun
from conductor_async.testing import (
    assert_completed,
    assert_failed,
    assert_no_task,
    assert_path,
    assert_status,
    assert_task,
    execution_tree,
)
from tests.testing.executions import execution, inner, task

if TYPE_CHECKING:
    from collections.abc import Callable

RUN = execution(
    task("a", inputData={"x": 1}, outputData={"y": [1, 2], "z": "w"}),
    task("b", status="FAILED", reasonForIncompletion="the printer is out of paper", retryCount=0),
    task("b", status="FAILED", reasonForIncompletion="the printer is on fire", retryCount=1),
    task("dw", "DO_WHILE", iteration=2, inside={"loopOver": [inner("i")]}),
    task("i__1", iteration=1),
    task("i__2", iteration=2, outputData={"n": 2}),
    status="FAILED",
    reasonForIncompletion="Task b failed: the printer is on fire",
    output={"n": 1},
)
DONE = execution(status="COMPLETED", output={"n": 1, "deep": {"l": [1]}})


@pytest.mark.parametrize(
    "holds",
    [
        lambda: assert_completed(DONE),
        lambda: assert_completed(DONE, {"n": 1, "deep": {"l": [1]}}),
        lambda: assert_completed(DONE, {"n": 1, "deep": ANY}),
        lambda: assert_failed(RUN),
        lambda: assert_failed(RUN, "on fire"),
        lambda: assert_status(RUN, "FAILED", reason="Task b", output={"n": 1}),
        lambda: assert_task(RUN, "a", status="COMPLETED", input={"x": 1}, output={"y": [1, 2], "z": "w"}, attempts=1),
        lambda: assert_task(RUN, "b", status="FAILED", reason="on fire", attempts=2, output={}),
        lambda: assert_task(RUN, "i", output={"n": 2}, iterations=2),
        lambda: assert_task(RUN, "i__1", output={}),
        lambda: assert_no_task(RUN, "c"),
        lambda: assert_path(RUN, ["a", "b", "dw", "i__1", "i__2"]),
        lambda: assert_completed(WorkflowRun.from_workflow(DONE)),
    ],
)
def test_true_assertions_pass(holds: Callable[[], Any]) -> None:
    holds()


@pytest.mark.parametrize(
    ("fails", "said"),
    [
        (lambda: assert_completed(RUN), "The workflow should be COMPLETED. It is FAILED."),
        (
            lambda: assert_failed(RUN, "water"),
            "should have 'water' in its reason. The reason is 'Task b failed: the",
        ),
        (lambda: assert_task(RUN, "c"), "The task 'c' should have been scheduled. These were: a, b, dw, i__1, i__2."),
        (lambda: assert_task(RUN, "b", status="COMPLETED"), "The task 'b' should be COMPLETED. It is FAILED."),
        (lambda: assert_task(RUN, "b", attempts=1), "should have been tried once. It was tried 2 times."),
        (lambda: assert_task(RUN, "i", iterations=3), "'i__2' should have been in 3 iterations. It was in 2."),
        (
            lambda: assert_task(RUN, "b", reason="paper"),
            "should have 'paper' in its reason. The reason is 'the printer",
        ),
        (lambda: assert_task(RUN, "a", input={}), "has an unexpected input:\n  input.x should not be there"),
        (lambda: assert_no_task(RUN, "a"), "The task 'a' should not have been scheduled. It is COMPLETED."),
        (lambda: assert_path(RUN, ["a"]), "this path:\n  a\nIt took this one:\n  a → b → dw → i__1 → i__2"),
    ],
)
def test_false_assertions_say_what_differs_and_show_the_execution(fails: Callable[[], Any], said: str) -> None:
    with pytest.raises(AssertionError) as caught:
        fails()
    assert said in str(caught.value)
    assert str(caught.value).endswith(f"\n\n{execution_tree(RUN)}")


def test_only_differing_paths_are_listed() -> None:
    with pytest.raises(AssertionError) as caught:
        assert_task(RUN, "a", output={"y": [1, 3], "v": None, "z": "w"})
    what, _, _ = str(caught.value).partition("\n\n")
    assert what.splitlines() == [
        "The task 'a' has an unexpected output:",
        "  output.y[1] should be 3, and is 2",
        "  output.v is missing: it should be null",
    ]


def test_the_task_is_returned() -> None:
    assert assert_task(RUN, "b").retry_count == 1

"""Which tasks can have run before another."""

from __future__ import annotations

import pytest

from conductor_async._language.positions import Position, positions_in
from tests.fakes.definitions import definition, fork, loop, noop, switch, wait


def positions() -> dict[str, Position]:
    tasks = definition(
        noop("first"),
        *fork([noop("left"), wait(duration="1s"), noop("late")], [noop("right")], ref="fork"),
        loop(noop("body"), switch({"x": [noop("in_x")], "y": [noop("in_y")]}, ref="inner")),
        switch({"x": [noop("case_x")], "y": [noop("case_y")]}, ref="outer"),
        noop("last"),
    ).tasks
    return {position.task.task_reference_name: position for position in positions_in(tasks)}


def test_a_position_has_the_path_of_its_lists() -> None:
    found = positions()
    assert found["late"].path == "tasks[1].forkTasks[0][2]"
    assert found["in_y"].path == "tasks[3].loopOver[1].decisionCases['y'][0]"
    assert (found["in_y"].in_loop, found["case_y"].in_loop) == (True, False)


@pytest.mark.parametrize(
    ("task", "other", "reason"),
    [
        ("first", "last", None),
        ("last", "first", "runs after it"),
        ("case_x", "case_y", "is in another case"),
        ("in_x", "in_y", None),  # in an earlier iteration
        ("left", "right", "runs beside it, in a branch that is not joined yet"),
        ("right", "late", None),  # which waits meanwhile
        ("case_x", "outer", "runs inside of it"),
        ("body", "loop", None),  # whose input is evaluated in each iteration
    ],
)
def test_why_a_task_cannot_have_run_before_another(task: str, other: str, reason: str | None) -> None:
    found = positions()
    assert found[task].why_not_before(found[other]) == reason


def test_the_next_task_follows_the_branch_or_the_case_that_ends() -> None:
    found = positions()
    following = {ref: found[ref].next_task() for ref in ("late", "case_x", "inner", "last")}
    names = {ref: task and task.task_reference_name for ref, task in following.items()}
    assert names == {"late": "join_fork", "case_x": "last", "inner": None, "last": None}


def test_tasks_behind_another_run_only_after_it() -> None:
    found = positions()
    assert found["last"].runs_only_after(found["first"])
    assert found["late"].runs_only_after(found["first"])
    assert not found["left"].runs_only_after(found["right"])

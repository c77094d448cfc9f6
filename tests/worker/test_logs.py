"""The log of a task: how much of it is kept, and when."""

from __future__ import annotations

import time

import pytest

from conductor_async import ConfigurationError, worker_task
from conductor_async.worker._function.task_log import TaskLog


def test_lines_have_their_times_in_milliseconds_d17() -> None:
    log = TaskLog("t")
    before = time.time_ns() // 1_000_000
    log.add("now")
    log.add("then", at=1_700_000_000.5)
    now, then = log.lines()
    assert before <= now.created_time <= time.time_ns() // 1_000_000
    assert (then.log, then.created_time, then.task_id) == ("then", 1_700_000_000_500, "t")


def test_of_too_many_lines_the_first_and_the_last_are_kept() -> None:
    log = TaskLog("t")
    for number in range(1_234):
        log.add(str(number))
    lines = [line.log for line in log.lines()]
    assert lines[:500] == [str(number) for number in range(500)]
    assert lines[500] == "… 234 lines are left out …"
    assert lines[501:] == [str(number) for number in range(734, 1_234)]


@pytest.mark.parametrize("count", [0, 1, 500, 501, 1_000])
def test_as_many_as_fit_are_all_kept(count: int) -> None:
    log = TaskLog("t")
    for number in range(count):
        log.add(str(number))
    assert [line.log for line in log.lines()] == [str(number) for number in range(count)]


def test_a_long_line_is_cut() -> None:
    log = TaskLog("t")
    log.add("x" * 5_000)
    assert [line.log for line in log.lines()] == [f"{'x' * 4_000}… (1000 more characters)"]


@pytest.mark.parametrize(("given", "level"), [("INFO", 20), ("warning", 30), (10, 10), (None, None)])
def test_levels_are_those_of_logging(given: int | str | None, level: int | None) -> None:
    assert worker_task("greet", task_log_level=given)(lambda: None).options.task_log_level == level


@pytest.mark.parametrize("level", ["LOUD", True, 1.5])
def test_another_level_is_refused(level: object) -> None:
    with pytest.raises(ConfigurationError, match="task_log_level is a level of logging, such as 'INFO', not"):
        worker_task("greet", task_log_level=level)  # type: ignore[arg-type]

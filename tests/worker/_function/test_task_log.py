"""The bounded buffer of a task's log lines."""

from __future__ import annotations

import time

import pytest

from conductor_async import ConfigurationError, worker_task
from conductor_async.worker._function.task_log import TaskLog


def test_lines_have_their_times_in_milliseconds() -> None:
    log = TaskLog("t")
    before = time.time_ns() // 1_000_000
    log.add("now")
    log.add("then", at=1_700_000_000.5)
    now, then = log.lines()
    assert before <= now.created_time <= time.time_ns() // 1_000_000
    assert (then.log, then.created_time, then.task_id) == ("then", 1_700_000_000_500, "t")


def test_the_first_and_the_last_of_too_many_lines_are_kept() -> None:
    log = TaskLog("t")
    for number in range(1_234):
        log.add(str(number))
    lines = [line.log for line in log.lines()]
    assert lines[:500] == [str(number) for number in range(500)]
    assert lines[500] == "… 234 lines dropped …"
    assert lines[501:] == [str(number) for number in range(734, 1_234)]


@pytest.mark.parametrize("count", [0, 1, 500, 501, 1_000])
def test_up_to_a_thousand_lines_are_all_kept(count: int) -> None:
    log = TaskLog("t")
    for number in range(count):
        log.add(str(number))
    assert [line.log for line in log.lines()] == [str(number) for number in range(count)]


def test_a_long_line_is_truncated() -> None:
    log = TaskLog("t")
    log.add("x" * 5_000)
    assert [line.log for line in log.lines()] == [f"{'x' * 4_000}… (1000 more characters)"]


@pytest.mark.parametrize(("given", "level"), [("INFO", 20), ("warning", 30), (10, 10), (None, None)])
def test_log_levels_are_names_or_numbers(given: int | str | None, level: int | None) -> None:
    assert worker_task("greet", task_log_level=given)(lambda: None).options.task_log_level == level


@pytest.mark.parametrize("level", ["LOUD", True, 1.5])
def test_an_unknown_log_level_is_an_error(level: object) -> None:
    with pytest.raises(ConfigurationError, match="task_log_level must be a level of logging, such as 'INFO', not"):
        worker_task("greet", task_log_level=level)  # type: ignore[arg-type]

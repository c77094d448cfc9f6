"""Whether and when there is another attempt."""

from __future__ import annotations

import pytest

from tests.engine.bench import Bench, set_variable, task


def _attempts(bench: Bench, workflow_id: str) -> list[dict]:
    return bench.execution(workflow_id)["tasks"]


def test_a_task_is_retried_until_its_attempts_are_used_up(bench: Bench) -> None:
    bench.define("t", retryCount=2, retryDelaySeconds=0)
    workflow_id = bench.run({**task("a"), "name": "t"})
    for number in range(3):
        bench.work("t", "FAILED", {"o": number}, reasonForIncompletion=f"e{number}")
    rows = _attempts(bench, workflow_id)
    assert [row["retryCount"] for row in rows] == [0, 1, 2]
    assert [row["retried"] for row in rows] == [True, True, False]
    assert [row.get("retriedTaskId") for row in rows] == [None, rows[0]["taskId"], rows[1]["taskId"]]
    execution = bench.execution(workflow_id)
    assert execution["status"] == "FAILED"
    assert execution["reasonForIncompletion"] == f"Task {rows[2]['taskId']} failed with status: FAILED and reason: 'e2'"
    assert (execution["failedReferenceTaskNames"], execution["failedTaskNames"]) == (["a"], ["t"])


def test_an_attempt_has_nothing_of_the_last_one(bench: Bench) -> None:
    bench.define("a", retryCount=1, retryDelaySeconds=0)
    workflow_id = bench.run(task("a"))
    bench.work("a", "FAILED", {"o": 1}, reasonForIncompletion="e0")
    row = bench.tasks(workflow_id)["a"]
    assert (row["outputData"], row["pollCount"], row["startTime"], row["seq"]) == ({}, 0, 0, 2)
    assert row["reasonForIncompletion"] == "e0"
    assert "workerId" not in row


@pytest.mark.parametrize(
    ("definition", "gaps"),
    [
        ({"retryDelaySeconds": 2}, [2, 2, 2]),
        ({"retryDelaySeconds": 1, "retryLogic": "EXPONENTIAL_BACKOFF"}, [1, 2, 4]),
        ({"retryDelaySeconds": 1, "retryLogic": "LINEAR_BACKOFF", "backoffScaleFactor": 2}, [2, 4, 6]),
        ({"retryDelaySeconds": 1, "retryLogic": "EXPONENTIAL_BACKOFF", "maxRetryDelaySeconds": 2}, [1, 2, 2]),
    ],
)
def test_retry_delays(bench: Bench, definition: dict, gaps: list[int]) -> None:
    bench.define("a", retryCount=3, **definition)
    workflow_id = bench.run(task("a"))
    for gap in gaps:
        bench.work("a", "FAILED")
        assert bench.tasks(workflow_id)["a"]["startDelayInSeconds"] == gap
        bench.pass_time(gap - 0.01)
        assert not bench.engine.tasks.has_ready("a")
        bench.pass_time(0.01)
    bench.work("a")
    assert bench.status(workflow_id) == "COMPLETED"


def test_jitter_is_added_and_repeatable() -> None:
    waits = []
    for _ in range(2):
        bench = Bench()
        bench.define("a", retryCount=1, retryDelaySeconds=1, backoffJitterMs=2000)
        bench.run(task("a"))
        now = bench.clock.now()
        bench.work("a", "FAILED")
        due = bench.engine.next_due()
        assert due is not None
        waits.append(due - now)
    assert waits[0] == waits[1]
    assert 1 <= waits[0] <= 3


def test_a_terminal_error_is_not_retried(bench: Bench) -> None:
    bench.define("a", retryCount=3)
    workflow_id = bench.run(task("a"))
    bench.work("a", "FAILED_WITH_TERMINAL_ERROR")
    assert bench.states(workflow_id) == ["a FAILED_WITH_TERMINAL_ERROR"]
    assert bench.status(workflow_id) == "FAILED"


def test_the_retry_count_of_the_workflow_wins(bench: Bench) -> None:
    bench.define("a", retryCount=3, retryDelaySeconds=0)
    workflow_id = bench.run(task("a", retryCount=1))
    bench.work("a", "FAILED")
    bench.work("a", "FAILED")
    assert bench.status(workflow_id) == "FAILED"


def test_an_optional_task_may_fail(bench: Bench) -> None:
    bench.define("a", retryCount=1, retryDelaySeconds=0)
    workflow_id = bench.run(task("a", optional=True), set_variable("sv", st="${a.status}"))
    bench.work("a", "FAILED")
    bench.work("a", "FAILED")
    assert bench.states(workflow_id) == ["a FAILED", "a COMPLETED_WITH_ERRORS", "sv COMPLETED"]
    execution = bench.execution(workflow_id)
    assert (execution["status"], execution["variables"]) == ("COMPLETED", {"st": "COMPLETED_WITH_ERRORS"})
    assert execution["failedReferenceTaskNames"] == ["a"]


def test_a_permissive_task_fails_the_workflow_at_its_end(bench: Bench) -> None:
    bench.define("a", retryCount=0)
    workflow_id = bench.run(task("a", permissive=True), task("b"))
    bench.work("a", "FAILED", reasonForIncompletion="no")
    assert bench.status(workflow_id) == "RUNNING"
    bench.work("b")
    execution = bench.execution(workflow_id)
    assert execution["status"] == "FAILED"
    assert execution["reasonForIncompletion"].endswith("failed with status: FAILED and reason: 'no'")


def test_the_total_timeout_ends_the_attempts(bench: Bench) -> None:
    bench.define("a", retryCount=9, retryDelaySeconds=2, totalTimeoutSeconds=3, timeoutPolicy="RETRY")
    workflow_id = bench.run(task("a"))
    bench.work("a", "FAILED")
    bench.pass_time(2)
    bench.engine.tasks.poll("a")
    bench.pass_time(1)
    execution = bench.execution(workflow_id)
    assert execution["status"] == "TIMED_OUT"
    assert "exceeded total timeout of 3 seconds" in execution["reasonForIncompletion"]


def test_inputs_are_evaluated_again_for_each_attempt(bench: Bench) -> None:
    bench.define("a", retryCount=1, retryDelaySeconds=0)
    first = task("a", inputParameters={"v": "${workflow.variables.v}"})
    fork = task("f", "FORK_JOIN", forkTasks=[[first], [task("b"), set_variable("s", v=2)]])
    workflow_id = bench.run(fork, task("j", "JOIN", joinOn=["a", "s"]), variables={"v": 1})
    assert bench.tasks(workflow_id)["a"]["inputData"] == {"v": 1}
    bench.work("b")
    bench.work("a", "FAILED")
    assert bench.tasks(workflow_id)["a"]["inputData"] == {"v": 2}

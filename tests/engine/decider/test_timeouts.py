"""Timeouts and leases."""

from __future__ import annotations

import pytest

from tests.engine.bench import Bench, task


def test_the_response_timeout_ends_an_attempt(bench: Bench) -> None:
    bench.define(
        "a", responseTimeoutSeconds=1, timeoutSeconds=60, timeoutPolicy="RETRY", retryCount=1, retryDelaySeconds=0
    )
    workflow_id = bench.run(task("a"))
    polled = bench.engine.tasks.poll("a")
    assert polled is not None
    bench.pass_time(1)
    first, second = bench.execution(workflow_id)["tasks"]
    assert (first["status"], second["status"]) == ("TIMED_OUT", "SCHEDULED")
    assert first["reasonForIncompletion"] == (
        f"responseTimeout: 1 exceeded for the taskId: {polled['taskId']} with Task Definition: a"
    )
    bench.work("a")
    assert bench.status(workflow_id) == "COMPLETED"


def test_a_timeout_without_attempts_left_ends_the_workflow(bench: Bench) -> None:
    bench.define("a", responseTimeoutSeconds=1, retryCount=0)
    workflow_id = bench.run(task("a"))
    bench.engine.tasks.poll("a")
    bench.pass_time(1)
    execution = bench.execution(workflow_id)
    assert execution["status"] == "TIMED_OUT"
    assert (
        "failed with status: TIMED_OUT and reason: 'responseTimeout: 1 exceeded" in execution["reasonForIncompletion"]
    )


def test_the_response_timeout_ignores_the_timeout_policy(bench: Bench) -> None:
    bench.define("a", responseTimeoutSeconds=1, retryCount=1, retryDelaySeconds=0, timeoutPolicy="TIME_OUT_WF")
    workflow_id = bench.run(task("a"))
    bench.engine.tasks.poll("a")
    bench.pass_time(1)
    assert bench.states(workflow_id) == ["a TIMED_OUT", "a SCHEDULED"]


def test_the_poll_timeout_ends_the_workflow(bench: Bench) -> None:
    bench.define("a", pollTimeoutSeconds=1)
    workflow_id = bench.run(task("a"))
    bench.pass_time(1)
    execution = bench.execution(workflow_id)
    reason = (
        "Task poll timed out after 1 seconds. Poll timeout configured as 1 seconds. "
        "Timeout policy configured to TIME_OUT_WF"
    )
    assert (execution["status"], execution["reasonForIncompletion"]) == ("TIMED_OUT", reason)
    assert execution["tasks"][0]["reasonForIncompletion"] == reason


@pytest.mark.parametrize(
    ("policy", "states"), [("ALERT_ONLY", ["a SCHEDULED"]), ("RETRY", ["a TIMED_OUT", "a SCHEDULED"])]
)
def test_other_policies_of_the_poll_timeout(bench: Bench, policy: str, states: list[str]) -> None:
    bench.define("a", pollTimeoutSeconds=2, timeoutPolicy=policy, retryCount=1, retryDelaySeconds=0)
    workflow_id = bench.run(task("a"))
    bench.pass_time(3)
    assert bench.states(workflow_id) == states


def test_the_task_timeout_ignores_lease_extensions(bench: Bench) -> None:
    bench.define("a", timeoutSeconds=4, responseTimeoutSeconds=3, timeoutPolicy="TIME_OUT_WF")
    workflow_id = bench.run(task("a"))
    polled = bench.engine.tasks.poll("a")
    assert polled is not None
    for _ in range(3):
        bench.pass_time(1)
        bench.report(polled, extendLease=True)
    assert bench.status(workflow_id) == "RUNNING"
    bench.pass_time(1)
    assert bench.execution(workflow_id)["reasonForIncompletion"] == (
        "Task timed out after 4 seconds. Timeout configured as 4 seconds. Timeout policy configured to TIME_OUT_WF"
    )


def test_the_workflow_timeout(bench: Bench) -> None:
    bench.register("clean", task("c"))
    workflow_id = bench.run(task("a"), timeoutSeconds=2, timeoutPolicy="TIME_OUT_WF", failureWorkflow="clean")
    bench.pass_time(1.99)
    assert bench.status(workflow_id) == "RUNNING"
    bench.pass_time(0.01)
    execution = bench.execution(workflow_id)
    assert execution["reasonForIncompletion"] == (
        "Workflow timed out after 2 seconds. Timeout configured as 2 seconds. Timeout policy configured to TIME_OUT_WF"
    )
    assert (execution["status"], bench.states(workflow_id)) == ("TIMED_OUT", ["a CANCELED"])
    assert bench.status(execution["output"]["conductor.failure_workflow"]) == "RUNNING"


def test_a_workflow_timeout_with_alert_only_does_nothing(bench: Bench) -> None:
    workflow_id = bench.run(task("a"), timeoutSeconds=2)
    bench.pass_time(10)
    assert bench.status(workflow_id) == "RUNNING"


def test_a_lease_extension_restarts_the_response_timeout(bench: Bench) -> None:
    bench.define("a", responseTimeoutSeconds=2)
    workflow_id = bench.run(task("a"))
    polled = bench.engine.tasks.poll("a")
    assert polled is not None
    for _ in range(5):
        before = bench.tasks(workflow_id)["a"]["updateTime"]
        bench.pass_time(1)
        bench.report(polled, extendLease=True)
        assert bench.tasks(workflow_id)["a"]["updateTime"] > before
    assert bench.states(workflow_id) == ["a IN_PROGRESS"]
    bench.report(polled)
    assert bench.status(workflow_id) == "COMPLETED"


def test_system_tasks_have_no_response_timeout(bench: Bench) -> None:
    bench.run(task("w", "WAIT", inputParameters={"duration": "30 days"}), task("h", "HUMAN"))
    due = bench.engine.next_due()
    assert due == bench.clock.now() + 30 * 86400


def test_nothing_is_due_when_nothing_can_happen(bench: Bench) -> None:
    bench.run(task("w", "WAIT"))
    assert bench.engine.next_due() is None
    workflow_id = bench.run(task("a"))
    bench.work("a")
    assert bench.status(workflow_id) == "COMPLETED"
    assert bench.engine.next_due() is None


def test_a_paused_workflow_does_not_time_out(bench: Bench) -> None:
    workflow_id = bench.run(task("a"), timeoutSeconds=2, timeoutPolicy="TIME_OUT_WF")
    bench.engine.workflows.pause(workflow_id)
    bench.pass_time(10)
    assert bench.status(workflow_id) == "PAUSED"
    bench.engine.workflows.resume(workflow_id)
    bench.pass_time(1.9)
    assert bench.status(workflow_id) == "RUNNING"
    bench.pass_time(0.1)
    assert bench.status(workflow_id) == "TIMED_OUT"

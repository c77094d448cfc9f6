"""Operations on executions: pause, terminate, restart, retry, rerun, skip, remove."""

from __future__ import annotations

import pytest

from conductor_async.engine.errors import Conflict, Invalid, NotFound, Refused
from tests.engine.bench import Bench, set_variable, task


def _failed(bench: Bench, *tasks: dict) -> str:
    for name in ("a", "b"):
        bench.define(name, retryCount=0)
    return bench.run(*(tasks or (task("a"), task("b"))))


def test_pause_and_resume(bench: Bench) -> None:
    workflow_id = bench.run(task("a"), task("b"))
    bench.engine.workflows.pause(workflow_id)
    bench.engine.workflows.pause(workflow_id)
    bench.work("a")
    assert (bench.status(workflow_id), bench.states(workflow_id)) == ("PAUSED", ["a COMPLETED"])
    bench.engine.workflows.resume(workflow_id)
    assert (bench.status(workflow_id), bench.states(workflow_id)) == ("RUNNING", ["a COMPLETED", "b SCHEDULED"])
    with pytest.raises(Refused, match="is not PAUSED so cannot resume"):
        bench.engine.workflows.resume(workflow_id)


def test_terminate(bench: Bench) -> None:
    workflow_id = bench.run(task("a"), task("b"))
    bench.work("a")
    bench.engine.workflows.terminate(workflow_id, "r")
    bench.engine.workflows.terminate(workflow_id, "again")
    execution = bench.execution(workflow_id)
    assert (execution["status"], execution["reasonForIncompletion"]) == ("TERMINATED", "r")
    assert bench.states(workflow_id) == ["a COMPLETED", "b CANCELED"]
    assert bench.engine.tasks.poll("b") is None
    done = bench.run(set_variable("s"))
    with pytest.raises(Conflict, match="Cannot terminate a COMPLETED workflow"):
        bench.engine.workflows.terminate(done)
    with pytest.raises(Conflict, match="has ended, status cannot be updated"):
        bench.engine.workflows.pause(done)


def test_restart(bench: Bench) -> None:
    workflow_id = _failed(bench, task("a"))
    with pytest.raises(Conflict, match="is not in terminal state, unable to restart"):
        bench.engine.workflows.restart(workflow_id)
    before = bench.work("a", "FAILED")
    bench.engine.workflows.restart(workflow_id)
    execution = bench.execution(workflow_id)
    assert execution["status"] == "RUNNING"
    assert "reasonForIncompletion" not in execution
    (row,) = execution["tasks"]
    assert (row["status"], row["retryCount"]) == ("SCHEDULED", 0)
    assert row["taskId"] != before["taskId"]
    bench.work("a")
    assert bench.status(workflow_id) == "COMPLETED"


def test_restart_with_the_latest_definition(bench: Bench) -> None:
    bench.register("w", task("a"))
    workflow_id = bench.engine.workflows.start({"name": "w"})
    bench.engine.workflows.terminate(workflow_id)
    bench.register("w", task("z"))
    bench.engine.workflows.restart(workflow_id)
    assert bench.states(workflow_id) == ["a SCHEDULED"]
    bench.engine.workflows.terminate(workflow_id)
    bench.engine.workflows.restart(workflow_id, use_latest_definitions=True)
    assert bench.states(workflow_id) == ["z SCHEDULED"]


def test_a_completed_workflow_that_is_not_restartable_cannot_be_restarted(bench: Bench) -> None:
    workflow_id = bench.run(set_variable("s"), restartable=False)
    with pytest.raises(NotFound, match="is non-restartable"):
        bench.engine.workflows.restart(workflow_id)


def test_retry(bench: Bench) -> None:
    workflow_id = _failed(bench)
    with pytest.raises(NotFound, match="Workflow is still running"):
        bench.engine.workflows.retry(workflow_id)
    bench.work("a")
    failed = bench.work("b", "FAILED")
    bench.engine.workflows.retry(workflow_id)
    row = bench.tasks(workflow_id)["b"]
    assert (row["status"], row["retryCount"], row["retriedTaskId"]) == ("SCHEDULED", 1, failed["taskId"])
    assert bench.states(workflow_id) == ["a COMPLETED", "b FAILED", "b SCHEDULED"]
    assert bench.execution(workflow_id)["lastRetriedTime"] > 0
    bench.work("b")
    assert bench.status(workflow_id) == "COMPLETED"
    with pytest.raises(Conflict, match="There are no retryable tasks!"):
        bench.engine.workflows.retry(workflow_id)


def test_a_terminated_workflow_can_be_retried(bench: Bench) -> None:
    workflow_id = bench.run(task("a"))
    bench.engine.workflows.terminate(workflow_id)
    bench.engine.workflows.retry(workflow_id)
    assert bench.states(workflow_id) == ["a CANCELED", "a SCHEDULED"]


def test_rerun_from_a_task(bench: Bench) -> None:
    workflow_id = bench.run(task("a"), task("b"), task("c"))
    with pytest.raises(Conflict, match="unable to rerun"):
        bench.engine.workflows.rerun(workflow_id, {})
    for name in ("a", "b", "c"):
        bench.work(name, output={"o": name})
    old = bench.tasks(workflow_id)["b"]
    bench.engine.workflows.rerun(workflow_id, {"reRunFromTaskId": old["taskId"], "taskInput": {"y": 1}})
    row = bench.tasks(workflow_id)["b"]
    assert bench.states(workflow_id) == ["a COMPLETED", "b SCHEDULED"]
    assert (row["taskId"], row["inputData"], row["outputData"]) == (old["taskId"], {"y": 1}, {})
    bench.work("b")
    bench.work("c")
    assert bench.status(workflow_id) == "COMPLETED"
    with pytest.raises(Invalid, match="Task nope not found"):
        bench.engine.workflows.rerun(workflow_id, {"reRunFromTaskId": "nope"})


def test_rerun_from_the_start(bench: Bench) -> None:
    workflow_id = bench.run(task("a", inputParameters={"x": "${workflow.input.x}"}), input={"x": 1})
    bench.work("a")
    bench.engine.workflows.rerun(workflow_id, {"workflowInput": {"x": 99}, "correlationId": "newc"})
    execution = bench.execution(workflow_id)
    assert (execution["status"], execution["correlationId"]) == ("RUNNING", "newc")
    assert [row["inputData"] for row in execution["tasks"]] == [{"x": 99}]


def test_skip(bench: Bench) -> None:
    workflow_id = bench.run(task("a"), task("b"), task("c"))
    engine = bench.engine
    engine.workflows.skip_task(workflow_id, "b")
    assert bench.states(workflow_id) == ["b SKIPPED", "a SCHEDULED"]
    with pytest.raises(Refused, match="has already been processed"):
        engine.workflows.skip_task(workflow_id, "a")
    with pytest.raises(Refused, match="does not exist in the WorkflowDefinition"):
        engine.workflows.skip_task(workflow_id, "zz")
    bench.work("a")
    assert bench.states(workflow_id) == ["b SKIPPED", "a COMPLETED", "c SCHEDULED"]
    bench.work("c")
    with pytest.raises(Refused, match="is not running"):
        engine.workflows.skip_task(workflow_id, "c")


def test_reset_callbacks(bench: Bench) -> None:
    workflow_id = bench.run(task("a"))
    bench.work("a", "IN_PROGRESS", callbackAfterSeconds=600)
    bench.engine.workflows.reset_callbacks(workflow_id)
    bench.work("a")
    with pytest.raises(Conflict, match="Workflow is in terminal state"):
        bench.engine.workflows.reset_callbacks(workflow_id)


def test_remove(bench: Bench) -> None:
    workflow_id = bench.run(task("a"))
    with pytest.raises(Invalid, match=f"Cannot archive workflow: {workflow_id} with status: RUNNING"):
        bench.engine.workflows.remove(workflow_id)
    bench.engine.workflows.remove(workflow_id, archive_workflow=False)
    with pytest.raises(NotFound):
        bench.engine.workflows.get(workflow_id)
    assert bench.engine.tasks.poll("a") is None
    assert bench.engine.core.store.tasks == {}


def test_bulk_operations(bench: Bench) -> None:
    ids = [bench.run(task("a")) for _ in range(2)]
    expected = {"bulkErrorResults": {"x": "No such workflow found by id: x"}, "bulkSuccessfulResults": ids}
    assert bench.engine.bulk.pause([*ids, "x"]) == expected
    assert bench.engine.bulk.resume([*ids, "x"]) == expected
    assert bench.engine.bulk.terminate([*ids, "x"], "r") == expected
    assert bench.engine.bulk.retry(ids)["bulkSuccessfulResults"] == ids
    assert len(bench.engine.bulk.search(ids)["bulkSuccessfulResults"]) == 2
    assert bench.engine.bulk.terminate_remove(ids)["bulkSuccessfulResults"] == [ids[0]] * 2 + [ids[1]] * 2
    with pytest.raises(Invalid) as caught:
        bench.engine.bulk.pause([])
    assert caught.value.validation_errors[0]["path"] == "pauseWorkflow.arg0"
    with pytest.raises(Invalid):
        bench.engine.bulk.pause(["x"] * 1001)


def test_executions_are_found_by_correlation_id(bench: Bench) -> None:
    bench.register("w", task("a"))
    ids = [bench.engine.workflows.start({"name": "w", "correlationId": "c"}) for _ in range(3)]
    bench.engine.workflows.terminate(ids[0])
    found = bench.engine.workflows.get_by_correlation_id("w", "c")
    assert [one["workflowId"] for one in found] == ids[1:]
    assert [one["tasks"] for one in found] == [[], []]
    assert len(bench.engine.workflows.get_by_correlation_ids("w", ["c", "d"], include_closed=True)["c"]) == 3
    assert bench.engine.workflows.get_running("w") == ids[1:]
    now = round(bench.clock.now() * 1000)
    assert bench.engine.workflows.get_running("w", start_time=now - 1, end_time=now + 1) == ids


def test_a_retried_wait_keeps_its_time(bench: Bench) -> None:
    workflow_id = bench.run(task("w", "WAIT", inputParameters={"duration": "1 hour"}))
    bench.pass_time(600)
    bench.engine.workflows.terminate(workflow_id)
    bench.engine.workflows.retry(workflow_id)
    assert bench.states(workflow_id) == ["w CANCELED", "w IN_PROGRESS"]
    bench.pass_time(3000)
    assert bench.status(workflow_id) == "COMPLETED"

"""The results that workers report."""

from __future__ import annotations

import pytest

from conductor_async.engine.errors import Invalid, NotFound, Refused
from tests.engine.bench import Bench, task


def test_tasks_run_in_sequence(bench: Bench) -> None:
    workflow_id = bench.run(task("a"), task("b", inputParameters={"y": "${a.output.y}"}))
    bench.work("a", output={"y": 2})
    polled = bench.work("b", output={"z": 3})
    assert polled["inputData"] == {"y": 2}
    execution = bench.execution(workflow_id)
    assert (execution["status"], execution["output"]) == ("COMPLETED", {"z": 3})
    assert execution["endTime"] > 0


def test_output_parameters(bench: Bench) -> None:
    wanted = {"a": "${a.output.l[1]}", "m": "${a.output.nope}", "lit": 3, "s": "v=${a.output.n}"}
    workflow_id = bench.run(task("a"), outputParameters=wanted)
    bench.work("a", output={"l": [1, {"k": 2}], "n": 5})
    assert bench.execution(workflow_id)["output"] == {"a": {"k": 2}, "m": None, "lit": 3, "s": "v=5"}


def test_results_of_ended_tasks_are_ignored(bench: Bench) -> None:
    workflow_id = bench.run(task("a"), task("b"))
    first = bench.work("a")
    bench.report(first, "FAILED")
    assert bench.tasks(workflow_id)["a"]["status"] == "COMPLETED"
    second = bench.engine.tasks.poll("b")
    assert second is not None
    bench.engine.workflows.terminate(workflow_id)
    bench.report(second)
    assert bench.tasks(workflow_id)["b"]["status"] == "CANCELED"


def test_invalid_results_are_rejected(bench: Bench) -> None:
    workflow_id = bench.run(task("a"))
    row = bench.tasks(workflow_id)["a"]
    with pytest.raises(NotFound, match="No such task found by id: nope"):
        bench.engine.tasks.update({"workflowInstanceId": workflow_id, "taskId": "nope", "status": "COMPLETED"})
    with pytest.raises(NotFound, match="No such workflow found by id: nope"):
        bench.engine.tasks.update({"workflowInstanceId": "nope", "taskId": row["taskId"], "status": "COMPLETED"})
    with pytest.raises(Invalid) as caught:
        bench.engine.tasks.update({"taskId": row["taskId"], "status": "COMPLETED"})
    assert caught.value.validation_errors == [
        {"path": "updateTask.arg0.workflowInstanceId", "message": "Workflow Id cannot be null or empty"}
    ]
    with pytest.raises(Refused, match="is null"):
        bench.engine.tasks.update({"workflowInstanceId": workflow_id, "taskId": row["taskId"]})
    with pytest.raises(Refused, match="not one of the values accepted"):
        bench.report(row | {"workflowInstanceId": workflow_id}, "BOGUS")


def test_a_task_in_progress_is_queued_again_after_its_callback_time(bench: Bench) -> None:
    workflow_id = bench.run(task("a"))
    first = bench.work("a", "IN_PROGRESS", {"p": 1}, callbackAfterSeconds=2)
    row = bench.tasks(workflow_id)["a"]
    assert (row["status"], row["callbackAfterSeconds"], row["outputData"]) == ("SCHEDULED", 2, {"p": 1})
    assert bench.engine.tasks.poll("a") is None
    bench.pass_time(2)
    again = bench.work("a", "IN_PROGRESS", {"q": 2})
    assert (again["taskId"], again["pollCount"]) == (first["taskId"], 2)
    assert bench.tasks(workflow_id)["a"]["outputData"] == {"q": 2}


def test_update_by_reference_name(bench: Bench) -> None:
    workflow_id = bench.run(task("a"), task("b"))
    engine = bench.engine
    assert engine.tasks.update_by_ref_name(workflow_id, "a", "IN_PROGRESS", {"p": 1}) is not None
    assert engine.tasks.update_by_ref_name(workflow_id, "a", "COMPLETED", {"k": 1}) is not None
    assert bench.tasks(workflow_id)["a"]["outputData"] == {"p": 1, "k": 1}
    assert engine.tasks.update_by_ref_name(workflow_id, "a", "COMPLETED", {"k": 1}) is None
    assert engine.tasks.update_by_ref_name("nope", "a", "COMPLETED", {}) is None
    with pytest.raises(NotFound):
        engine.tasks.update_sync(workflow_id, "nope", "COMPLETED", {})
    assert engine.tasks.update_sync(workflow_id, "b", "COMPLETED", {})["status"] == "COMPLETED"


def test_logs_are_sorted_by_time(bench: Bench) -> None:
    workflow_id = bench.run(task("a"))
    polled = bench.work("a", "IN_PROGRESS", logs=[{"log": "no time"}, {"log": "old", "createdTime": 5}])
    bench.engine.tasks.add_log(polled["taskId"], "now")
    assert [line["log"] for line in bench.engine.tasks.get_logs(polled["taskId"])] == ["no time", "old", "now"]
    assert bench.engine.tasks.get_logs("nope") == []
    assert bench.status(workflow_id) == "RUNNING"


def test_update_v2_dispatches_the_next_task_of_the_same_type(bench: Bench) -> None:
    bench.run(task("a"))
    other = bench.run(task("a"))
    polled = bench.engine.tasks.poll("a", "w")
    assert polled is not None
    result = {"workflowInstanceId": polled["workflowInstanceId"], "taskId": polled["taskId"], "workerId": "w"}
    assert bench.engine.tasks.update_v2({**result, "extendLease": True}) is None
    following = bench.engine.tasks.update_v2({**result, "status": "COMPLETED"})
    assert following is not None
    assert (following["workflowInstanceId"], following["status"]) == (other, "IN_PROGRESS")


def test_a_cancelled_task_terminates_its_workflow(bench: Bench) -> None:
    workflow_id = bench.run(task("a"))
    bench.work("a", "CANCELED", reasonForIncompletion="no use")
    assert bench.status(workflow_id) == "TERMINATED"
    assert bench.states(workflow_id) == ["a CANCELED"]


def test_on_change_is_called_after_the_command(bench: Bench) -> None:
    workflow_id = bench.run(task("a"))
    bench.changed.clear()
    bench.work("a")
    assert bench.changed
    assert set(bench.changed) == {workflow_id}

"""DYNAMIC tasks and tasks of unknown types."""

from __future__ import annotations

from tests.engine.bench import Bench, task


def test_dynamic(bench: Bench) -> None:
    dynamic = task("d", "DYNAMIC", dynamicTaskNameParam="tn", inputParameters={"tn": "${workflow.input.t}"})
    workflow_id = bench.run(dynamic, input={"t": "worker_task"})
    row = bench.tasks(workflow_id)["d"]
    assert (row["taskType"], row["taskDefName"]) == ("worker_task", "worker_task")
    bench.work("worker_task")
    assert bench.status(workflow_id) == "COMPLETED"
    assert bench.execution(bench.run(dynamic))["reasonForIncompletion"] == (
        "Cannot map a dynamic task based on the parameter and input. Parameter= tn, input= {tn=null}"
    )


def test_a_dynamic_task_may_be_a_system_task(bench: Bench) -> None:
    values = {"tn": "INLINE", "expression": "1+1"}
    workflow_id = bench.run(task("d", "DYNAMIC", dynamicTaskNameParam="tn", inputParameters=values))
    assert bench.tasks(workflow_id)["d"]["outputData"] == {"result": 2}


def test_a_task_of_an_unknown_type_is_for_workers(bench: Bench) -> None:
    workflow_id = bench.run(task("b", "BOGUS_TYPE"))
    bench.work("BOGUS_TYPE")
    assert bench.status(workflow_id) == "COMPLETED"

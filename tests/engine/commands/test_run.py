"""What synchronous executions and signals answer, and runs on mocked outputs."""

from __future__ import annotations

import pytest

from conductor_async.engine.errors import NotFound, Refused
from tests.engine.bench import Bench, set_variable, task


def test_the_run_of_an_ended_execution(bench: Bench) -> None:
    workflow_id = bench.run(set_variable("s", x=1))
    assert bench.engine.runs.is_due(workflow_id)
    view = bench.engine.runs.get(workflow_id, request_id="r")
    assert (view["responseType"], view["requestId"], view["signalTimeout"]) == ("TARGET_WORKFLOW", "r", False)
    assert (view["targetWorkflowId"], view["targetWorkflowStatus"]) == (workflow_id, "COMPLETED")
    assert (view["status"], view["variables"], len(view["tasks"])) == ("COMPLETED", {"x": 1}, 1)
    assert "reasonForIncompletion" not in view


def test_the_run_of_a_running_execution(bench: Bench) -> None:
    workflow_id = bench.run(task("a"))
    assert not bench.engine.runs.is_due(workflow_id)
    assert bench.engine.runs.get(workflow_id, signal_timeout=True)["signalTimeout"] is True


def test_a_run_is_due_when_any_of_the_tasks_has_ended(bench: Bench) -> None:
    workflow_id = bench.run(task("a"), task("b"))
    assert not bench.engine.runs.is_due(workflow_id, ["b", "a"])
    bench.work("a")
    assert bench.engine.runs.is_due(workflow_id, ["b", "a"])
    assert not bench.engine.runs.is_due(workflow_id, ["b"])


def test_a_run_is_due_when_a_task_of_a_sub_workflow_has_ended(bench: Bench) -> None:
    bench.register("child", set_variable("inner"), task("c"))
    sub = task("sub", "SUB_WORKFLOW", subWorkflowParam={"name": "child", "version": 1}, inputParameters={"a": 1})
    workflow_id = bench.run(sub)
    assert bench.engine.runs.is_due(workflow_id, ["inner"])


@pytest.mark.parametrize(
    ("waiting", "blocks"),
    [
        (task("w", "WAIT"), True),
        (task("w", "WAIT", inputParameters={"duration": "1 hour"}), False),
        (task("w", "HUMAN"), False),
        (task("w"), False),
    ],
)
def test_only_a_wait_without_time_blocks(bench: Bench, waiting: dict, blocks: bool) -> None:
    assert bench.engine.runs.is_due(bench.run(waiting)) is blocks


def test_return_strategies(bench: Bench) -> None:
    bench.register("child", task("w", "WAIT", inputParameters={"q": 1}))
    sub = task("sub", "SUB_WORKFLOW", subWorkflowParam={"name": "child", "version": 1}, inputParameters={"a": 1})
    workflow_id = bench.run(sub)
    child = bench.tasks(workflow_id)["sub"]["subWorkflowId"]
    view = bench.engine.runs.get
    assert view(workflow_id)["workflowId"] == workflow_id
    assert view(workflow_id, return_strategy="BLOCKING_WORKFLOW")["workflowId"] == child
    shown = view(workflow_id, return_strategy="BLOCKING_TASK")
    assert (shown["referenceTaskName"], shown["input"], shown["status"]) == ("w", {"q": 1}, "IN_PROGRESS")
    bench.engine.tasks.signal(workflow_id, "COMPLETED", {"k": 1})
    assert bench.status(workflow_id) == "COMPLETED"
    with pytest.raises(Refused):
        view(workflow_id, return_strategy="BLOCKING_TASK")
    with pytest.raises(Refused):
        view(workflow_id, return_strategy="BOGUS")


def test_a_signal_completes_the_first_wait(bench: Bench) -> None:
    workflow_id = bench.run(task("w", "WAIT", inputParameters={"duration": "1 hour"}), task("a"))
    assert bench.engine.tasks.signal(workflow_id, "COMPLETED", {"k": 1}) == workflow_id
    assert bench.tasks(workflow_id)["w"]["outputData"] == {"k": 1}
    assert bench.engine.tasks.signal(workflow_id, "COMPLETED", {}) is None
    with pytest.raises(NotFound):
        bench.engine.tasks.signal("nope", "COMPLETED", {})


def test_a_run_on_mocked_outputs(bench: Bench) -> None:
    bench.define("a", retryCount=2)
    http = task("ht", "HTTP", inputParameters={"uri": "http://nope.invalid", "method": "GET"})
    switch = task(
        "sw", "SWITCH", evaluatorType="value-param", expression="p", inputParameters={"p": "${a.output.k}"},
        decisionCases={"1": [http]},
    )  # fmt: skip
    definition = {"name": "t", "version": 1, "tasks": [task("a"), switch], "outputParameters": {"o": "${ht.output.z}"}}
    mocks = {
        "a": [{"status": "FAILED", "output": {}}, {"status": "COMPLETED", "output": {"k": 1}}],
        "ht": [{"status": "COMPLETED", "output": {"z": 9}}],
    }
    request = {"name": "t", "version": 1, "workflowDef": definition, "input": {}}
    shown = bench.engine.workflows.test({**request, "taskRefToMockOutput": mocks})
    assert (shown["status"], shown["output"]) == ("COMPLETED", {"o": 9})
    assert [row["status"] for row in shown["tasks"]] == ["FAILED", "COMPLETED", "COMPLETED", "COMPLETED"]
    assert bench.engine.workflows.test({**request, "taskRefToMockOutput": {}})["status"] == "RUNNING"
    assert bench.engine.tasks.poll("a") is None

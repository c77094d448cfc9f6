"""Sub-workflows, started workflows, failure workflows."""

from __future__ import annotations

import pytest

from conductor_async.engine.errors import NotFound
from tests.engine.bench import Bench, set_variable, task

_REFUSED = "startWorkflow validation failed."


def _sub(name: str = "child", ref: str = "sub", **fields: object) -> dict:
    return task(ref, "SUB_WORKFLOW", subWorkflowParam={"name": name, "version": 1}, **fields)


def _child(bench: Bench, workflow_id: str, ref: str = "sub") -> dict:
    return bench.execution(bench.tasks(workflow_id)[ref]["subWorkflowId"])


def test_a_sub_workflow_completes_its_task_with_its_output(bench: Bench) -> None:
    bench.register(
        "child", set_variable("c", g="${workflow.input.a}"), outputParameters={"r": "${workflow.variables.g}"}
    )
    workflow_id = bench.run(
        _sub(inputParameters={"a": "${workflow.input.x}"}),
        set_variable("after", q="${sub.output.r}"),
        input={"x": 5},
        start={"correlationId": "c", "taskToDomain": {"t": "d"}, "priority": 7},
    )
    row, child = bench.tasks(workflow_id)["sub"], _child(bench, workflow_id)
    assert row["outputData"] == {"subWorkflowId": child["workflowId"], "r": 5}
    assert child["input"] == {"a": 5}
    assert (child["parentWorkflowId"], child["parentWorkflowTaskId"]) == (workflow_id, row["taskId"])
    assert (child["correlationId"], child["taskToDomain"], child["priority"]) == ("c", {"t": "d"}, 0)
    assert bench.execution(workflow_id)["variables"] == {"q": 5}


def test_a_sub_workflow_may_have_an_inline_definition(bench: Bench) -> None:
    definition = {"name": "inl", "version": 1, "tasks": [set_variable("k", q="${workflow.input.a}")]}
    params = {"name": "inl", "workflowDefinition": definition}
    workflow_id = bench.run(task("sub", "SUB_WORKFLOW", subWorkflowParam=params, inputParameters={"a": 7}))
    assert _child(bench, workflow_id)["input"] == {"a": 7, "_systemMetadata": {"dynamic": True}}
    assert bench.status(workflow_id) == "COMPLETED"
    with pytest.raises(NotFound):
        bench.engine.metadata.get_workflow_def("inl")


def test_the_definition_of_a_sub_workflow_may_come_from_the_input(bench: Bench) -> None:
    definition = {"name": "inl", "version": 1, "tasks": [set_variable("k", q=1)]}
    params = {"name": "any", "version": 1, "workflowDefinition": "${workflow.input.d}"}
    workflow_id = bench.run(task("sub", "SUB_WORKFLOW", subWorkflowParam=params), input={"d": definition})
    assert _child(bench, workflow_id)["workflowName"] == "inl"


def test_a_sub_workflow_without_input_gets_the_whole_task_input(bench: Bench) -> None:
    bench.register("child", set_variable("c"))
    workflow_id = bench.run(_sub())
    assert _child(bench, workflow_id)["input"]["subWorkflowName"] == "child"


@pytest.mark.parametrize(
    ("how", "status", "row_status"),
    [("fail", "FAILED", "FAILED"), ("terminate", "TERMINATED", "CANCELED"), ("time out", "TIMED_OUT", "TIMED_OUT")],
)
def test_a_sub_workflow_that_does_not_complete_fails_its_task(
    bench: Bench, how: str, status: str, row_status: str
) -> None:
    bench.define("a", retryCount=0)
    bench.register("child", task("a"), timeoutSeconds=5, timeoutPolicy="TIME_OUT_WF")
    workflow_id = bench.run(_sub(inputParameters={"a": 1}))
    child = _child(bench, workflow_id)["workflowId"]
    if how == "fail":
        bench.work("a", "FAILED", reasonForIncompletion="no")
    elif how == "terminate":
        bench.engine.workflows.terminate(child, "enough")
    else:
        bench.pass_time(5)
    reason = bench.execution(child)["reasonForIncompletion"]
    row = bench.tasks(workflow_id)["sub"]
    assert (bench.status(child), row["status"]) == (status, row_status)
    assert row["reasonForIncompletion"] == f"Sub workflow child.1/{child} failure reason: {reason}"
    assert bench.status(workflow_id) == status


def test_terminating_a_parent_terminates_its_sub_workflows(bench: Bench) -> None:
    bench.register("grandchild", task("a"))
    bench.register("child", _sub("grandchild", "sub2", inputParameters={"a": 1}))
    workflow_id = bench.run(_sub(inputParameters={"a": 1}))
    child = _child(bench, workflow_id)
    bench.engine.workflows.terminate(workflow_id, "r")
    grandchild = _child(bench, child["workflowId"], "sub2")
    assert bench.execution(child["workflowId"])["reasonForIncompletion"] == (
        "Parent workflow has been terminated with reason: r"
    )
    assert (grandchild["status"], grandchild["tasks"][0]["status"]) == ("TERMINATED", "CANCELED")
    assert bench.engine.tasks.poll("a") is None


def test_an_unknown_version_fails_the_task(bench: Bench) -> None:
    workflow_id = bench.run(_sub("nope", inputParameters={"a": 1}))
    assert bench.tasks(workflow_id)["sub"]["reasonForIncompletion"] == "No such workflow defined. name=nope, version=1"
    assert bench.status(workflow_id) == "FAILED"


def _failed_child(bench: Bench) -> tuple[str, str]:
    bench.define("a", retryCount=0)
    bench.register("child", task("first"), task("a"))
    workflow_id = bench.run(_sub(inputParameters={"a": 1}))
    bench.work("first")
    bench.work("a", "FAILED")
    return workflow_id, _child(bench, workflow_id)["workflowId"]


def test_a_retry_starts_another_sub_workflow(bench: Bench) -> None:
    workflow_id, child = _failed_child(bench)
    bench.engine.workflows.retry(workflow_id)
    assert bench.states(workflow_id) == ["sub FAILED", "sub IN_PROGRESS"]
    fresh = _child(bench, workflow_id)
    assert fresh["workflowId"] != child
    bench.work("first")
    bench.work("a")
    assert bench.status(workflow_id) == "COMPLETED"


def test_a_resuming_retry_continues_the_same_sub_workflow(bench: Bench) -> None:
    workflow_id, child = _failed_child(bench)
    bench.engine.workflows.retry(workflow_id, resume_subworkflow_tasks=True)
    assert (bench.status(workflow_id), bench.status(child)) == ("RUNNING", "RUNNING")
    assert bench.states(child) == ["first COMPLETED", "a FAILED", "a SCHEDULED"]
    bench.work("a")
    assert (bench.status(child), bench.status(workflow_id)) == ("COMPLETED", "COMPLETED")


@pytest.mark.parametrize("how", ["retry", "restart", "rerun"])
def test_reviving_a_sub_workflow_revives_its_parents(bench: Bench, how: str) -> None:
    workflow_id, child = _failed_child(bench)
    if how == "retry":
        bench.engine.workflows.retry(child)
    elif how == "restart":
        bench.engine.workflows.restart(child)
        bench.work("first")
    else:
        task_id = bench.tasks(child)["a"]["taskId"]
        bench.engine.workflows.rerun(child, {"reRunFromTaskId": task_id})
    assert bench.status(workflow_id) == "RUNNING"
    bench.work("a")
    assert (bench.status(child), bench.status(workflow_id)) == ("COMPLETED", "COMPLETED")


def test_reviving_a_sub_workflow_revives_its_cancelled_siblings(bench: Bench) -> None:
    bench.define("a", retryCount=0)
    bench.register("child", task("a"))
    workflow_id = bench.run(
        task("f", "FORK_JOIN", forkTasks=[[_sub(inputParameters={"a": 1})], [task("b")]]),
        task("j", "JOIN", joinOn=["sub", "b"]),
    )
    bench.work("a", "FAILED")
    assert bench.status(workflow_id) == "FAILED"
    bench.engine.workflows.retry(_child(bench, workflow_id)["workflowId"])
    assert bench.status(workflow_id) == "RUNNING"
    bench.work("a")
    bench.work("b")
    assert bench.status(workflow_id) == "COMPLETED"


def test_start_workflow_does_not_wait_for_the_workflow(bench: Bench) -> None:
    bench.register("child", task("c"))
    request = {"name": "child", "input": {"a": 1}}
    workflow_id = bench.run(
        task("st", "START_WORKFLOW", inputParameters={"startWorkflow": request}), start={"correlationId": "corr"}
    )
    assert bench.status(workflow_id) == "COMPLETED"
    started = bench.execution(bench.tasks(workflow_id)["st"]["outputData"]["workflowId"])
    assert "parentWorkflowId" not in started
    assert (started["input"], started["correlationId"], started["status"]) == ({"a": 1}, "corr", "RUNNING")

    unknown = bench.run(task("st", "START_WORKFLOW", inputParameters={"startWorkflow": {"name": "nope"}}))
    assert bench.tasks(unknown)["st"]["reasonForIncompletion"] == "No such workflow defined. name=nope, version=null"
    missing = bench.run(task("st", "START_WORKFLOW"))
    assert bench.tasks(missing)["st"]["reasonForIncompletion"] == "Missing 'startWorkflow' in input data."


def test_a_failed_workflow_starts_its_failure_workflow(bench: Bench) -> None:
    bench.define("a", retryCount=0)
    bench.register("clean", task("c"))
    workflow_id = bench.run(task("a"), input={"x": 1}, failureWorkflow="clean", start={"correlationId": "corr"})
    polled = bench.work("a", "FAILED", reasonForIncompletion="bad")
    execution = bench.execution(workflow_id)
    started = bench.execution(execution["output"]["conductor.failure_workflow"])
    assert started["correlationId"] == "corr"
    values = started["input"]
    assert values.pop("failedWorkflow")["workflowId"] == workflow_id
    assert values == {
        "x": 1,
        "workflowId": workflow_id,
        "reason": execution["reasonForIncompletion"],
        "failureStatus": "FAILED",
        "failureTaskId": polled["taskId"],
    }


def test_no_failure_workflow_after_a_termination_or_if_it_is_unknown(bench: Bench) -> None:
    bench.register("clean", task("c"))
    workflow_id = bench.run(task("a"), failureWorkflow="clean")
    bench.engine.workflows.terminate(workflow_id)
    assert "conductor.failure_workflow" not in bench.execution(workflow_id)["output"]

    bench.define("a", retryCount=0)
    unknown = bench.run(task("a"), failureWorkflow="nope")
    bench.work("a", "FAILED")
    text = bench.execution(unknown)["output"]["conductor.failure_workflow"]
    assert text.startswith("Error workflow nope failed to start.  reason: No such workflow defined.")


def test_the_task_of_a_sub_workflow_stays_cancelled_when_its_parent_ended_first(bench: Bench) -> None:
    bench.register("child", task("a"), outputParameters={"o": 1})
    workflow_id = bench.run(_sub(inputParameters={"z": 1}))
    bench.engine.workflows.terminate(workflow_id, "r")
    row = bench.tasks(workflow_id)["sub"]
    assert (row["status"], list(row["outputData"])) == ("CANCELED", ["subWorkflowId"])
    assert "reasonForIncompletion" not in row


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({"name": "c", "priority": 500}, f"{_REFUSED} 'priority' -> priority: 500 should be maximum 99. "),
        ({"name": "c", "priority": -1}, f"{_REFUSED} 'priority' -> priority: -1 should be minimum 0. "),
        ({"version": 1}, f"{_REFUSED} 'name' -> Workflow name cannot be null or empty. "),
        ({"name": " "}, "Workflow name must be specified when searching for a definition"),
    ],
)
def test_start_workflow_fails_on_an_invalid_request(bench: Bench, request_: dict, says: str) -> None:
    workflow_id = bench.run(task("s", "START_WORKFLOW", inputParameters={"startWorkflow": request_}))
    row = bench.tasks(workflow_id)["s"]
    assert (row["status"], row["reasonForIncompletion"]) == ("FAILED", says)

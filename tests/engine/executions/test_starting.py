"""Starting executions."""

from __future__ import annotations

import pytest

from conductor_async.engine.errors import Conflict, Invalid, NotFound, WorkflowHalted
from tests.engine.bench import Bench, set_variable, task


def test_the_first_task_is_scheduled_when_a_start_returns(bench: Bench) -> None:
    bench.register("w", task("a", inputParameters={"x": "${workflow.input.x}"}))
    workflow_id = bench.engine.workflows.start({"name": "w", "input": {"x": 1}, "correlationId": "corr", "priority": 5})
    execution = bench.execution(workflow_id)
    assert execution["status"] == "RUNNING"
    row = execution["tasks"][0]
    assert (row["status"], row["inputData"], row["seq"], row["pollCount"]) == ("SCHEDULED", {"x": 1}, 1, 0)
    assert (row["workflowPriority"], row["correlationId"]) == (5, "corr")
    assert row["taskDefinition"]["retryCount"] == 3


def test_invalid_starts_are_rejected(bench: Bench) -> None:
    bench.register("w", task("a"))
    for request, kind, message in (
        ({"name": "nope"}, NotFound, "No such workflow defined. name=nope, version=null"),
        ({"name": "w", "version": 9}, NotFound, "No such workflow defined. name=w, version=9"),
        ({"name": "w", "input": None}, Invalid, "NULL input passed when starting workflow"),
        ({"name": ""}, Invalid, "Workflow name must be specified when searching for a definition"),
    ):
        with pytest.raises(kind) as caught:
            bench.engine.workflows.start(request)
        assert caught.value.message == message
    with pytest.raises(Invalid) as caught:
        bench.engine.workflows.start({"name": "w", "priority": 100})
    assert caught.value.validation_errors[0]["path"] == "startWorkflow.arg0.priority"
    with pytest.raises(NotFound, match="No such workflow found by id: x"):
        bench.engine.workflows.get("x")


def test_an_inline_definition_is_not_registered(bench: Bench) -> None:
    workflow_id = bench.run(task("a"))
    assert bench.execution(workflow_id)["workflowName"] == "flow"
    with pytest.raises(NotFound):
        bench.engine.metadata.get_workflow_def("flow")


def test_an_execution_keeps_the_definitions_of_its_start(bench: Bench) -> None:
    bench.define("a", retryCount=0)
    bench.register("w", task("a"), task("b"))
    first, second = (bench.engine.workflows.start({"name": "w"}) for _ in range(2))
    bench.register("w", task("a"))
    bench.define("a", retryCount=3)
    bench.work("a", "FAILED")
    bench.work("a")
    assert bench.status(first) == "FAILED"
    assert bench.states(second) == ["a COMPLETED", "b SCHEDULED"]


def test_a_task_without_definition_is_retried_after_a_minute(bench: Bench) -> None:
    workflow_id = bench.run(task("a"))
    bench.work("a", "FAILED")
    attempt = bench.tasks(workflow_id)["a"]
    assert (attempt["retryCount"], attempt["callbackAfterSeconds"]) == (1, 60)
    assert bench.engine.tasks.poll("a") is None
    bench.pass_time(60)
    assert bench.engine.tasks.poll("a") is not None


def test_an_input_template_fills_what_is_absent_or_null_but_not_an_empty_input(bench: Bench) -> None:
    bench.register("w", task("a"), inputTemplate={"x": 1, "y": 2})
    given = bench.engine.workflows.start({"name": "w", "input": {"y": None, "z": 3}})
    empty = bench.engine.workflows.start({"name": "w", "input": {}})
    assert bench.execution(given)["input"] == {"x": 1, "y": 2, "z": 3}
    assert bench.execution(empty)["input"] == {}


def test_a_start_that_fails_leaves_nothing_behind(bench: Bench) -> None:
    with pytest.raises(Invalid):
        bench.run(task("w", "WAIT", inputParameters={"duration": "${workflow.input.d}"}), input={"d": "soon"})
    assert bench.engine.core.store.executions == {}
    with pytest.raises(WorkflowHalted, match="no workflow definition available"):
        bench.run(task("s", "SUB_WORKFLOW", subWorkflowParam={"name": "nope"}))


def test_idempotency_keys_count_only_where_that_is_asked_for(bench: Bench) -> None:
    bench.register("w", task("a"))
    request = {"name": "w", "idempotencyKey": "k", "idempotencyStrategy": "RETURN_EXISTING"}
    assert bench.engine.workflows.start(request) != bench.engine.workflows.start(request)

    strict = Bench(honour_idempotency_keys=True)
    strict.register("w", task("a"))
    first = strict.engine.workflows.start(request)
    assert strict.engine.workflows.start(request) == first
    with pytest.raises(Conflict):
        strict.engine.workflows.start({**request, "idempotencyStrategy": "FAIL"})
    strict.engine.workflows.terminate(first)
    assert strict.engine.workflows.start({**request, "idempotencyStrategy": "FAIL_ON_RUNNING"}) != first


def test_system_tasks_have_run_when_a_start_returns(bench: Bench) -> None:
    workflow_id = bench.run(*(set_variable(f"s{n}", n=n) for n in range(50)))
    assert bench.status(workflow_id) == "COMPLETED"
    assert bench.execution(workflow_id)["variables"] == {"n": 49}


def test_ids_are_repeatable_with_a_seed() -> None:
    ids = []
    for _ in range(2):
        bench = Bench()
        ids.append((bench.run(task("a")), bench.run(task("a"))))
    assert ids[0] == ids[1]

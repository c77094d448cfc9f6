"""Executions: what can be told from them."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from pydantic import TypeAdapter

from conductor_async.errors import (
    ResponseDecodeError,
    WorkflowError,
    WorkflowFailedError,
    WorkflowTerminatedError,
    WorkflowTimedOutError,
)
from conductor_async.models import (
    SignalResponse,
    Task,
    TaskDef,
    TaskResult,
    TaskResultStatus,
    TaskRun,
    TaskStatus,
    Workflow,
    WorkflowDef,
    WorkflowRun,
    WorkflowState,
    WorkflowStatus,
    WorkflowSummary,
    WorkflowTask,
)
from tests.fakes.cases import each_case


def task(ref: str, seq: int, status: str = "COMPLETED", name: str = "work", **more: Any) -> dict[str, Any]:
    return {
        "referenceTaskName": ref,
        "seq": seq,
        "status": status,
        "taskDefName": name,
        "taskId": f"{ref}-{seq}",
    } | more


@each_case("kind", [Workflow, WorkflowRun, WorkflowState, WorkflowSummary])
@each_case(
    ("status", "completed", "running", "successful"),
    [
        ("RUNNING", False, True, False),
        ("PAUSED", False, True, False),
        ("COMPLETED", True, False, True),
        ("FAILED", True, False, False),
        ("TIMED_OUT", True, False, False),
        ("TERMINATED", True, False, False),
        ("SOMETHING_NEW", False, False, False),
    ],
)
def test_workflow_predicates(kind: Any, status: str, completed: bool, running: bool, successful: bool) -> None:
    known = status in WorkflowStatus.__members__  # another one can only come from a server
    for execution in ([kind(status=status)] if known else []) + [kind.model_validate({"status": status})]:
        assert execution.is_completed() is completed
        assert execution.is_running() is running
        assert execution.is_successful() is successful


def test_the_latest_attempt_is_found_by_name_or_reference() -> None:
    workflow = Workflow.model_validate(
        {
            "tasks": [
                task("a", 1, "FAILED", retried=True),
                task("loop", 2, "IN_PROGRESS", name="loop"),
                task("b__1", 3, "FAILED", iteration=1, retryCount=0, name="body"),
                task("b__1", 4, iteration=1, retryCount=1, name="body"),
                task("a", 6, retryCount=1),
                task("b__2", 5, "SCHEDULED", iteration=2, name="body"),
                task("plain__7", 7, name="odd"),
            ]
        }
    )
    found = {ref: workflow.get_task(task_reference_name=ref).task_id for ref in ("a", "b", "b__1", "b__2", "plain__7")}
    assert found == {"a": "a-6", "b": "b__2-5", "b__1": "b__1-4", "b__2": "b__2-5", "plain__7": "plain__7-7"}
    assert workflow.get_task("body").task_id == "b__2-5"
    assert workflow.get_task(name="loop").task_id == "loop-2"
    assert workflow.get_task(task_reference_name="plain") is None  # not in a loop: it is called that
    assert workflow.get_task(task_reference_name="nowhere") is None
    assert workflow.current_task.task_id == "b__2-5"
    assert Workflow().current_task is None
    assert workflow.get_task_by_reference_name("b") is workflow.get_task(task_reference_name="b")
    assert [task.task_id for task in workflow.get_tasks_by_status("FAILED")] == ["a-1", "b__1-3"]


@each_case("arguments", [{}, {"name": "a", "task_reference_name": "b"}])
def test_get_task_takes_exactly_one_argument(arguments: dict[str, str]) -> None:
    with pytest.raises(TypeError, match="either"):
        Workflow().get_task(**arguments)


FAILED = {
    "workflowId": "w-1",
    "workflowName": "orders",
    "status": "FAILED",
    "reasonForIncompletion": "no stock",
    "tasks": [
        task("pick", 1, "FAILED", name="pick_item", retried=True, reasonForIncompletion="first"),
        task("pick", 2, "FAILED", name="pick_item", reasonForIncompletion="shelf is empty"),
        task("pack", 3, "CANCELED"),
    ],
}


@each_case(
    ("status", "error"),
    [("FAILED", WorkflowFailedError), ("TIMED_OUT", WorkflowTimedOutError), ("TERMINATED", WorkflowTerminatedError)],
)
def test_raise_for_status_raises_the_error_of_the_status(status: str, error: type[WorkflowError]) -> None:
    workflow = Workflow.model_validate(FAILED | {"status": status})
    for execution in (workflow, WorkflowRun.from_workflow(workflow)):
        with pytest.raises(error) as caught:
            execution.raise_for_status()
        assert type(caught.value) is error
        assert caught.value.execution is execution
        assert str(caught.value) == (
            f"Workflow 'orders' (id w-1) ended {status}: no stock. Task 'pick' (pick_item) is FAILED: shelf is empty."
        )
        assert pickle.loads(pickle.dumps(caught.value)).execution == execution


def test_raise_for_status_without_details() -> None:
    with pytest.raises(WorkflowTerminatedError, match=r"^The workflow \(id w\) ended TERMINATED\.$"):
        WorkflowRun(workflow_id="w", status="TERMINATED").raise_for_status()


@each_case("status", ["RUNNING", "PAUSED", "COMPLETED", "SOMETHING_NEW"])
def test_raise_for_status_returns_executions_that_did_not_fail(status: str) -> None:
    workflow = Workflow.model_validate({"status": status})
    assert workflow.raise_for_status() is workflow


def test_a_run_is_made_from_an_execution() -> None:
    workflow = Workflow.model_validate(FAILED | {"output": {"o": None}, "variables": {"v": 1}, "workflowVersion": 3})
    run = WorkflowRun.from_workflow(workflow)
    assert (run.workflow_id, run.target_workflow_id, run.workflow_name, run.workflow_version) == (
        "w-1",
        "w-1",
        "orders",
        3,
    )
    assert (run.status, run.target_workflow_status) == (WorkflowStatus.FAILED, WorkflowStatus.FAILED)
    assert (run.output, run.variables, run.reason_for_incompletion) == ({"o": None}, {"v": 1}, "no stock")
    assert run.tasks == workflow.tasks
    assert run.get_task(task_reference_name="pick").task_id == "pick-2"


def test_embedded_definitions_are_parsed_when_first_read() -> None:
    raw = {
        "workflowDefinition": {"name": "w", "tasks": [{"name": "t", "new": None}], "odd": {}},
        "tasks": [{"workflowTask": {"name": "t", "new": None}, "taskDefinition": {"name": "t", "retryLogic": "NEW"}}],
    }
    workflow = Workflow.model_validate(raw)
    first = workflow.tasks[0]
    assert type(vars(workflow)["workflow_definition"]) is dict
    assert isinstance(workflow.workflow_definition, WorkflowDef)
    assert isinstance(first.workflow_task, WorkflowTask)
    assert isinstance(first.task_definition, TaskDef)
    assert workflow.workflow_definition is workflow.workflow_definition
    assert workflow.to_wire() == raw
    first.task_definition.description = "changed"
    assert workflow.to_wire()["tasks"][0]["taskDefinition"] == {
        "name": "t",
        "retryLogic": "NEW",
        "description": "changed",
    }
    workflow.workflow_definition = WorkflowDef(name="another")
    assert workflow.to_wire()["workflowDefinition"] == {"name": "another"}
    assert Workflow().workflow_definition is None


def test_an_invalid_embedded_definition_is_an_error_with_its_path() -> None:
    broken = Task.model_validate({"workflowTask": {"startDelay": {"secret": "payload"}}})
    with pytest.raises(ResponseDecodeError, match=r"Task\.workflow_task\.startDelay could not be read") as caught:
        _ = broken.workflow_task
    assert "payload" not in str(caught.value)
    assert broken.to_wire() == {"workflowTask": {"startDelay": {"secret": "payload"}}}


def test_signal_responses_become_runs_or_tasks() -> None:
    parse = TypeAdapter(SignalResponse).validate_json
    run = parse(
        '{"responseType": "TARGET_WORKFLOW", "workflowId": "w", "tasks": [{"taskId": "t"}], "signalTimeout": true}'
    )
    assert type(run) is WorkflowRun
    assert run.is_target_workflow()
    assert run.signal_timeout
    assert run.tasks[0].task_id == "t"
    waiting = parse('{"responseType": "BLOCKING_TASK", "workflowId": "w", "taskId": "t", "status": "IN_PROGRESS"}')
    assert type(waiting) is TaskRun
    assert waiting.is_blocking_task()
    assert (run.get_workflow(), run.get_blocking_task(), run.get_task_input()) == (run, None, None)
    assert (waiting.get_workflow(), waiting.get_blocking_task(), waiting.get_task_input()) == (None, waiting, {})
    assert waiting.status is TaskStatus.IN_PROGRESS
    with pytest.raises(TypeError, match="construct one of them"):
        SignalResponse()


def test_reprs_are_short_and_contain_no_payload() -> None:
    workflow = Workflow.model_validate(FAILED | {"input": {"card": "4111"}})
    assert repr(workflow) == "Workflow(workflow_id='w-1', workflow_name='orders', status='FAILED', tasks=3)"
    shown = Task(reference_task_name="r", task_id="t", input_data={"card": "4111"}, runtime_metadata={"KEY": "4111"})
    assert repr(shown) == "Task(reference_task_name='r', status='SCHEDULED', task_id='t')"
    for each in (workflow, shown, WorkflowRun(input={"card": "4111"}), TaskRun(input={"card": "4111"})):
        assert "4111" not in repr(each) + str(each)


def test_to_task_result() -> None:
    done = Task(task_id="t", workflow_instance_id="w", worker_id="me", output_data={"old": 1}).to_task_result()
    assert isinstance(done, TaskResult)
    assert done.to_wire() == {"workflowInstanceId": "w", "taskId": "t", "workerId": "me", "status": "COMPLETED"}
    assert Task().to_task_result(TaskResultStatus.FAILED).status == "FAILED"


def test_predicates_by_task_status() -> None:
    ended = {status for status in TaskStatus if Task(status=status).is_completed()}
    assert ended == set(TaskStatus) - {TaskStatus.SCHEDULED, TaskStatus.IN_PROGRESS}
    good = {status for status in TaskStatus if Task(status=status).is_successful()}
    assert good == {TaskStatus.COMPLETED, TaskStatus.COMPLETED_WITH_ERRORS, TaskStatus.SKIPPED}


def test_the_reason_of_a_task_is_not_repeated_if_the_execution_quotes_it() -> None:
    tasks = [Task(reference_task_name="pay", status="FAILED", reason_for_incompletion="card declined")]
    reason = "Task t-1 failed with status: FAILED and reason: 'card declined'"
    run = WorkflowRun(workflow_id="w", status="FAILED", tasks=tasks, reason_for_incompletion=reason)
    with pytest.raises(WorkflowFailedError) as caught:
        run.raise_for_status()
    assert str(caught.value).count("card declined") == 1

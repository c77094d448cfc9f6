"""Misspelled fields and values of enumerations are errors when they come from code, and kept from a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, TypeAdapter

from conductor_async import ConfigurationError
from conductor_async.models import (
    Action,
    ConductorModel,
    EventHandler,
    JoinMode,
    SearchResult,
    StartWorkflowRequest,
    SubWorkflowParams,
    Task,
    TaskDef,
    TaskMock,
    TaskResult,
    TaskType,
    TimeoutPolicy,
    Workflow,
    WorkflowDef,
    WorkflowRun,
    WorkflowTask,
    WorkflowTestRequest,
)
from tests.fakes.cases import each_case

if TYPE_CHECKING:
    from collections.abc import Callable

FIELDS: list[tuple[type[ConductorModel], dict[str, Any], str]] = [
    (TaskDef, {"retrycount": 3}, r"TaskDef\(\) has no field 'retrycount'. Did you mean 'retry_count'\?"),
    (TaskDef, {"RetryCount": 3}, r"'retry_count'"),
    (TaskDef, {"timeout": 3}, r"TaskDef\(\) has no field 'timeout'"),
    (StartWorkflowRequest, {"inputs": {}}, r"StartWorkflowRequest\(\) has no field 'inputs'. Did you mean 'input'\?"),
    (StartWorkflowRequest, {"zzz": {}}, r"StartWorkflowRequest.model_validate\(\{…\}\)"),
    (
        WorkflowDef,
        {"tasks": [{"name": "a"}, {"nam": "a"}]},
        r"WorkflowTask\(\) has no field 'nam' \(at WorkflowDef.tasks\[1\]\). Did you mean 'name'\?",
    ),
    (WorkflowDef, {"inputSchema": {"nme": "s"}}, r"SchemaDef\(\).*at WorkflowDef.input_schema.*'name'"),
    (WorkflowTask, {"forkTasks": [[{"typ": "X"}]]}, r"at WorkflowTask.fork_tasks\[0\]\[0\]"),
    (WorkflowTask, {"decision_cases": {"a": ({"typ": "X"},)}}, r"at WorkflowTask.decision_cases\['a'\]\[0\]"),
    (
        WorkflowTask,
        {"sub_workflow_param": {"workflowDefinition": {"taskz": []}}},
        r"WorkflowDef\(\) has no field 'taskz' \(at WorkflowTask.sub_workflow_param.workflow_definition\)",
    ),
    (Workflow, {"workflowDefinition": {"nme": "x"}}, r"at Workflow.workflow_definition"),
    (WorkflowTestRequest, {"taskRefToMockOutput": {"r": [{"outputs": {}}]}}, r"TaskMock\(\).*'output'"),
    (EventHandler, {"actions": [{"startWorkflow": {}}]}, r"Action\(\).*Did you mean 'start_workflow'"),
    (SearchResult[Task], {"results": [{"taskid": "t"}]}, r"Did you mean 'task_id'"),
]

VALUES: list[tuple[type[ConductorModel], dict[str, Any], str]] = [
    (
        TaskDef,
        {"timeout_policy": "RETRYY"},
        r"TaskDef.timeout_policy cannot be 'RETRYY'. Did you mean 'RETRY'\?.*ALERT",
    ),
    (TaskDef, {"timeoutPolicy": "retry"}, r"Did you mean 'RETRY'\?"),
    (TaskDef, {"retry_logic": "EXPONENTIAL"}, r"Did you mean 'EXPONENTIAL_BACKOFF'\?"),
    (TaskDef, {"retry_logic": "?"}, r"It is one of FIXED, LINEAR_BACKOFF, EXPONENTIAL_BACKOFF"),
    (WorkflowDef, {"timeout_policy": "TIMEOUT_WF"}, r"'TIME_OUT_WF'"),
    (WorkflowTask, {"join_mode": "SYNCH"}, r"'SYNC'"),
    (TaskResult, {"status": "COMPLETE"}, r"TaskResult.status cannot be 'COMPLETE'. Did you mean 'COMPLETED'\?"),
    (TaskMock, {"status": "FAILD"}, r"'FAILED'"),
    (StartWorkflowRequest, {"idempotency_strategy": "RETURN"}, r"RETURN_EXISTING"),
    (Action, {"action": "start_workflows"}, r"'start_workflow'"),
    (
        WorkflowDef,
        {"tasks": [{"taskDefinition": {"timeoutPolicy": "X"}}]},
        r"tasks\[0\].task_definition.timeout_policy",
    ),
]


@each_case(("model", "given", "message"), FIELDS)
def test_a_misspelled_field_is_an_error_with_a_suggestion(
    model: type[ConductorModel], given: dict[str, Any], message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        model(**given)
    with pytest.raises(TypeError, match=message):
        model().model_copy(update=given)
    kept = model.model_validate(given).to_wire()
    assert model.model_validate_json(TypeAdapter(Any).dump_json(given)).to_wire() == kept
    assert TypeAdapter(list[model]).validate_python([given])[0].to_wire() == kept  # type: ignore[valid-type]


@each_case(("model", "given", "message"), VALUES)
def test_a_misspelled_value_is_an_error_with_a_suggestion(
    model: type[ConductorModel], given: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        model(**given)
    with pytest.raises(ValueError, match=message):
        model().model_copy(update=given)
    ((name, value),) = given.items()
    with pytest.raises(ConfigurationError, match=message):
        setattr(model(), name, value)
    assert model.model_validate(given).to_wire()


def test_dicts_that_are_assigned_are_checked() -> None:
    definition = WorkflowDef(name="w")
    with pytest.raises(TypeError, match=r"'nam' \(at WorkflowDef.tasks\[0\]\)"):
        definition.tasks = [{"nam": "a"}]  # type: ignore[list-item]
    with pytest.raises(AttributeError, match="'timeout_seconds'"):
        definition.timeoutseconds = 1  # type: ignore[attr-defined]
    assert definition.to_wire() == {"name": "w"}


def test_what_a_server_sent_can_be_changed_and_used_in_code() -> None:
    recorded = {
        "name": "w",
        "timeoutPolicy": "SHRUG",
        "new": 1,
        "tasks": [{"name": "a", "joinMode": "MAYBE", "new": 2}],
    }
    read = WorkflowDef.model_validate(recorded)
    read.description = "changed"
    read.new = 3  # type: ignore[attr-defined]
    assert read.to_wire() == {**recorded, "description": "changed", "new": 3}
    built = WorkflowDef(name="other", tasks=read.tasks)  # models in it stay what they are
    assert built.to_wire() == {"name": "other", "tasks": recorded["tasks"]}
    assert read.model_copy(update={"timeoutPolicy": "RETRY", "new": 4}).to_wire()["timeoutPolicy"] == "RETRY"
    assert StartWorkflowRequest(workflow_def=read).to_wire()["workflowDef"]["new"] == 3


def test_a_run_of_an_execution_keeps_what_the_server_sent() -> None:
    execution = Workflow.model_validate({"workflowId": "w", "status": "DREAMING", "tasks": [{"status": "NAPPING"}]})
    run = WorkflowRun.from_workflow(execution)
    assert (run.status, run.target_workflow_status, run.tasks[0].status) == ("DREAMING", "DREAMING", "NAPPING")
    assert run.tasks[0] is execution.tasks[0]


def test_names_that_belong_to_users_are_free() -> None:
    payload = {"retrycount": 1, "task_ref": [{"nam": 1}]}
    task = WorkflowTask(type="my_own_type", input_parameters=payload, items=[payload], metadata=payload)
    assert task.type == "my_own_type"
    assert task.to_wire()["inputParameters"] == payload
    assert WorkflowTask(type="SIMPLE").type is TaskType.SIMPLE
    assert TaskResult(output_data=payload).output_data == payload
    assert SubWorkflowParams(workflow_definition="${x.output.definition}", priority="${x.output.p}").priority


@each_case("value", [TimeoutPolicy.RETRY, "RETRY", None])
def test_values_that_exist_are_accepted(value: Any) -> None:
    task_def = TaskDef(timeout_policy=value)
    task_def.timeout_policy = value
    assert WorkflowTask(join_mode=JoinMode.ASYNC).to_wire() == {"joinMode": "ASYNC"}


class Audited(TaskDef):
    audit_mark: str | None = None


class WithConstructor(TaskDef):
    def __init__(self, **data: Any) -> None:
        super().__init__(**{"owner_email": "a@b.c", **data})


class Envelope(BaseModel):
    task_def: TaskDef


def test_subclasses_know_their_own_fields() -> None:
    assert Audited(audit_mark="m", retry_count=1).to_wire() == {"retryCount": 1, "auditMark": "m"}
    with pytest.raises(TypeError, match=r"Audited\(\) has no field 'auditmrk'. Did you mean 'audit_mark'\?"):
        Audited(auditmrk="m")  # type: ignore[call-arg]


@each_case(
    "parse",
    [
        lambda: WithConstructor.model_validate({"new": 1, "timeoutPolicy": "X"}),
        lambda: Audited.model_validate({"new": 1, "timeoutPolicy": "X", "ownerEmail": "a@b.c"}),
        lambda: Envelope.model_validate({"task_def": {"new": 1, "timeoutPolicy": "X", "ownerEmail": "a@b.c"}}).task_def,
        lambda: Envelope(task_def={"new": 1, "timeoutPolicy": "X", "ownerEmail": "a@b.c"}).task_def,  # type: ignore[arg-type]
        lambda: TaskDef.model_construct(new=1, timeout_policy="X", owner_email="a@b.c"),
    ],
    ids=["constructor", "subclass", "nested", "nested in a constructor", "construct"],
)
def test_validation_keeps_what_it_does_not_know(parse: Callable[[], TaskDef]) -> None:
    assert parse().to_wire() == {"ownerEmail": "a@b.c", "new": 1, "timeoutPolicy": "X"}

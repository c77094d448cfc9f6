"""What all models share: spellings, what is sent, unknown fields, copies."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from conductor_async import models
from conductor_async.models import (
    ConductorModel,
    EventHandler,
    SearchResult,
    SignalResponse,
    StartWorkflowRequest,
    SubWorkflowParams,
    Task,
    TaskDef,
    TaskResult,
    TaskResultStatus,
    Workflow,
    WorkflowDef,
    WorkflowRun,
    WorkflowStatus,
    WorkflowTask,
)
from tests.fakes.cases import each_case

MODELS = [
    each
    for each in (getattr(models, name) for name in models.__all__)
    if isinstance(each, type) and issubclass(each, ConductorModel)
]

# -- names -----------------------------------------------------------------------------------------------


def test_both_spellings_construct_the_same() -> None:
    snake = WorkflowTask(name="greet", task_reference_name="ref", input_parameters={"a": 1})
    camel = WorkflowTask(name="greet", taskReferenceName="ref", inputParameters={"a": 1})
    assert snake == camel
    assert camel.task_reference_name == "ref"
    assert not camel.model_extra


def test_both_spellings_in_nested_dicts() -> None:
    definition = WorkflowDef(
        name="w", tasks=[{"name": "a", "task_reference_name": "r"}, {"name": "b", "taskReferenceName": "s"}]
    )
    assert [task.task_reference_name for task in definition.tasks] == ["r", "s"]


def test_camel_case_attributes_work() -> None:
    task_def = TaskDef(name="t", retry_count=1)
    assert task_def.retryCount == 1
    task_def.retryCount = 5
    assert task_def.retry_count == 5
    assert task_def.to_wire() == {"name": "t", "retryCount": 5}
    assert Task(workflowTask={"taskReferenceName": "r"}).workflowTask.taskReferenceName == "r"


def test_a_misspelled_attribute_is_an_error_with_a_suggestion() -> None:
    task_def = TaskDef(name="t")
    with pytest.raises(AttributeError, match=r"TaskDef has no attribute 'retry_cuont'.*Did you mean 'retry_count'"):
        task_def.retry_cuont = 1
    with pytest.raises(AttributeError, match="zzz"):
        task_def.zzz = 1
    with pytest.raises(AttributeError, match="to_wire"):
        task_def.to_wire = None
    with pytest.raises(AttributeError):
        _ = task_def.retry_cuont
    assert task_def.to_wire() == {"name": "t"}


def test_a_misspelled_keyword_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(TypeError, match=r"TaskDef\(\) has no field 'retry_cuont'.*Did you mean 'retry_count'"):
        TaskDef(name="t", retry_cuont=1)


def test_invalid_values_are_named_by_their_field() -> None:
    with pytest.raises(ValidationError) as caught:
        TaskDef(name="t", retry_count="many")
    assert [(error["loc"], error["type"]) for error in caught.value.errors()] == [(("retry_count",), "int_parsing")]


# -- what is sent ------------------------------------------------------------------------------------------


@each_case("model", [each for each in MODELS if each is not SignalResponse])
def test_unset_fields_are_not_sent(model: type[ConductorModel]) -> None:
    expected = {field: {} for field in model.always_sent}
    assert model().to_wire() == expected


def test_an_append_to_a_default_list_is_sent() -> None:
    definition = WorkflowDef(name="w")
    definition.tasks.append(WorkflowTask(name="a", task_reference_name="r"))
    definition.tasks[0].join_on.append("x")
    definition.variables["v"] = None
    assert definition.to_wire() == {
        "name": "w",
        "tasks": [{"name": "a", "taskReferenceName": "r", "joinOn": ["x"]}],
        "variables": {"v": None},
    }
    assert WorkflowDef().tasks == []  # the default itself is untouched


def test_setting_a_default_explicitly_sends_it() -> None:
    definition = WorkflowDef(name="w", enforce_schema=True)
    definition.restartable = True
    assert definition.to_wire() == {"name": "w", "restartable": True, "enforceSchema": True}


def test_none_is_null_in_definitions_and_left_out_of_requests() -> None:
    assert WorkflowDef(name="w", description=None).to_wire() == {"name": "w", "description": None}
    assert StartWorkflowRequest(name="w", correlation_id=None).to_wire() == {"name": "w", "input": {}}
    assert TaskResult(task_id="t", worker_id=None, status=None).to_wire() == {"taskId": "t"}
    request = StartWorkflowRequest(name="w", workflow_def=WorkflowDef(name="w", description=None))
    assert request.to_wire()["workflowDef"] == {"name": "w", "description": None}


def test_a_start_always_has_an_input() -> None:
    request = StartWorkflowRequest(name="w")
    assert request.to_wire() == {"name": "w", "input": {}}
    request.to_wire()["input"]["leak"] = 1
    assert request.to_wire() == {"name": "w", "input": {}}
    request.input = None  # type: ignore[assignment]
    assert request.to_wire() == {"name": "w", "input": {}}
    assert StartWorkflowRequest(name="w", input=None).to_wire() == {"name": "w", "input": {}}
    assert StartWorkflowRequest().to_wire() == {"input": {}}


def test_payloads_are_not_changed() -> None:
    payload = {"aKey": None, "b_key": {"inputParameters": [None, {}]}, "camelCase": ""}
    assert StartWorkflowRequest(name="w", input=payload).to_wire()["input"] == payload
    assert WorkflowTask(input_parameters=payload).to_wire()["inputParameters"] == payload
    assert Workflow.model_validate({"output": payload}).output == payload


def test_assigned_dicts_and_models_are_sent_alike() -> None:
    definition = WorkflowDef(name="w")
    definition.tasks = [{"name": "a", "taskReferenceName": "r"}, WorkflowTask(name="b")]
    assert definition.to_wire()["tasks"] == [{"name": "a", "taskReferenceName": "r"}, {"name": "b"}]


# -- what this version does not know ---------------------------------------------------------------------------


def test_unknown_fields_and_enum_values_survive_a_round_trip() -> None:
    recorded = {
        "name": "w",
        "tasks": [
            {"name": "a", "taskReferenceName": "r", "type": "QUANTUM", "newKnob": {"deep": [None]}, "joinMode": "MAYBE"}
        ],
        "timeoutPolicy": "SHRUG",
        "brandNew": None,
        "alsoNew": {"snake_key": 1},
    }
    definition = WorkflowDef.model_validate(recorded)
    assert definition.tasks[0].type == "QUANTUM"
    definition.description = "changed"
    assert definition.to_wire() == recorded | {"description": "changed"}


def test_unknown_fields_can_be_read_and_reassigned() -> None:
    definition = WorkflowDef.model_validate({"name": "w", "brandNew": 1})
    assert definition.brandNew == 1
    definition.brandNew = 2
    assert definition.to_wire() == {"name": "w", "brandNew": 2}
    assert definition.model_copy(update={"brandNew": 3}).to_wire() == {"name": "w", "brandNew": 3}


def test_known_enum_values_become_members() -> None:
    workflow = Workflow.model_validate_json('{"status": "TIMED_OUT"}')
    assert workflow.status is WorkflowStatus.TIMED_OUT
    assert type(Workflow.model_validate({"status": "DREAMING"}).status) is str


@each_case("model", MODELS)
def test_null_means_the_default_in_every_field(model: type[ConductorModel]) -> None:
    nulls = {field.alias or name: None for name, field in model.model_fields.items()}
    parsed = model.model_validate(nulls)
    for name, field in model.model_fields.items():
        assert getattr(parsed, name) == field.get_default(call_default_factory=True)
    assert not parsed.model_extra


# -- copies ----------------------------------------------------------------------------------------------------


def execution() -> Workflow:
    return Workflow.model_validate(
        {
            "workflowId": "id",
            "workflowDefinition": {"name": "w", "tasks": [{"name": "a", "taskReferenceName": "r"}], "new": 1},
            "tasks": [{"taskId": "t", "workflowTask": {"name": "a", "taskReferenceName": "r"}, "taskDefinition": None}],
            "unknown": {"x": 1},
        }
    )


@each_case("touched", [False, True])
@each_case(
    "clone",
    [
        copy.copy,
        copy.deepcopy,
        lambda model: pickle.loads(pickle.dumps(model)),
        lambda model: model.model_copy(deep=True),
        lambda model: Workflow.model_validate(model.to_wire()),
    ],
    ids=["copy", "deepcopy", "pickle", "model_copy", "wire"],
)
def test_copies_are_equal_and_sent_alike(clone: Any, touched: bool) -> None:
    original = execution()
    if touched:
        assert original.workflow_definition.tasks[0].name == "a"
    cloned = clone(original)
    assert cloned.to_wire() == original.to_wire() == execution().to_wire()
    assert cloned == original == execution()
    assert cloned.workflow_definition == original.workflow_definition
    assert cloned.workflow_definition.new == 1


def test_different_models_are_not_equal() -> None:
    assert TaskDef(name="a") != TaskDef(name="b")
    assert TaskDef(name="a") == TaskDef(name="a", retry_count=3)
    assert TaskDef(name="a") != "a"
    other = execution()
    other.workflow_definition.description = "another"
    assert other != execution()


def test_changing_a_deep_copy_leaves_the_original() -> None:
    original = execution()
    cloned = copy.deepcopy(original)
    cloned.tasks[0].workflow_task.name = "changed"
    cloned.unknown["x"] = 2
    assert original == execution()


def test_model_dump_is_the_same_before_and_after_lazy_parsing() -> None:
    touched, untouched = execution(), execution()
    touched._parse_lazy_fields()
    assert untouched.model_dump() == touched.model_dump()
    assert untouched.model_dump()["workflow_definition"]["tasks"][0]["task_reference_name"] == "r"
    assert untouched.model_dump_json(by_alias=True) == touched.model_dump_json(by_alias=True)


def test_generic_search_results_parse_their_items() -> None:
    found = SearchResult[Task].model_validate_json('{"totalHits": 3, "results": [{"taskId": "t"}]}')
    assert found.results[0].task_id == "t"
    assert found.to_wire() == {"totalHits": 3, "results": [{"taskId": "t"}]}


def test_models_can_be_subclassed_and_nested() -> None:
    class Audited(Task):
        audit_mark: str | None = None

    class Envelope(BaseModel):
        workflow: Workflow

    audited = Audited.model_validate({"taskId": "t", "auditMark": "m", "workflowTask": {"name": "n"}})
    assert audited.workflow_task.name == "n"
    assert audited.to_wire() == {"taskId": "t", "workflowTask": {"name": "n"}, "auditMark": "m"}
    assert Envelope(workflow=execution()).workflow.workflow_definition.name == "w"


def test_every_model_has_a_json_schema_and_a_docstring() -> None:
    for model in MODELS:
        assert model.__doc__
        assert TypeAdapter(model).json_schema(mode="validation")


def test_importing_the_models_builds_no_schema() -> None:
    code = (
        "from conductor_async import models\n"
        "kinds = [k for k in vars(models).values() if isinstance(k, type) and issubclass(k, models.ConductorModel)]\n"
        "assert len(kinds) > 30\n"
        "assert not [k for k in kinds if k.__pydantic_complete__], [k for k in kinds if k.__pydantic_complete__]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# -- the incumbent's defects -----------------------------------------------------------------------------------


def test_unknown_statuses_and_fields_are_kept() -> None:
    recorded = {
        "workflowId": "id",
        "status": "HIBERNATING",
        "tasks": [{"taskId": "t", "status": "NAPPING", "mood": "calm"}],
    }
    workflow = Workflow.model_validate(recorded)
    assert workflow.status == "HIBERNATING"
    assert not workflow.is_completed()
    assert not workflow.is_running()
    assert workflow.to_wire() == recorded


def test_models_have_exactly_the_servers_fields() -> None:
    result = TaskResult(task_id="t", status=TaskResultStatus.COMPLETED)
    object.__setattr__(result, "_private", "secret")
    assert result.to_wire() == {"taskId": "t", "status": "COMPLETED"}


def test_defaults_are_left_to_the_server() -> None:
    task = WorkflowTask(
        name="sub", task_reference_name="s", type="SUB_WORKFLOW", sub_workflow_param=SubWorkflowParams(name="child")
    )
    sent = WorkflowDef(name="w", tasks=[task]).to_wire()
    assert sent == {
        "name": "w",
        "tasks": [
            {"name": "sub", "taskReferenceName": "s", "type": "SUB_WORKFLOW", "subWorkflowParam": {"name": "child"}}
        ],
    }


def test_each_model_has_one_name() -> None:
    kinds = [getattr(models, name) for name in models.__all__]
    names = [kind.__name__ for kind in kinds if isinstance(kind, type)]
    assert len(names) == len(set(names))
    assert [name for name in names if name.endswith("WorkflowStatus")] == ["WorkflowStatus"]
    for model in MODELS:
        assert all(name == name.lower() for name in model.model_fields), model


def test_handlers_are_definitions_too() -> None:
    assert EventHandler(name="h", condition=None).to_wire() == {"name": "h", "condition": None}
    assert WorkflowRun().to_wire() == {}

"""Fields and methods that all tasks have."""

from __future__ import annotations

from datetime import timedelta

import pytest

from conductor_async import ConductorWorkflow
from conductor_async.errors import ConfigurationError, WorkflowDefinitionError
from conductor_async.models import CacheConfig, JoinMode, StateChangeEvent, TaskDef, TaskType, WorkflowTask
from conductor_async.tasks import (
    DecisionTask,
    DynamicForkTask,
    DynamicTask,
    EventTask,
    ExclusiveJoinTask,
    ForEachTask,
    ForkTask,
    JoinTask,
    NoopTask,
    SimpleTask,
    SubWorkflowTask,
    SwitchTask,
    TaskInterface,
    task_class,
)


def wire(task):
    return task.to_workflow_task().to_wire()


def test_a_bare_task_sends_name_reference_name_and_type():
    assert wire(SimpleTask("greet", "greet_ref")) == {
        "name": "greet",
        "taskReferenceName": "greet_ref",
        "type": "SIMPLE",
    }


def test_the_reference_name_defaults_to_the_name():
    assert SimpleTask("greet").task_reference_name == "greet"


ALL_FIELDS = {
    "description": "says hello",
    "input_parameters": {"name": "Ada"},
    "optional": True,
    "permissive": True,
    "retry_count": 0,
    "start_delay": timedelta(seconds=1.5),
    "async_complete": True,
    "rate_limited": False,
    "task_definition": TaskDef(name="greet", retry_count=1),
    "cache_config": CacheConfig(key="k", ttl_in_second=5),
    "on_state_change": {"onStart": [StateChangeEvent(type="e", payload={"a": 1})]},
    "metadata": {"team": "front"},
}
ALL_ON_THE_WIRE = {
    "name": "greet",
    "taskReferenceName": "g",
    "type": "SIMPLE",
    "description": "says hello",
    "inputParameters": {"name": "Ada"},
    "optional": True,
    "permissive": True,
    "retryCount": 0,
    "startDelay": 2,
    "asyncComplete": True,
    "rateLimited": False,
    "taskDefinition": {"name": "greet", "retryCount": 1},
    "cacheConfig": {"key": "k", "ttlInSecond": 5},
    "onStateChange": {"onStart": [{"type": "e", "payload": {"a": 1}}]},
    "metadata": {"team": "front"},
}


def test_every_common_field_can_be_given_to_the_constructor():
    assert wire(SimpleTask("greet", "g", **ALL_FIELDS)) == ALL_ON_THE_WIRE


def test_every_common_field_can_be_set():
    task = SimpleTask("", "")
    task.name, task.task_reference_name = "greet", "g"
    for name, value in ALL_FIELDS.items():
        setattr(task, name, value)
    assert wire(task) == ALL_ON_THE_WIRE


def test_every_field_of_a_workflow_task_can_be_set_by_some_task_type():
    one = NoopTask("one")
    join = JoinTask("join", ["one"], "true", join_mode=JoinMode.ASYNC)
    join.join_status = "COMPLETED"
    older = DynamicForkTask("older", None, None)
    older.fork_join_tasks_param = "plan"
    tasks = [
        SimpleTask("greet", **ALL_FIELDS),
        ForkTask("fork", [one]),
        join,
        ExclusiveJoinTask("first", ["one"], ["one"]),
        DynamicForkTask("dynamic", tasks=[], tasks_inputs={}),
        older,
        SwitchTask("switch", "x").case("a", one).default(one),
        DecisionTask("by value", "x").case("a", one),
        DecisionTask("by script", "$.x", use_javascript=True).case("a", one),
        ForEachTask("each", one, "${workflow.input.items}"),
        SubWorkflowTask("child", "other"),
        DynamicTask("${workflow.input.what}", "any"),
        EventTask("event", "conductor:x"),
    ]
    reached = {field for task in tasks for field in task.to_workflow_task().model_fields_set}
    assert set(WorkflowTask.model_fields) - reached == {"script_expression"}  # which no server reads


def test_cache_by_key_and_time():
    given = SimpleTask("greet", "g", cache_key="k", cache_ttl_second=5)
    assert wire(given)["cacheConfig"] == {"key": "k", "ttlInSecond": 5}
    assert wire(SimpleTask("greet", "g").cache("k", timedelta(minutes=1)))["cacheConfig"]["ttlInSecond"] == 60


def test_input_parameters_are_a_plain_dict():
    task = SimpleTask("greet", "g")
    task.input_parameters["a"] = 1
    assert task.input_parameter("b", 2) is task
    assert task.input(key="c", value=None) is task  # None is a value
    assert task.input_parameters == {"a": 1, "b": 2, "c": None}
    with pytest.raises(TypeError, match="input_parameters is a dict, not object"):
        task.input_parameters = object()
    with pytest.raises(TypeError, match="either a path"):
        task.input("a", key="b", value=1)
    with pytest.raises(TypeError, match="either a path"):
        task.input(key="b")


def test_misspelt_fields_are_errors():
    task = SimpleTask("greet", "g")
    with pytest.raises(AttributeError, match="'retry_cuont': did you mean 'retry_count'"):
        task.retry_cuont = 1
    with pytest.raises(TypeError, match="'optionl': did you mean 'optional'"):
        SimpleTask("greet", "g", optionl=True)
    with pytest.raises(AttributeError):
        _ = task.greeting
    assert not hasattr(task, "greeting")


def test_camel_case_is_understood():
    task = SimpleTask("greet", "g")
    task.retryCount = 2
    assert task.inputParameter("a", 1) is task
    assert wire(task)["retryCount"] == 2


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf")])
def test_a_negative_or_infinite_delay_is_an_error(value):
    task = SimpleTask("greet", "g", start_delay=value)
    with pytest.raises(ConfigurationError, match="start_delay"):
        task.to_workflow_task()


def test_definitions_share_nothing_with_the_task():
    task = SimpleTask("greet", "g", input_parameters={"a": {"b": 1}}, task_definition=TaskDef(name="greet"))
    made = task.to_workflow_task()
    made.input_parameters["a"]["b"] = 2
    made.task_definition.name = "other"
    assert task.input_parameters == {"a": {"b": 1}}
    assert task.task_definition.name == "greet"


def test_join_and_sub_workflow_have_their_own_fields():
    join = JoinTask("j", ["a"], "$.a ? true : false", join_mode="ASYNC")
    assert wire(join) == {
        "name": "j",
        "taskReferenceName": "j",
        "type": "JOIN",
        "joinOn": ["a"],
        "joinMode": "ASYNC",
        "evaluatorType": "js",
        "expression": "$.a ? true : false",
    }
    child = SubWorkflowTask("s", "child", 2, {"*": "d"}, priority=5, input_parameters={"a": 1})
    assert wire(child)["subWorkflowParam"] == {"name": "child", "version": 2, "taskToDomain": {"*": "d"}, "priority": 5}


# -- classes by type


def test_classes_are_found_by_task_type():
    assert task_class("SIMPLE") is SimpleTask
    assert task_class(TaskType.FORK_JOIN) is ForkTask
    assert task_class("NEVER_HEARD_OF") is None
    assert SimpleTask("a").task_type == "SIMPLE"


def test_a_task_type_has_one_class():
    with pytest.raises(
        TypeError, match=r"SIMPLE is the type of conductor_async\.workflow\.tasks\.worker\.SimpleTask already"
    ):

        class Another(TaskInterface, task_type=TaskType.SIMPLE):
            pass


def test_users_can_define_task_types():
    class Poem(TaskInterface, task_type="POEM_TEST_TYPE"):
        lines: int

        def __init__(self, task_ref_name, lines):
            super().__init__(task_ref_name)
            self.lines = lines

        def _own_fields(self):
            return {"sink": f"poem:{self.lines}"}

    assert wire(Poem("p", 3)) == {"name": "p", "taskReferenceName": "p", "type": "POEM_TEST_TYPE", "sink": "poem:3"}
    assert task_class("POEM_TEST_TYPE") is Poem
    with pytest.raises(TypeError, match="is not a task type"):
        TaskInterface("x")


# -- one after the other


def test_tasks_make_sequences():
    a, b, c = SimpleTask("a"), SimpleTask("b"), SimpleTask("c")
    assert list(a >> b >> c) == [a, b, c]
    assert list(a >> (b >> c)) == [a, b, c]
    assert repr(a >> b) == "SimpleTask('a') >> SimpleTask('b')"
    assert [type(task) for task in [a, b] >> c] == [ForkTask, SimpleTask]
    assert [type(task) for task in [a, b] >> (c >> [SimpleTask("d")])] == [ForkTask, SimpleTask, ForkTask]
    assert [task.task_reference_name for task in a >> ConductorWorkflow(name="other one")] == ["a", "other_one"]


@pytest.mark.parametrize("wrong", ["text", 5, None, {"case": 1}])
def test_anything_but_a_step_is_an_error(wrong):
    with pytest.raises(TypeError, match=f"not of {type(wrong).__name__}"):
        SimpleTask("a") >> wrong


def test_the_error_for_a_function_names_its_task_method():
    with pytest.raises(TypeError, match=r"greet\.task\('greet_ref'"):
        ConductorWorkflow(name="w") >> (lambda: None)


@pytest.mark.parametrize(
    ("branches", "problem"), [([], "a fork has no branches"), ([[], [SimpleTask("a")]], "branch 0 of a fork is empty")]
)
def test_a_fork_without_branches_is_an_error(branches, problem):
    with pytest.raises(WorkflowDefinitionError) as caught:
        ConductorWorkflow(name="w") >> branches
    assert caught.value.problems == (problem,)

"""Definitions that the builder makes, compared with literals."""

from __future__ import annotations

import copy
import subprocess
import sys
from datetime import timedelta
from typing import Any, cast

import pytest

from conductor_async import ConductorWorkflow, worker_task
from conductor_async.errors import ConfigurationError, WorkflowDefinitionError
from conductor_async.execution import WorkflowExecutor
from conductor_async.models import SchemaDef, TimeoutPolicy, WorkflowDef, encode_json
from conductor_async.tasks import DoWhileTask, ForkTask, InlineSubWorkflowTask, JoinTask, SimpleTask, SwitchTask
from conductor_async.workflow import WorkflowBuilder


def wire(workflow):
    return workflow.to_workflow_def().to_wire()


def refs(tasks):
    """The reference names, as nested as the definition."""
    return [
        {task["taskReferenceName"]: [refs(branch) for branch in task["forkTasks"]]}
        if "forkTasks" in task
        else task["taskReferenceName"]
        for task in tasks
    ]


def simple(*names):
    return [SimpleTask(name) for name in names]


def test_the_founding_pages_workflow_is_built():
    workflow = ConductorWorkflow(
        executor=None, name="python_workflow_example_from_code", description="Python workflow example from code"
    )
    workflow.add(SimpleTask(task_def_name="code_1", task_reference_name="code_1_ref"))
    workflow >> SimpleTask("code_2", "code_2_ref")
    workflow.input_parameters(["a", "b"])
    assert wire(workflow) == {
        "name": "python_workflow_example_from_code",
        "description": "Python workflow example from code",
        "tasks": [
            {"name": "code_1", "taskReferenceName": "code_1_ref", "type": "SIMPLE"},
            {"name": "code_2", "taskReferenceName": "code_2_ref", "type": "SIMPLE"},
        ],
        "inputParameters": ["a", "b"],
    }


def test_every_setting_is_sent():  # all return the workflow, and False is sent
    workflow = ConductorWorkflow(name="w", version=3)
    chained = (
        workflow.timeout_policy(TimeoutPolicy.TIME_OUT_WF)
        .timeout_seconds(timedelta(minutes=1))
        .owner_email("a@example.com")
        .owner_app("shop")
        .failure_workflow("undo", 2)
        .restartable(False)
        .output_parameters({"a": workflow.input.a})
        .output_parameter("b", 1)
        .input_template({"a": 1})
        .variables({"v": workflow.input.a})
        .input_parameters("a", "b")
        .enable_status_listener("sink")
        .rate_limit(workflow.input.customer, 5, "QUEUE")
        .input_schema(SchemaDef(name="in"))
        .output_schema(SchemaDef(name="out", version=2))
        .enforce_schema(False)
        .metadata({"team": "a"})
        .masked_fields("card")
        .cache("k", 60)
    )
    assert chained is workflow
    assert wire(workflow) == {
        "name": "w",
        "version": 3,
        "tasks": [],
        "timeoutPolicy": "TIME_OUT_WF",
        "timeoutSeconds": 60,
        "ownerEmail": "a@example.com",
        "ownerApp": "shop",
        "failureWorkflow": "undo",
        "failureWorkflowVersion": 2,
        "restartable": False,
        "outputParameters": {"a": "${workflow.input.a}", "b": 1},
        "inputTemplate": {"a": 1},
        "variables": {"v": "${workflow.input.a}"},
        "inputParameters": ["a", "b"],
        "workflowStatusListenerEnabled": True,
        "workflowStatusListenerSink": "sink",
        "rateLimitConfig": {"rateLimitKey": "${workflow.input.customer}", "concurrentExecLimit": 5, "policy": "QUEUE"},
        "inputSchema": {"name": "in"},
        "outputSchema": {"name": "out", "version": 2},
        "enforceSchema": False,
        "metadata": {"team": "a"},
        "maskedFields": ["card"],
        "cacheConfig": {"key": "k", "ttlInSecond": 60},
    }


def test_none_clears_a_setting_and_returns_the_workflow():
    workflow = ConductorWorkflow(name="w").variables({"a": 1}).output_parameters({"a": 1}).input_template({"a": 1})
    assert workflow.variables(None).output_parameters(None).input_template(None) is workflow
    made = wire(workflow)
    assert (made["variables"], made["outputParameters"], made["inputTemplate"]) == ({}, {}, {})
    assert wire(workflow.disable_status_listener())["workflowStatusListenerEnabled"] is False


def test_what_is_not_set_is_not_sent():  # no timeout of 60 s, no failureWorkflow ""
    assert wire(ConductorWorkflow(name="w")) == {"name": "w", "tasks": []}


def test_input_parameters_take_names_lists_and_templates():
    assert wire(ConductorWorkflow(name="w").input_parameters(["a"]))["inputParameters"] == ["a"]
    assert wire(ConductorWorkflow(name="w").input_parameters({"a": 1}))["inputTemplate"] == {"a": 1}
    assert wire(ConductorWorkflow(name="w").workflow_input({"a": 1}))["inputTemplate"] == {"a": 1}
    with pytest.raises(TypeError, match="names, one list of names, or one dict"):
        ConductorWorkflow(name="w").input_parameters("a", ["b"])
    with pytest.raises(TypeError, match="output_parameters is a dict, not list"):
        ConductorWorkflow(name="w").output_parameters(["a"])


def test_only_name_version_description_and_executor_can_be_assigned():
    workflow = ConductorWorkflow(name="w", version=1, description="d")
    workflow.name, workflow.version, workflow.description = "v", 2, "e"
    assert wire(workflow) == {"name": "v", "version": 2, "description": "e", "tasks": []}
    with pytest.raises(AttributeError, match=r"call it, workflow\.timeout_seconds"):
        workflow.timeout_seconds = 5
    with pytest.raises(AttributeError, match="'vesion' cannot be assigned"):
        workflow.vesion = 5


def test_camel_case_is_understood():
    workflow = ConductorWorkflow(name="w").timeoutSeconds(timeoutSeconds=5).outputParameters({"a": 1})
    assert workflow.toWorkflowDef().timeout_seconds == 5


# -- forks


def test_a_list_becomes_a_fork_with_its_join():  # also as the last step
    a, b, c = simple("a", "b", "c")
    workflow = ConductorWorkflow(name="w") >> [[a, b], c]
    assert wire(workflow)["tasks"] == [
        {
            "name": "fork_a",
            "taskReferenceName": "fork_a",
            "type": "FORK_JOIN",
            "forkTasks": [
                [
                    {"name": "a", "taskReferenceName": "a", "type": "SIMPLE"},
                    {"name": "b", "taskReferenceName": "b", "type": "SIMPLE"},
                ],
                [{"name": "c", "taskReferenceName": "c", "type": "SIMPLE"}],
            ],
        },
        {"name": "join_a", "taskReferenceName": "join_a", "type": "JOIN", "joinOn": ["b", "c"]},
    ]


def test_forks_nest():
    a, b, c, d, e = simple("a", "b", "c", "d", "e")
    tasks = wire(ConductorWorkflow(name="w") >> [a >> [b, c], [d, ForkTask("inner", [e])]])["tasks"]
    assert refs(tasks) == [
        {"fork_a": [["a", {"fork_b": [["b"], ["c"]]}, "join_b"], ["d", {"inner": [["e"]]}, "join_inner"]]},
        "join_a",
    ]
    assert tasks[1]["joinOn"] == ["join_b", "join_inner"]


def test_a_join_task_after_a_fork_task_replaces_the_generated_join():
    a, b = simple("a", "b")
    tasks = wire(ConductorWorkflow(name="w") >> ForkTask("f", [a, b]) >> JoinTask("j"))["tasks"]
    assert refs(tasks) == [{"f": [["a"], ["b"]]}, "j"]
    assert tasks[1]["joinOn"] == ["a", "b"]  # a JOIN that waits for nothing would end at once


def test_a_fork_task_can_choose_what_its_join_waits_for():
    a, b = simple("a", "b")
    tasks = wire(ConductorWorkflow(name="w") >> ForkTask("f", [a, b], join_on=["a"]))["tasks"]
    assert tasks[1] == {"name": "f_join", "taskReferenceName": "f_join", "type": "JOIN", "joinOn": ["a"]}


def test_add_appends_the_steps_of_a_list_in_order():
    a, b, c, d = simple("a", "b", "c", "d")
    assert refs(wire(ConductorWorkflow(name="w").add([a, [b, c], d]))["tasks"]) == [
        "a",
        {"fork_b": [["b"], ["c"]]},
        "join_b",
        "d",
    ]


# -- workflows in workflows


def test_a_workflow_as_a_step_becomes_an_inline_sub_workflow():
    child = ConductorWorkflow(name="child one", version=2).input_template({"a": 1}) >> SimpleTask("a")
    assert wire(ConductorWorkflow(name="parent") >> SimpleTask("a") >> child)["tasks"][1] == {
        "name": "child_one",
        "taskReferenceName": "child_one",
        "type": "SUB_WORKFLOW",
        "inputParameters": {"a": 1},
        "subWorkflowParam": {
            "name": "child one",
            "version": 2,
            "workflowDefinition": {
                "name": "child one",
                "version": 2,
                "tasks": [{"name": "a", "taskReferenceName": "a", "type": "SIMPLE"}],
                "inputTemplate": {"a": 1},
            },
        },
    }


def test_a_child_is_read_when_the_definition_is_built():
    child = ConductorWorkflow(name="child")
    parent = ConductorWorkflow(name="parent") >> InlineSubWorkflowTask("c", child, input_parameters={"b": 2})
    child.input_template({"a": 1, "b": 1}) >> SimpleTask("late")
    task = wire(parent)["tasks"][0]
    assert task["inputParameters"] == {"a": 1, "b": 2}
    assert refs(task["subWorkflowParam"]["workflowDefinition"]["tasks"]) == ["late"]
    definition = child.to_workflow_def()
    assert wire(ConductorWorkflow(name="p") >> InlineSubWorkflowTask("c", definition))["tasks"][0][
        "subWorkflowParam"
    ] == {
        "name": "child",
        "version": 1,
        "workflowDefinition": definition.to_wire(),
    }


def test_a_workflow_cannot_contain_itself():
    workflow = ConductorWorkflow(name="w")
    with pytest.raises(WorkflowDefinitionError, match="cannot contain itself"):
        workflow >> workflow


def test_a_workflow_cannot_contain_itself_through_others():
    first, second, third = (ConductorWorkflow(name=name) for name in ("first", "second", "third"))
    first >> [SimpleTask("a"), second]
    second >> DoWhileTask("loop", "false", third)
    third >> SwitchTask("switch", "x").case("y", first)
    with pytest.raises(WorkflowDefinitionError) as caught:
        first.to_workflow_def()
    problem = "tasks: a workflow cannot contain itself: 'first' >> 'second' >> 'third' >> 'first'"
    assert caught.value.problems == (problem,)
    assert problem in str(caught.value)
    assert first._repr_mimebundle_() == {"text/plain": repr(first)}  # a notebook shows it all the same
    fine = ConductorWorkflow(name="fine") >> SimpleTask("b")
    twice = ConductorWorkflow(name="twice") >> InlineSubWorkflowTask("one", fine) >> InlineSubWorkflowTask("two", fine)
    assert len(twice.to_workflow_def().tasks) == 2


# -- what cannot work


def test_problems_of_a_child_are_listed_with_the_parents():
    @worker_task("find")
    def find() -> dict[str, int]:
        raise NotImplementedError

    @worker_task("count")
    def count() -> int:
        raise NotImplementedError

    grandchild = ConductorWorkflow(name="grandchild") >> DoWhileTask("forever", "true")
    counted = count.task("counted")
    child = ConductorWorkflow(name="child") >> counted >> find.task("found") >> grandchild
    child.output_parameters({"n": counted.output.typo, "m": "${nobody.output}"})
    parent = ConductorWorkflow(name="parent") >> SimpleTask("a") >> child
    parent.output_parameters({"x": "${b.output}"})
    with pytest.raises(WorkflowDefinitionError) as caught:
        parent.to_workflow_def()
    inside = "tasks[1].subWorkflowParam.workflowDefinition"
    assert caught.value.problems == (
        f"{inside}.tasks[2].subWorkflowParam.workflowDefinition.tasks[0].loopOver: a DO_WHILE needs at least one task",
        f"{inside}.outputParameters.n: the output of 'counted' has no typo (it has result)",
        f"{inside}.outputParameters.m: there is no task 'nobody' for ${{nobody.output}}",
        "outputParameters.x: there is no task 'b' for ${b.output}",
    )


def test_existing_problems_of_a_fetched_child_are_accepted():
    wrong = {
        "name": "child",
        "tasks": [{"name": "a", "taskReferenceName": "a", "inputParameters": {"x": "${nobody.output}"}}],
    }
    child = ConductorWorkflow.from_workflow_def(WorkflowDef.model_validate(wrong))
    parent = ConductorWorkflow(name="parent") >> child
    assert parent.to_workflow_def()
    child >> SimpleTask("b", input_parameters={"y": "${somebody.output}"})
    with pytest.raises(WorkflowDefinitionError) as caught:
        parent.to_workflow_def()
    assert [problem.partition(": ")[0] for problem in caught.value.problems] == [
        "tasks[0].subWorkflowParam.workflowDefinition.tasks[1].inputParameters.y"
    ]


def test_values_of_the_wrong_type_are_listed_for_all_tasks():
    workflow = ConductorWorkflow(name="w") >> SimpleTask("a", retry_count=cast("Any", "many"))
    workflow >> [SimpleTask("b", optional=cast("Any", "perhaps")), SimpleTask("c", metadata={"x": 1})]
    workflow.output_parameters({"x": "${d.output}"})
    with pytest.raises(WorkflowDefinitionError) as caught:
        workflow.to_workflow_def()
    assert [problem.rpartition(": ")[0] for problem in caught.value.problems] == [
        "task 'a': retry_count",
        "task 'b': optional",
        "outputParameters.x",  # and what else is wrong
    ]


def test_reference_names_are_unique():
    workflow = ConductorWorkflow(name="w") >> SimpleTask("one", "x") >> [SimpleTask("a"), SimpleTask("two", "x")]
    with pytest.raises(WorkflowDefinitionError) as caught:
        workflow.to_workflow_def()
    (problem,) = caught.value.problems
    assert problem.startswith("tasks[1].forkTasks[1][0]: the reference name 'x' is already used by tasks[0]")


def test_the_same_task_object_twice_is_a_clash():
    task = SimpleTask("a")
    with pytest.raises(WorkflowDefinitionError, match=r"tasks\[1\]: .* is already used by tasks\[0\].*only once"):
        (ConductorWorkflow(name="w") >> task >> task).to_workflow_def()


def test_a_value_of_the_wrong_type_is_reported_with_its_path():
    workflow = ConductorWorkflow(name="w") >> SimpleTask("t", "a", retry_count="often")
    with pytest.raises(WorkflowDefinitionError, match="task 'a': retry_count: Input should be a valid integer"):
        workflow.to_workflow_def()
    with pytest.raises(WorkflowDefinitionError, match="workflow 'w': version: "):
        ConductorWorkflow(name="w", version="first").to_workflow_def()


def test_all_problems_are_reported_at_once():
    workflow = ConductorWorkflow() >> SimpleTask("", "") >> SimpleTask("b") >> SimpleTask("b")
    with pytest.raises(WorkflowDefinitionError) as caught:
        workflow.to_workflow_def()
    assert [problem.partition(":")[0] for problem in caught.value.problems] == ["name", "tasks[0]", "tasks[2]"]


# -- the same code, the same definition


CODE = """
from conductor_async.models import encode_json
from conductor_async import ConductorWorkflow
from conductor_async.tasks import SimpleTask
child = ConductorWorkflow(name="child") >> SimpleTask("x")
b = SimpleTask("b") >> SimpleTask("c")
workflow = ConductorWorkflow(name="w") >> SimpleTask("a") >> [b, SimpleTask("d")] >> child
print(encode_json(workflow.variables({"v": 1}).metadata({"m": 2}).to_workflow_def()).decode(), end="")
"""


def test_the_same_code_gives_the_same_bytes():
    made = {
        subprocess.run(
            [sys.executable, "-c", CODE],
            capture_output=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(made) == 1
    assert made.pop().startswith(b'{"name":"w"')


def test_each_definition_is_a_new_object():
    workflow = ConductorWorkflow(name="w").variables({"v": [1]}) >> SimpleTask("a")
    first = workflow.to_workflow_def()
    first.variables["v"].append(2)
    first.tasks.clear()
    second = workflow.to_workflow_def()
    assert encode_json(second) == encode_json(workflow.to_workflow_def())
    assert second.variables == {"v": [1]}
    assert len(second.tasks) == 1


def test_a_copy_has_its_own_tasks_and_shares_the_executor():
    executor = WorkflowExecutor()
    workflow = ConductorWorkflow(executor, "w") >> SimpleTask("a")
    other = copy.deepcopy(workflow)
    other >> SimpleTask("b")
    assert len(workflow.to_workflow_def().tasks) == 1
    assert other.executor is executor


@pytest.mark.asyncio
async def test_running_needs_an_executor():
    workflow = ConductorWorkflow(name="w") >> SimpleTask("a")
    for call in (workflow.register(), workflow.start(), workflow.execute(), workflow()):
        with pytest.raises(ConfigurationError, match=r"ConductorWorkflow\(executor=conductor\.executor, name='w'"):
            await call


@pytest.mark.asyncio
async def test_an_empty_workflow_cannot_be_registered():
    with pytest.raises(WorkflowDefinitionError, match="has no tasks"):
        await ConductorWorkflow(WorkflowExecutor(), "w").register()


def test_a_name_instead_of_the_executor_is_an_error():
    with pytest.raises(TypeError, match=r"write ConductorWorkflow\(name='orders'\)"):
        ConductorWorkflow("orders")  # type: ignore[arg-type]


def test_a_builder_without_executor_builds_and_can_be_a_step():
    child = WorkflowBuilder(name="child", version=2) >> SimpleTask("a")
    parent = ConductorWorkflow(name="parent") >> child
    assert repr(child) == "WorkflowBuilder(name='child', version=2, 1 tasks)"
    assert wire(parent)["tasks"][0]["subWorkflowParam"]["workflowDefinition"] == wire(child)
    assert WorkflowBuilder.from_workflow_def(parent.to_workflow_def()).to_workflow_def() == parent.to_workflow_def()

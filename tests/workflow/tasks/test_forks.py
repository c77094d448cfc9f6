"""Forks and joins."""

from __future__ import annotations

import pytest

from conductor_async import ConductorWorkflow
from conductor_async.tasks import (
    DoWhileTask,
    DynamicForkTask,
    ExclusiveJoinTask,
    ForkTask,
    InlineTask,
    JoinTask,
    NoopTask,
    SimpleTask,
    SwitchTask,
)

workflow = ConductorWorkflow(name="w")


def definitions(*steps):
    made = ConductorWorkflow(name="w")
    for step in steps:
        made >> step
    return [task.to_wire() for task in made.to_workflow_def().tasks]


def refs(tasks):
    return [task["taskReferenceName"] for task in tasks]


def test_a_fork_at_the_end_has_its_join():
    fork, join = definitions([SimpleTask("a"), SimpleTask("b")])
    assert (fork["type"], refs(branch[0] for branch in fork["forkTasks"])) == ("FORK_JOIN", ["a", "b"])
    assert (join["type"], join["joinOn"]) == ("JOIN", ["a", "b"])


def test_generated_names_are_deterministic():
    def make():
        child = ConductorWorkflow(name="child") >> SimpleTask("c")
        return definitions([SimpleTask("a"), SimpleTask("b")], child)

    assert make() == make()
    assert refs(make()) == ["fork_a", "join_a", "child"]


def test_forks_nest():
    a, b, c, d = (SimpleTask(name) for name in "abcd")
    inner = ForkTask("inner", [a, b])
    dynamic = DynamicForkTask("dynamic", tasks="${c.output.t}", tasks_inputs="${c.output.i}")
    fork, join = definitions(ForkTask("outer", [[inner], [c, dynamic, d]]))
    assert [refs(branch) for branch in fork["forkTasks"]] == [
        ["inner", "join_inner"],
        ["c", "dynamic", "join_dynamic", "d"],
    ]
    assert join["joinOn"] == ["join_inner", "d"]


def test_lists_nest():
    a, b, c, d, e = (SimpleTask(name) for name in "abcde")
    fork, join = definitions([[a, [b, c]], [SwitchTask("s", "x").case("1", [d, [e, SimpleTask("f")]])]])
    assert [refs(branch) for branch in fork["forkTasks"]] == [["a", "fork_b", "join_b"], ["s"]]
    assert refs(fork["forkTasks"][1][0]["decisionCases"]["1"]) == ["d", "fork_e", "join_e"]
    assert join["joinOn"] == ["join_b", "s"]


def test_a_dynamic_fork_is_followed_by_its_join():
    fork, join = definitions(DynamicForkTask("f", tasks=workflow.input.tasks, tasks_inputs=workflow.input.inputs))
    assert fork == {
        "name": "f",
        "taskReferenceName": "f",
        "type": "FORK_JOIN_DYNAMIC",
        "dynamicForkTasksParam": "dynamicTasks",
        "dynamicForkTasksInputParamName": "dynamicTasksInputs",
        "inputParameters": {
            "dynamicTasks": "${workflow.input.tasks}",
            "dynamicTasksInputs": "${workflow.input.inputs}",
        },
    }
    assert join == {"name": "join_f", "taskReferenceName": "join_f", "type": "JOIN"}


def test_the_join_of_a_dynamic_fork_can_be_given():
    given = {"tasks": workflow.input.tasks, "tasks_inputs": workflow.input.inputs}
    assert refs(definitions(DynamicForkTask("f", join_task=JoinTask("mine"), **given))) == ["f", "mine"]
    assert refs(definitions(DynamicForkTask("f", **given), JoinTask("mine"))) == ["f", "mine"]
    assert str(DynamicForkTask("f", join_task=JoinTask("mine")).join_output) == "${mine.output}"
    assert str(DynamicForkTask("f").join_output) == "${join_f.output}"
    assert str(ForkTask("f", [NoopTask("a")]).join_output.a.x) == "${join_f.output.a.x}"


def test_a_dynamic_fork_of_the_same_task():
    fork, _ = definitions(DynamicForkTask.of_task("f", "resize", workflow.input.images, "SIMPLE", optional=True))
    assert fork == {
        "name": "f",
        "taskReferenceName": "f",
        "type": "FORK_JOIN_DYNAMIC",
        "optional": True,
        "inputParameters": {
            "forkTaskName": "resize",
            "forkTaskType": "SIMPLE",
            "forkTaskInputs": "${workflow.input.images}",
        },
    }


def test_a_dynamic_fork_of_the_same_workflow():
    fork, _ = definitions(DynamicForkTask.of_workflow("f", "resize_flow", [1, 2], 3))
    assert fork["inputParameters"] == {
        "forkTaskWorkflow": "resize_flow",
        "forkTaskWorkflowVersion": "3",  # the server reads it as text only
        "forkTaskInputs": [1, 2],
    }


def test_all_fields_of_a_dynamic_fork_can_be_set():
    task = DynamicForkTask("f")
    task.tasks_param = task.tasks_input_param_name = None
    task.fork_join_tasks_param = "plan"
    task.join_task = JoinTask("j")
    fork, join = definitions(task)
    assert fork["dynamicForkJoinTasksParam"] == "plan"
    assert "dynamicForkTasksParam" not in fork
    assert join["taskReferenceName"] == "j"


def test_exclusive_join():
    task = ExclusiveJoinTask("e", ["a", "b"], ["c"])
    assert task.to_workflow_task().to_wire() == {
        "name": "e",
        "taskReferenceName": "e",
        "type": "EXCLUSIVE_JOIN",
        "joinOn": ["a", "b"],
        "defaultExclusiveJoinTask": ["c"],
    }


# -- on the real server


@pytest.mark.server
@pytest.mark.anyio
async def test_nested_forks_join(perform):
    outer = ForkTask(
        "outer",
        [
            ForkTask("inner", [InlineTask("a", "1"), [InlineTask("b", "2"), InlineTask("c", "3")]]),
            [InlineTask("d", "4"), DoWhileTask("loop", "$.loop.iteration < 2", InlineTask("e", "5"))],
        ],
    )
    run = await perform(outer, output={"all": outer.join_output})
    assert run.status == "COMPLETED"
    assert run.output["all"]["join_inner"] == {"a": {"result": 1}, "c": {"result": 3}}
    assert run.output["all"]["loop"]["iteration"] == 2
    joins = {task.reference_task_name: task.input_data["joinOn"] for task in run.tasks if task.task_type == "JOIN"}
    assert joins == {"join_inner": ["a", "c"], "join_outer": ["join_inner", "loop"]}


@pytest.mark.server
@pytest.mark.anyio
async def test_a_dynamic_fork_runs_what_was_planned(perform):
    def inline(ref):
        return InlineTask(ref, "$.n * 2").to_workflow_task().to_wire()

    fork = DynamicForkTask("f", tasks=workflow.input.plan, tasks_inputs=workflow.input.inputs)
    planned = {"plan": [inline("x"), inline("y")], "inputs": {ref: {"n": n} for n, ref in enumerate("xy", 1)}}
    for ref in "xy":  # what is planned for a task is its whole input
        planned["inputs"][ref] |= {"evaluatorType": "graaljs", "expression": "$.n * 2"}
    run = await perform(fork, given=planned, output={"all": fork.join_output})
    assert (run.status, run.output) == ("COMPLETED", {"all": {"x": {"result": 2}, "y": {"result": 4}}})


@pytest.mark.server
@pytest.mark.anyio
async def test_a_dynamic_fork_runs_a_task_for_each_input(perform):
    script = {"evaluatorType": "graaljs", "expression": "$.n + $.__index"}
    fork = DynamicForkTask.of_task("f", "sum", workflow.input.inputs, "INLINE")
    run = await perform(fork, given={"inputs": [{"n": 10, **script}, {"n": 20, **script}]})
    assert run.status == "COMPLETED"
    results = {task.reference_task_name: task.output_data for task in run.tasks if task.task_type == "INLINE"}
    assert results == {"_sum_0": {"result": 10}, "_sum_1": {"result": 21}}
    empty = await perform(DynamicForkTask.of_task("f", "sum", []))
    assert (empty.status, [task.task_type for task in empty.tasks]) == ("COMPLETED", ["FORK", "JOIN"])


@pytest.mark.server
@pytest.mark.anyio
async def test_a_dynamic_fork_runs_a_workflow_for_each_input(perform, new_workflow):
    child = new_workflow(InlineTask("double", "$.n * 2", {"n": workflow.input.n}), what="child")
    await child.register()
    fork = DynamicForkTask.of_workflow("f", child.name, workflow.input.inputs, 1)
    run = await perform(fork, given={"inputs": [{"n": 1}, {"n": 2}]}, output={"all": fork.join_output})
    assert run.status == "COMPLETED"
    assert sorted(each["result"] for each in run.output["all"].values()) == [2, 4]

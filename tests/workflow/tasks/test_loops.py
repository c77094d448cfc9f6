"""Loops."""

from __future__ import annotations

import pytest

from conductor_async import ConductorWorkflow, ConfigurationError
from conductor_async.errors import WorkflowDefinitionError
from conductor_async.tasks import DoWhileTask, ForEachTask, ForkTask, InlineTask, LoopTask, NoopTask, SimpleTask

workflow = ConductorWorkflow(name="w")


def wire(task):
    return task.to_workflow_task().to_wire()


def refs(tasks):
    return [task["taskReferenceName"] for task in tasks]


def test_do_while():
    loop = DoWhileTask("loop", "$.loop.iteration < 3", [SimpleTask("a"), SimpleTask("b")], keep_last_n=2)
    made = wire(loop)
    assert refs(made.pop("loopOver")) == ["a", "b"]
    assert made == {
        "name": "loop",
        "taskReferenceName": "loop",
        "type": "DO_WHILE",
        "loopCondition": "$.loop.iteration < 3",
        "inputParameters": {"keepLastN": 2},
    }
    assert str(loop.iteration) == "${loop.output.iteration}"


def test_a_body_holds_steps():
    a, b, c = (SimpleTask(name) for name in "abc")
    assert refs(wire(DoWhileTask("l", "", a))["loopOver"]) == ["a"]
    assert refs(wire(DoWhileTask("l", "", a >> b))["loopOver"]) == ["a", "b"]
    assert refs(wire(DoWhileTask("l", "", [a, [b, c]]))["loopOver"]) == ["a", "fork_b", "join_b"]
    later = DoWhileTask("l", "")
    later.tasks = [a, b]
    assert refs(wire(later)["loopOver"]) == ["a", "b"]
    with pytest.raises(WorkflowDefinitionError, match="a DO_WHILE needs at least one task"):
        (ConductorWorkflow(name="w") >> DoWhileTask("l", "true")).to_workflow_def()


@pytest.mark.parametrize(
    ("reference", "condition"),
    [("loop", "$.loop.iteration < 3"), ("my loop", "$['my loop'].iteration < 3"), ("l-1", "$['l-1'].iteration < 3")],
)
def test_a_loop_with_a_fixed_count(reference, condition):
    assert wire(LoopTask(reference, 3, NoopTask("a")))["loopCondition"] == condition


def test_a_loop_with_a_count_from_an_expression():
    made = wire(LoopTask("loop", workflow.input.n, NoopTask("a")))
    assert made["loopCondition"] == "$.loop.iteration < Number($.iterations)"
    assert made["inputParameters"] == {"iterations": "${workflow.input.n}"}


@pytest.mark.parametrize("iterations", [0, -1, 1.5])
def test_a_count_below_one_or_not_whole_is_an_error(iterations):
    with pytest.raises(ConfigurationError, match="at least once"):
        LoopTask("loop", iterations, NoopTask("a"))


def test_for_each():
    each = ForEachTask("each", NoopTask("a"), workflow.input.items)
    made = wire(each)
    assert (made["items"], made["loopCondition"]) == ("${workflow.input.items}", "")
    assert "inputParameters" not in made
    assert str(each.item.name) == "${each.output.loopItem.name}"
    assert str(each.index) == "${each.output.loopIndex}"


def test_for_each_over_a_literal_list():  # the server's field for it takes expressions only
    made = wire(ForEachTask("each", NoopTask("a"), [1, workflow.input.x]))
    assert made["inputParameters"] == {"_items": [1, "${workflow.input.x}"]}
    assert "items" not in made


def test_for_each_with_variables():
    named = ForEachTask("each", NoopTask("a"), [1], {"limit": workflow.input.limit})
    assert wire(named)["inputParameters"] == {"limit": "${workflow.input.limit}", "_items": [1]}
    of_workflow = ForEachTask("each", NoopTask("a"), [1], ["limit"])
    assert wire(of_workflow)["inputParameters"]["limit"] == "${workflow.variables.limit}"
    with pytest.raises(TypeError, match="iterate_over"):
        ForEachTask("each", NoopTask("a"))


# -- on the real server


def doubled(ref, value):
    return InlineTask(ref, "$.v * 2", {"v": value})


@pytest.mark.server
@pytest.mark.anyio
async def test_a_loop_goes_on_while_its_condition_holds(perform):
    loop = DoWhileTask("loop", "$.a.result < 6 && $.on", input_parameters={"on": True}, keep_last_n=2)
    loop.tasks = [doubled("a", loop.iteration), NoopTask("b")]
    run = await perform(loop, output={"times": loop.iteration, "last": "${a.output.result}"})
    assert (run.status, run.output) == ("COMPLETED", {"times": 3, "last": 6})
    kept = [task.reference_task_name for task in run.tasks if task.task_type == "INLINE"]
    assert kept == ["a__2", "a__3"]


@pytest.mark.server
@pytest.mark.anyio
@pytest.mark.parametrize("times", [3, workflow.input.n], ids=["fixed", "reference"])
async def test_a_loop_runs_as_often_as_its_count(perform, times):
    loop = LoopTask("my-loop", times, ForkTask("f", [NoopTask("a"), NoopTask("b")]))
    run = await perform(loop, given={"n": "3"}, output={"times": loop.iteration})
    assert (run.status, run.output) == ("COMPLETED", {"times": 3})
    assert [task.reference_task_name for task in run.tasks if task.task_type == "JOIN"] == [
        "join_f__1",
        "join_f__2",
        "join_f__3",
    ]


@pytest.mark.server
@pytest.mark.anyio
@pytest.mark.parametrize("items", [[5, 6, 7], workflow.input.numbers], ids=["list", "reference"])
async def test_three_items_are_three_iterations(perform, items):
    each = ForEachTask("each", iterate_over=items)
    each.tasks = InlineTask("a", "$.item * 10 + $.index", {"item": each.item, "index": each.index})
    run = await perform(each, given={"numbers": [5, 6, 7]}, output={"times": each.iteration})
    assert (run.status, run.output) == ("COMPLETED", {"times": 3})
    assert [task.output_data["result"] for task in run.tasks if task.task_type == "INLINE"] == [50, 61, 72]


@pytest.mark.server
@pytest.mark.anyio
async def test_no_items_are_no_iterations_and_a_condition_ends_them_early(perform):
    each = ForEachTask("each", NoopTask("a"), workflow.input.numbers)
    run = await perform(each, given={"numbers": []}, output={"times": each.iteration})
    assert (run.status, run.output, len(run.tasks)) == ("COMPLETED", {"times": 0}, 1)
    each = ForEachTask("each", NoopTask("a"), [1, 2, 3], {"limit": 2}, termination_condition="$.loopItem < $.limit")
    run = await perform(each, output={"times": each.iteration})
    assert (run.status, run.output) == ("COMPLETED", {"times": 2})


@pytest.mark.server
@pytest.mark.anyio
async def test_a_loop_in_a_sub_workflow_in_a_loop(perform):
    inner = ConductorWorkflow(name="inner") >> LoopTask("in", 2, NoopTask("a"))
    inner.input_template({"x": 1}).output_parameters({"times": "${in.output.iteration}"})
    outer = LoopTask("out", 2, inner)
    run = await perform(outer, output={"all": outer.output})
    assert run.status == "COMPLETED"
    assert [run.output["all"][n]["inner"]["times"] for n in ("1", "2")] == [2, 2]

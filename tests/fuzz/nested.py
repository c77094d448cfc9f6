"""Tasks with tasks inside: choices, forks, loops, workflows."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.fuzz.leaves import inline, query, simple, variables
from tests.fuzz.making import Making, Task, maker
from tests.fuzz.scenario import PREFIX
from tests.fuzz.values import VALUES

# -- choices -------------------------------------------------------------------------------------


@maker(2, nests=True)
def switch(making: Making, known: list[str], depth: int) -> Task:
    given = {"p": making.value(known), "n": "${workflow.input.n}"}
    evaluator, expression = making.pick(
        [
            ("value-param", "p"),
            ("value-param", "p"),
            ("javascript", "$.n > 1 ? 'a' : 'b'"),
            ("graaljs", "$.n"),
            ("javascript", "$.n"),
            ("javascript", "$.p.nope.nope"),
        ]
    )
    made = making.task("SWITCH", known, inputParameters=given, evaluatorType=evaluator, expression=expression)
    keys = making.draw(
        st.lists(st.sampled_from(["a", "b", "1", "2", "null", "true", ""]), min_size=1, max_size=2, unique=True)
    )
    made["decisionCases"] = {key: [] if making.chance(8) else making.sequence(known, depth - 1, 2) for key in keys}
    if making.chance(2):
        made["defaultCase"] = making.sequence(known, depth - 1, 2)
    return making.may_fail(made)


@maker(nests=True)
def decision(making: Making, known: list[str], depth: int) -> Task:
    made = making.task("DECISION", known, inputParameters={"p": making.value(known), "n": "${workflow.input.n}"})
    if making.chance(3):
        made["caseExpression"] = making.pick(["$.n > 1 ? 'a' : '1'", "$.n", "$.p", "nope.nope"])
    else:
        made["caseValueParam"] = "p"
    case = [] if making.chance(8) else making.sequence(known, depth - 1, 2)
    made["decisionCases"] = {making.pick(["a", "1"]): case}
    if making.chance(2):
        made["defaultCase"] = making.sequence(known, depth - 1, 2)
    return making.may_fail(made)


# -- side by side --------------------------------------------------------------------------------


@maker(2, nests=True, moves_by_itself=True)
def fork(making: Making, known: list[str], depth: int) -> list[Task]:
    made = making.task("FORK_JOIN", known)
    count = making.draw(st.integers(1, 3))
    waits_for_all = not making.chance(6)
    alone = making.draw(st.integers(0, count - 1)) if waits_for_all else None
    made["forkTasks"] = [_branch(making, known, depth, alone=at == alone) for at in range(count)]
    on = [branch[-1]["taskReferenceName"] for branch in made["forkTasks"]]
    if not waits_for_all:
        inside = [task["taskReferenceName"] for branch in made["forkTasks"] for task in branch]
        on = making.draw(st.lists(st.sampled_from(inside), max_size=2, unique=True))
    return [made, making.may_fail(making.task("JOIN", known, joinOn=on))]


def _branch(making: Making, known: list[str], depth: int, *, alone: bool) -> list[Task]:
    with making.branch(alone=alone):
        return making.sequence(known, depth - 1, 2)


@maker(nests=True, moves_by_itself=True)
def dynamic_fork(making: Making, known: list[str], depth: int) -> list[Task]:
    fields = {"dynamicForkTasksParam": "dt", "dynamicForkTasksInputParamName": "di"}
    tasks: Any = []
    inputs: Any = {}
    with making.branch(alone=False):
        for at in range(making.draw(st.integers(0, 3))):
            made = making.pick([simple, inline, variables, query])(making, [], 0)
            tasks.append(made)
            inputs[made["taskReferenceName"]] = {"x": at} if making.chance(2) else {"x": making.draw(VALUES)}
    if making.chance(8):
        tasks, inputs = making.pick([(making.draw(VALUES), inputs), (tasks, making.draw(VALUES))])
    made = making.task("FORK_JOIN_DYNAMIC", known, inputParameters={"dt": tasks, "di": inputs}, **fields)
    return [made, making.task("JOIN", known)]


@maker(nests=True, moves_by_itself=True)
def many_of_one(making: Making, known: list[str], depth: int) -> list[Task]:
    """A dynamic fork that does the same with each of its inputs."""
    made = making.task("FORK_JOIN_DYNAMIC", known)
    ref = made["taskReferenceName"]
    given: dict[str, Any] = {"forkTaskInputs": making.draw(st.lists(st.just({"x": 1}) | VALUES, max_size=3))}
    with making.branch(alone=False):
        kind = making.pick(["worker", "worker", "script", "workflow"])
        if kind == "worker":
            given["forkTaskName"] = making.worker_name(ref, key=f"{PREFIX}_{ref}")
        elif kind == "script":
            given |= {"forkTaskName": "scripts", "forkTaskType": "INLINE"}
            script = {"expression": making.pick(["$.x", "1 + $.__index"])}
            given["forkTaskInputs"] = [{"x": each, **script} for each in given["forkTaskInputs"]]
        else:
            given |= {"forkTaskWorkflow": _registered(making, depth), "forkTaskWorkflowVersion": "1"}
    made["inputParameters"] = given
    return [made, making.task("JOIN", known)]


@maker(nests=True, moves_by_itself=True)
def listed_fork(making: Making, known: list[str], depth: int) -> list[Task]:
    """A dynamic fork in its oldest form."""
    listed: list[dict[str, Any]] = []
    with making.branch(alone=False):
        for _ in range(making.draw(st.integers(0, 2))):
            made = simple(making, [], 0)
            listed.append({"taskName": made["name"], "referenceName": made["taskReferenceName"]})
            listed[-1] |= making.pick([{"type": "SIMPLE"}, {}]) | {"input": {"x": making.draw(VALUES)}}
    given = {"dj": {"dynamicTasks": listed} if not making.chance(8) else making.draw(VALUES)}
    made = making.task("FORK_JOIN_DYNAMIC", known, inputParameters=given, dynamicForkJoinTasksParam="dj")
    return [made, making.task("JOIN", known)]


@maker(nests=True)
def exclusive(making: Making, known: list[str], depth: int) -> list[Task]:
    given = {"p": making.pick(["a", "b", "c", "${workflow.input.a}"])}
    made = making.task("SWITCH", known, inputParameters=given, evaluatorType="value-param", expression="p")
    made["decisionCases"] = {key: [simple(making, known, 0)] for key in "ab"}
    if making.chance(2):
        made["defaultCase"] = [variables(making, known, 0)]
    on = [each[-1]["taskReferenceName"] for each in made["decisionCases"].values()]
    default = making.pick([on[:1], [made["taskReferenceName"]], on[1:] + on[:1]])
    return [made, making.task("EXCLUSIVE_JOIN", known, joinOn=on, defaultExclusiveJoinTask=default)]


# -- loops ---------------------------------------------------------------------------------------


@maker(nests=True, loops=True)
def loop(making: Making, known: list[str], depth: int) -> Task:
    made = making.task("DO_WHILE", known, inputParameters={"n": "${workflow.input.n}"})
    ref = made["taskReferenceName"]
    repeats = making.chance(2)
    with making.loop(repeats=repeats):
        made["loopOver"] = making.sequence(known, depth - 1, 2)
    inside = made["loopOver"][-1]["taskReferenceName"]
    once = ["false", "$.n > 100", "0", "$.nope", "''", "nope.nope"]
    again = [f"$.{ref}['iteration'] < $.n", f"$.{ref}.iteration < 2"]
    again += [f"$.{inside}.nope == null && $.{ref}['iteration'] < 2"]
    made["loopCondition"] = making.pick(again if repeats else once)
    return _kept(making, made)


@maker(nests=True, loops=True)
def loop_over_items(making: Making, known: list[str], depth: int) -> Task:
    items = making.pick(["${workflow.input.l}", "${workflow.input.a}", ["a", "b"], []])
    condition = making.pick(["", "", "$.loopIndex < 1", "$.loopItem != 'a'"])
    made = making.task("DO_WHILE", known, loopCondition=condition, inputParameters={"_items": items})
    if isinstance(items, str) and making.chance(2):
        made |= {"items": items, "inputParameters": {}}
    with making.loop(repeats=True):
        made["loopOver"] = making.sequence(known, depth - 1, 2)
    return _kept(making, made)


def _kept(making: Making, made: Task) -> Task:
    """Some loops keep their last iterations only."""
    if making.chance(6):
        made["inputParameters"]["keepLastN"] = making.pick([1, 2])
    return making.may_fail(made)


# -- workflows -----------------------------------------------------------------------------------


@maker(nests=True)
def child(making: Making, known: list[str], depth: int) -> Task:
    made = making.task("SUB_WORKFLOW", known)
    known.remove(made["taskReferenceName"])
    if making.chance(3):
        param = {"name": _registered(making, depth), "version": 1}
    else:
        definition = _definition(making, depth)
        param = {"name": definition["name"], "version": 1, "workflowDefinition": definition}
    if making.chance(10):
        param = {"name": f"{PREFIX}_unheard_of", "version": 1}
    given = making.inputs(known, "a") | {"l": "${workflow.input.l}"}
    known.append(made["taskReferenceName"])
    return making.defined(made | {"subWorkflowParam": param, "inputParameters": given})


def _definition(making: Making, depth: int) -> dict[str, Any]:
    """A workflow inside another, which refers to its own tasks. Beside other tasks it begins with one for a worker."""
    inside: list[str] = []
    name = f"{PREFIX}_child{making.count}"
    tasks = [] if making.alone else [simple(making, inside, 0)]
    tasks += making.sequence(inside, depth - 1, 2)
    definition: dict[str, Any] = {"name": name, "version": 1, "schemaVersion": 2, "tasks": tasks}
    if making.chance(2):
        definition["outputParameters"] = {"o": making.value(inside)}
    return definition


def _registered(making: Making, depth: int) -> str:
    definition = _definition(making, depth)
    making.workflow_definitions.append(definition)
    name: str = definition["name"]
    return name

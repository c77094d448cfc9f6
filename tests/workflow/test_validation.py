"""What is refused when a workflow is built, word for word; and that the real server has no use for it either."""

from __future__ import annotations

import dataclasses
from typing import Any, TypedDict

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from conductor_async import ConductorClient, TaskContext, TaskInProgress, worker_task
from conductor_async.errors import BadRequestError, WorkflowDefinitionError
from conductor_async.models import StartWorkflowRequest, WorkflowDef
from conductor_async.worker.context import get_task_context
from conductor_async.workflow import ConductorWorkflow, DoWhileTask, ForkTask, InlineTask, SimpleTask, SwitchTask
from conductor_async.workflow.validation import problems_of
from conductor_async.workflow.validation.expressions import expressions_in
from tests.fakes.recorded import recorded_definitions

API_URL = "http://localhost:8080/api"


def task(ref: str, kind: str = "SIMPLE", **fields: Any) -> dict[str, Any]:
    return {"name": ref, "taskReferenceName": ref, "type": kind, **fields}


def noop(ref: str) -> dict[str, Any]:
    return task(ref, "NOOP")


def see(value: Any, ref: str = "see") -> dict[str, Any]:
    """A task whose result is what the server makes of a value."""
    return task(ref, "INLINE", inputParameters={"evaluatorType": "graaljs", "expression": "$.value", "value": value})


def calc(ref: str, script: str = "42") -> dict[str, Any]:
    return task(ref, "INLINE", inputParameters={"evaluatorType": "graaljs", "expression": script})


def switch(cases: dict[str, list[Any]], ref: str = "route", value: Any = "a", **fields: Any) -> dict[str, Any]:
    inputs = {"inputParameters": {"key": value}, "evaluatorType": "value-param", "expression": "key"}
    return task(ref, "SWITCH", **{**inputs, "decisionCases": cases, **fields})


def loop(*body: Any, ref: str = "loop", times: int = 2, **fields: Any) -> dict[str, Any]:
    return task(ref, "DO_WHILE", **{"loopCondition": f"$.{ref}.iteration < {times}", "loopOver": list(body), **fields})


def fork(*branches: list[Any], ref: str = "fork", on: list[str] | None = None) -> list[dict[str, Any]]:
    ends = [branch[-1]["taskReferenceName"] for branch in branches] if on is None else on
    return [task(ref, "FORK_JOIN", forkTasks=list(branches)), task(f"join_{ref}", "JOIN", joinOn=ends)]


def child(*tasks: Any) -> dict[str, Any]:
    definition = {"name": "child", "version": 1, "tasks": list(tasks)}
    return task("sub", "SUB_WORKFLOW", inputParameters={"a": 1}, subWorkflowParam={"workflowDefinition": definition})


def definition(*tasks: Any, name: str = "checked", **fields: Any) -> WorkflowDef:
    return WorkflowDef.model_validate({"name": name, "version": 1, "tasks": list(tasks), **fields})


def http(**request: Any) -> dict[str, Any]:
    return task("call", "HTTP", inputParameters={"http_request": request})


def wait(**inputs: Any) -> dict[str, Any]:
    return task("pause", "WAIT", inputParameters=inputs)


# -- refused by the server, too ----------------------------------------------------------------------

REFUSED: dict[str, tuple[list[Any], list[str]]] = {
    "duplicate": (
        [noop("a"), noop("a")],
        [
            (
                "tasks[1]: the reference name 'a' is that of tasks[0] already; each task of a workflow has its own, and"
                " one task object stands in one place only"
            )
        ],
    ),
    "duplicate inside": (
        [noop("a"), switch({"x": [noop("a")]})],
        [
            (
                "tasks[1].decisionCases['x'][0]: the reference name 'a' is that of tasks[0] already; each task of a"
                " workflow has its own, and one task object stands in one place only"
            )
        ],
    ),
    "no name": ([{"taskReferenceName": "a", "type": "NOOP"}], ["tasks[0]: the task 'a' needs a name"]),
    "no reference": ([{"name": "a", "type": "NOOP"}], ["tasks[0]: the task 'a' needs a reference name"]),
    "unknown task": (
        [noop("order"), task("t", inputParameters={"a": {"b": ["x", "${ordr.output.total}"]}})],
        ["tasks[1].inputParameters.a.b[1]: there is no task 'ordr' for ${ordr.output.total}: did you mean 'order'?"],
    ),
    "nothing in it": (
        [task("t", inputParameters={"a": "${ }"})],
        [
            (
                "tasks[0].inputParameters.a: the server cannot read ${ }; blanks go between ['…'], and text that is not"
                " meant for the server is written with $${"
            )
        ],
    ),
    "blanks": (
        [noop("a"), task("t", inputParameters={"x": "${ a.output.b }"})],
        [
            (
                "tasks[1].inputParameters.x: the server cannot read ${ a.output.b }; blanks go between ['…'], and text"
                " that is not meant for the server is written with $${"
            )
        ],
    ),
    "iteration by number": (
        [loop(calc("b")), task("t", inputParameters={"x": "${b__1.output.result}"})],
        [
            (
                "tasks[1].inputParameters.x: the server cannot find 'b__1': ${b.output.result} is the latest iteration;"
                " iteration 1 is ${loop.output.1.b.result}"
            )
        ],
    ),
    "reference name with a blank": (
        [noop("a b"), task("t", inputParameters={"x": "${a b.output.x}"})],
        [
            (
                "tasks[1].inputParameters.x: the server cannot find 'a b' in ${a b.output.x}: give the task a reference"
                " name without dots, blanks, brackets and $"
            )
        ],
    ),
    "reference name with a dot": (
        [noop("a.b"), task("t", inputParameters={"x": "${a.b.output.x}"})],
        [
            (
                "tasks[1].inputParameters.x: the server cannot find 'a.b' in ${a.b.output.x}: give the task a reference"
                " name without dots, blanks, brackets and $"
            )
        ],
    ),
    "brackets on the task": (
        [noop("a"), task("t", inputParameters={"x": "${a[0]}"})],
        ["tasks[1].inputParameters.x: there is no task 'a[0]' for ${a[0]}"],
    ),
    "fork without branches": (
        [task("f", "FORK_JOIN"), task("j", "JOIN")],
        ["tasks[0].forkTasks: a fork needs at least one branch"],
    ),
    "switch without anything": (
        [task("s", "SWITCH")],
        [
            "tasks[0].evaluatorType: a switch needs one: value-param, graaljs or javascript",
            "tasks[0].expression: a switch needs one: the name of an input parameter, or a script",
            "tasks[0].decisionCases: a SWITCH needs at least one case beside its default",
        ],
    ),
    "switch with a default only": (
        [switch({}, defaultCase=[noop("a")])],
        ["tasks[0].decisionCases: a SWITCH needs at least one case beside its default"],
    ),
    "decision without anything": (
        [task("s", "DECISION")],
        [
            "tasks[0].caseValueParam: a decision needs caseValueParam or caseExpression",
            "tasks[0].decisionCases: a DECISION needs at least one case beside its default",
        ],
    ),
    "loop without anything": (
        [task("l", "DO_WHILE")],
        [
            "tasks[0].loopCondition: a loop needs one; for a loop over items it may be empty text",
            "tasks[0].loopOver: a loop needs at least one task",
        ],
    ),
    "dynamic without a name": (
        [task("d", "DYNAMIC")],
        ["tasks[0].dynamicTaskNameParam: a dynamic task needs the name of the input that says what to run"],
    ),
    "dynamic fork without anything": (
        [task("f", "FORK_JOIN_DYNAMIC"), task("j", "JOIN")],
        [
            (
                "tasks[0].dynamicForkTasksParam: a dynamic fork needs dynamicForkTasksParam and"
                " dynamicForkTasksInputParamName, or forkTaskInputs among its input parameters"
            )
        ],
    ),
    "dynamic fork of two forms": (
        [task("f", "FORK_JOIN_DYNAMIC", dynamicForkJoinTasksParam="a", dynamicForkTasksParam="b"), task("j", "JOIN")],
        ["tasks[0].dynamicForkJoinTasksParam: give either this or dynamicForkTasksParam with its inputs, not both"],
    ),
    "sub-workflow without anything": (
        [task("s", "SUB_WORKFLOW")],
        ["tasks[0].subWorkflowParam: a sub-workflow needs the name of a workflow, or a definition"],
    ),
    "terminate somehow": (
        [task("t", "TERMINATE", optional=True, inputParameters={"terminationStatus": "${workflow.input.s}"})],
        [
            (
                "tasks[0].inputParameters.terminationStatus: it is COMPLETED, FAILED or TERMINATED, and no"
                " expression, not"
                " '${workflow.input.s}'"
            ),
            "tasks[0].optional: a TERMINATE cannot be optional",
        ],
    ),
    "http without anything": (
        [task("h", "HTTP")],
        ["tasks[0].inputParameters: an HTTP task needs http_request, or uri and method"],
    ),
    "kafka without a message": (
        [task("k", "KAFKA_PUBLISH")],
        ["tasks[0].inputParameters.kafka_request: a KAFKA_PUBLISH needs its message"],
    ),
    "event to nowhere": (
        [task("e", "EVENT")],
        ["tasks[0].sink: an EVENT needs to know where to: conductor:<name>, sqs:<queue>, kafka:<topic> …"],
    ),
    "jq without a query": (
        [task("q", "JSON_JQ_TRANSFORM")],
        ["tasks[0].inputParameters.queryExpression: a JSON_JQ_TRANSFORM needs its query"],
    ),
    "wait both ways": (
        [wait(duration="5s", until="2030-01-01")],
        ["tasks[0].inputParameters: a WAIT has a duration or until, not both"],
    ),
    "an old schema": ([noop("a")], ["schemaVersion: the server knows 2 only, not 1"]),
    "no workflow name": ([noop("a")], ["name: a workflow needs a name"]),
}
SETTINGS: dict[str, dict[str, Any]] = {"an old schema": {"schemaVersion": 1}, "no workflow name": {"name": ""}}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str):
    tasks, problems = REFUSED[case]
    assert problems_of(definition(*tasks, **SETTINGS.get(case, {}))) == problems


def test_nothing_is_too_deep_inside():
    tasks = fork([loop(switch({"x": [http()], "y": [task("e", "EVENT")]}))])
    place = "tasks[0].forkTasks[0][0].loopOver[0].decisionCases"
    assert problems_of(definition(*tasks)) == [
        f"{place}['x'][0].inputParameters.http_request.uri: an HTTP request needs one",
        f"{place}['x'][0].inputParameters.http_request.method: an HTTP request needs one, such as GET",
        f"{place}['y'][0].sink: an EVENT needs to know where to: conductor:<name>, sqs:<queue>, kafka:<topic> …",
    ]


@pytest.mark.server
@pytest.mark.asyncio
async def test_the_server_refuses_it_too(server_url: str):
    async with ConductorClient(server_url) as conductor:
        for case, (tasks, _) in REFUSED.items():
            try:
                await conductor.metadata.validate_workflow_def(definition(*tasks, **SETTINGS.get(case, {})))
            except BadRequestError:
                continue
            pytest.fail(f"the server takes this: {case}")


DURATIONS = {
    "": True,
    "5s": True,
    " 5 Seconds ": True,
    "1h30m": True,
    "2 days 3 hours": True,
    "1 h  5\tm": True,
    "${workflow.input.x}m": True,
    "5": False,
    "5ms": False,
    "PT5S": False,
    "1.5s": False,
    "30m 1h": False,
    "1 hour, 30 minutes": False,
    "1h ${workflow.input.x}m": False,
    "\u0661s": False,
    "-5s": False,
}
MOMENTS = {
    "2030-01-01": True,
    "2030-1-1": True,
    " 2030-01-01  10:00": True,
    "2030-01-01 10:00 UTC": True,
    "2030-01-01 10:00 utc": True,
    "2030-01-01 10:00 +0200": True,
    "2030-01-01 10:00 GMT+02:00": True,
    "2030-01-01 10:00 Pacific Standard Time": True,
    "${workflow.input.x}": True,
    "2030-01-01 10:00 ": False,
    "2030-01-01 10:00:00": False,
    "2030-01-01T10:00:00Z": False,
    "2030-01-01 10:00 Z": False,
    "2030-01-01 10:00 +02:00": False,
    "2030-01-01 10:00 GMT+2": False,
    "2030-01-01 10:00 Europe/Berlin": False,
    "2030-01-01 10:00UTC": False,
    "2030-01": False,
    "2030/01/01": False,
    "tomorrow": False,
}
TIMES = [("duration", *each) for each in DURATIONS.items()] + [("until", *each) for each in MOMENTS.items()]


@pytest.mark.parametrize(("key", "text", "readable"), TIMES)
def test_times_of_a_wait(key: str, text: str, readable: bool):
    problems = problems_of(definition(wait(**{key: text})))
    assert problems == [] if readable else problems[0].startswith(f"tasks[0].inputParameters.{key}: the server cannot")


@pytest.mark.server
@pytest.mark.asyncio
async def test_the_server_reads_the_same_times(server_url: str):
    async with ConductorClient(server_url) as conductor:
        for key, text, readable in TIMES:
            try:
                await conductor.metadata.validate_workflow_def(definition(wait(**{key: text})))
            except BadRequestError:
                assert not readable, text
            else:
                assert readable, text


def test_a_time_is_text():
    assert "the server cannot read 5;" in problems_of(definition(wait(duration=5)))[0]


# -- taken by the server, and wrong ------------------------------------------------------------------

# What becomes of it: the workflow FAILED, never ends (RUNNING), or is refused when it is started (None).
WRONG: dict[str, tuple[list[Any], str | None, list[str]]] = {
    "fork without a join": (
        [fork([noop("a")])[0], noop("b")],
        "FAILED",
        ["tasks[0]: a fork is followed by its JOIN, and 'b' follows it: the server fails such a workflow"],
    ),
    "fork at the end": (
        [loop(fork([noop("a")])[0]), task("j", "JOIN", joinOn=["a"])],
        "FAILED",
        [
            (
                "tasks[0].loopOver[0]: a fork is followed by its JOIN, and nothing follows it: the server fails such a"
                " workflow"
            )
        ],
    ),
    "dynamic fork without a join": (
        [
            task(
                "f",
                "FORK_JOIN_DYNAMIC",
                dynamicForkTasksParam="t",
                dynamicForkTasksInputParamName="i",
                inputParameters={"t": [], "i": {}},
            )
        ],
        "FAILED",
        ["tasks[0]: a fork is followed by its JOIN, and nothing follows it: the server fails such a workflow"],
    ),
    "dynamic fork without tasks": (
        [
            task(
                "f",
                "FORK_JOIN_DYNAMIC",
                dynamicForkTasksParam="t",
                dynamicForkTasksInputParamName="i",
                inputParameters={"i": {}},
            ),
            task("j", "JOIN"),
        ],
        "FAILED",
        ["tasks[0].inputParameters: 't' is missing, from which the fork takes its tasks and their inputs"],
    ),
    "empty branch": (
        [task("f", "FORK_JOIN", forkTasks=[[], [noop("a")]]), task("j", "JOIN", joinOn=["a"])],
        None,
        ["tasks[0].forkTasks[0]: a branch of a fork needs at least one task"],
    ),
    "join on nothing known": (
        fork([noop("alpha")], on=["alhpa"]),
        "RUNNING",
        ["tasks[1].joinOn[0]: there is no task 'alhpa' to wait for: did you mean 'alpha'?"],
    ),
    "join on what is later": (
        [*fork([noop("a")], on=["z"]), noop("z")],
        "RUNNING",
        ["tasks[1].joinOn[0]: 'z' runs only after this join, which would wait for it for ever"],
    ),
    "join on itself": (
        fork([noop("a")], on=["join_fork"]),
        "RUNNING",
        ["tasks[1].joinOn[0]: 'join_fork' runs only after this join, which would wait for it for ever"],
    ),
    "exclusive join on nothing": (
        [noop("a"), task("j", "EXCLUSIVE_JOIN")],
        "RUNNING",
        ["tasks[1].joinOn: an EXCLUSIVE_JOIN without it never ends: name the tasks to look at"],
    ),
    "sub-workflow without a name": (
        [task("s", "SUB_WORKFLOW", subWorkflowParam={})],
        None,
        ["tasks[0].subWorkflowParam.name: a sub-workflow needs the name of a workflow, or a definition"],
    ),
    "dynamic without its input": (
        [task("d", "DYNAMIC", dynamicTaskNameParam="what")],
        "FAILED",
        ["tasks[0].inputParameters: 'what' is missing, which says what to run"],
    ),
    "http without a uri": (
        [http(method="GET")],
        "FAILED",
        ["tasks[0].inputParameters.http_request.uri: an HTTP request needs one"],
    ),
    "http without a method": (
        [http(uri=API_URL)],
        "FAILED",
        ["tasks[0].inputParameters.http_request.method: an HTTP request needs one, such as GET"],
    ),
    "http in lower case": (
        [http(uri=API_URL, method="get")],
        "FAILED",
        ["tasks[0].inputParameters.http_request.method: the server knows GET only, not get"],
    ),
    "kafka without a topic": (
        [task("k", "KAFKA_PUBLISH", inputParameters={"kafka_request": {"bootStrapServers": "localhost:1"}})],
        "FAILED",
        [
            "tasks[0].inputParameters.kafka_request.topic: a message for Kafka needs it",
            "tasks[0].inputParameters.kafka_request.value: a message for Kafka needs it",
        ],
    ),
    "empty sink": (
        [task("e", "EVENT", sink="")],
        "FAILED",
        ["tasks[0].sink: an EVENT needs to know where to: conductor:<name>, sqs:<queue>, kafka:<topic> …"],
    ),
    "expression in a loop condition": (
        [loop(noop("b"), loopCondition="$.loop.iteration < ${workflow.input.n}")],
        "FAILED",
        [
            (
                "tasks[0].loopCondition: ${workflow.input.n} is not replaced in a script: give the value as an input"
                " parameter, and read it as $.name"
            )
        ],
    ),
    "output in a loop condition": (
        [loop(calc("b"), loopCondition="${b.output.result} < 1")],
        "FAILED",
        [
            (
                "tasks[0].loopCondition: ${b.output.result} is not replaced in a condition: write $.b.result, or"
                " give the"
                " value as an input parameter, and read it as $.name"
            )
        ],
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong(case: str):
    tasks, _, problems = WRONG[case]
    assert problems_of(definition(*tasks)) == problems


async def run(conductor: ConductorClient, *tasks: Any, **workflow_input: Any) -> Any:
    """Runs tasks, and waits until they have ended; None if the server does not even start them."""
    request = StartWorkflowRequest(name="checked", workflow_def=definition(*tasks), input=workflow_input)
    try:
        workflow_id = await conductor.workflow.start_workflow(request)
    except Exception as error:
        if getattr(error, "status", 0) in (400, 500):
            return None
        raise
    waited = 0
    with anyio.move_on_after(8):
        while waited < 15 and (found := await conductor.workflow.get_workflow(workflow_id)).status == "RUNNING":
            going_on = {each.task_type for each in found.tasks if each.status in ("SCHEDULED", "IN_PROGRESS")}
            waited = waited + 1 if going_on <= {"JOIN", "EXCLUSIVE_JOIN"} else 0
            await anyio.sleep(0.1)
    found = await conductor.workflow.get_workflow(workflow_id)
    if found.status == "RUNNING":
        await conductor.workflow.terminate_workflow(workflow_id)
    return found


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.asyncio
@pytest.mark.parametrize("case", WRONG)
async def test_the_server_cannot_work_with_it(case: str, server_url: str):
    tasks, status, _ = WRONG[case]
    async with ConductorClient(server_url) as conductor:
        found = await run(conductor, *tasks, n=2)
        assert (found and found.status) == status


# -- expressions that are null -----------------------------------------------------------------------

_BLANKS = "; blanks go between ['…'], and text that is not meant for the server is written with $${"
NULLS: dict[str, tuple[list[Any], list[str]]] = {
    "later": (
        [see("${z.output.result}"), calc("z")],
        ["tasks[0].inputParameters.value: ${z.output.result} is null here: 'z' runs after it"],
    ),
    "another case": (
        [switch({"a": [see("${b.output.result}")], "b": [calc("b")]})],
        [
            (
                "tasks[0].decisionCases['a'][0].inputParameters.value: ${b.output.result} is null here: 'b' is"
                " in another"
                " case"
            )
        ],
    ),
    "another branch": (
        fork([see("${b.output.result}")], [calc("b")]),
        [
            (
                "tasks[0].forkTasks[0][0].inputParameters.value: ${b.output.result} is null here: 'b' runs"
                " beside it, in a"
                " branch that is not joined yet"
            )
        ],
    ),
    "later than the loop": (
        [loop(see("${z.output.result}")), calc("z")],
        ["tasks[0].loopOver[0].inputParameters.value: ${z.output.result} is null here: 'z' runs after it"],
    ),
    "unknown, inside": (
        [switch({"a": [see("${nope.output.result}")]})],
        ["tasks[0].decisionCases['a'][0].inputParameters.value: there is no task 'nope' for ${nope.output.result}"],
    ),
    "iteration by number, inside": (
        [loop(calc("b"), see("${b__1.output.result}"))],
        [
            (
                "tasks[0].loopOver[1].inputParameters.value: the server cannot find 'b__1': ${b.output.result} is the"
                " latest iteration; iteration 1 is ${loop.output.1.b.result}"
            )
        ],
    ),
    "blanks, inside": (
        [calc("t"), switch({"a": [see("${ t.output.result }")]})],
        ["tasks[1].decisionCases['a'][0].inputParameters.value: the server cannot read ${ t.output.result }" + _BLANKS],
    ),
    "arithmetic": (
        [switch({"a": [see("${workflow.input.n + 1}")]})],
        [
            "tasks[0].decisionCases['a'][0].inputParameters.value: the server cannot read ${workflow.input.n + 1}"
            + _BLANKS
        ],
    ),
    "a task that hides the workflow": (
        [calc("workflow"), see("${workflow.input.n}")],
        [
            (
                "tasks[0].taskReferenceName: a task named 'workflow' hides the workflow itself from every"
                " expression that"
                " starts with ${workflow. : choose another"
            )
        ],
    ),
    "a task of the parent": (
        [calc("p"), child(see("${p.output.result}"))],
        [
            (
                "tasks[1].subWorkflowParam.workflowDefinition.tasks[0].inputParameters.value: there is no task 'p' for"
                " ${p.output.result}"
            )
        ],
    ),
    "its own inside": (
        [switch({"a": [calc("a")]}, value="${a.output.result}", defaultCase=[noop("d")])],
        ["tasks[0].inputParameters.key: ${a.output.result} is null here: 'a' runs inside of it"],
    ),
}


@pytest.mark.parametrize("case", NULLS)
def test_null(case: str):
    tasks, problems = NULLS[case]
    assert problems_of(definition(*tasks)) == problems


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.asyncio
@pytest.mark.parametrize("case", NULLS)
async def test_it_is_null_on_the_server(case: str, server_url: str):
    tasks, _ = NULLS[case]
    async with ConductorClient(server_url) as conductor:
        found = await run(conductor, *tasks, n=2)
        assert found.status == "COMPLETED"
        seen = [each for each in found.tasks if each.reference_task_name.startswith("see")]
        if case == "a task of the parent":
            assert found.get_task(task_reference_name="sub").output_data["result"] is None
        elif case == "its own inside":
            assert found.get_task(task_reference_name="route").output_data["selectedCase"] == "null"
        else:
            assert seen
            assert all(each.output_data["result"] is None for each in seen)


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        ("${t.output.result", "'${t.output.result' is never closed: a brace is missing"),
        ("to ${workflow.input.name and on", "'${workflow.input.name and on' is never closed: a brace is missing"),
        ("a ${t.output.a} b ${nope.output.b} c", "there is no task 'nope' for ${nope.output.b}"),
        ("${workflow.input.${nope.output.x}}", "there is no task 'nope' for ${nope.output.x}"),
    ],
)
def test_texts_with_expressions(broken: str, problem: str):
    inside = definition(noop("t"), task("u", inputParameters={"x": broken}))
    assert problems_of(inside) == [f"tasks[1].inputParameters.x: {problem}"]
    output = definition(noop("t"), outputParameters={"x": [broken]})
    assert problems_of(output) == [f"outputParameters.x[0]: {problem}"]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"kind": "EVENT", "sink": "conductor:${nope.output.x}"}, "sink"),
        ({"kind": "SUB_WORKFLOW", "subWorkflowParam": {"name": "${nope.output.x}"}}, "subWorkflowParam.name"),
        (
            {"kind": "SUB_WORKFLOW", "subWorkflowParam": {"name": "a", "taskToDomain": {"*": "${nope.output.x}"}}},
            "subWorkflowParam.taskToDomain['*']",
        ),
        ({"kind": "DO_WHILE", "items": "${nope.output.x}", "loopCondition": "", "loopOver": [noop("b")]}, "items"),
        ({"inputParameters": {"first name": "${nope.output.x}"}}, "inputParameters['first name']"),
    ],
)
def test_every_field_with_expressions_is_looked_at(fields: dict[str, Any], path: str):
    [problem] = problems_of(definition(task("t", **fields)))
    assert problem == f"tasks[0].{path}: there is no task 'nope' for ${{nope.output.x}}"


def test_two_underscores_in_a_loop():
    """The server would run such a body for ever, in the request that starts it: not to be tried."""
    assert problems_of(definition(loop(noop("my__task")))) == [
        (
            "tasks[0].loopOver[0].taskReferenceName: in a loop 'my__task' cannot have two underscores in a row:"
            " the server"
            " cuts names there, and would never get to the end"
        )
    ]
    assert problems_of(definition(noop("my__task"))) == []


def test_names_that_nobody_could_ask_for():
    [name, reference, workflow] = problems_of(
        definition({"name": "a/b", "taskReferenceName": "a", "type": "SIMPLE"}, noop("x/y"), name="w/w")
    )[1:] + problems_of(definition(noop("a"), name="w/w"))
    assert (
        name == "tasks[0].name: the task name 'a/b' has a slash, so the server could never be asked for it: use another"
    )
    assert reference.startswith("tasks[1].taskReferenceName: the reference name 'x/y' has a slash")
    assert workflow.startswith("name: the workflow name 'w/w' has a slash")


# -- scripts -----------------------------------------------------------------------------------------

SCRIPTS: dict[str, tuple[dict[str, Any], str]] = {
    "switch": (
        switch({"x": [noop("a")]}, evaluatorType="graaljs", expression='"${workflow.input.n}"'),
        (
            "tasks[0].expression: ${workflow.input.n} is not replaced in a script: give the value as an input"
            " parameter,"
            " and read it as $.name"
        ),
    ),
    "value-param": (
        switch({"x": [noop("a")]}, expression="${workflow.input.n}"),
        "tasks[0].expression: a value-param is the name of an input parameter: put ${workflow.input.n} there",
    ),
    "decision": (
        task("d", "DECISION", caseExpression='"${workflow.input.n}"', decisionCases={"x": [noop("a")]}),
        (
            "tasks[0].caseExpression: ${workflow.input.n} is not replaced in a script: give the value as an input"
            " parameter, and read it as $.name"
        ),
    ),
    "inline": (
        calc("i", '"${workflow.input.n}" + 1'),
        (
            "tasks[0].inputParameters.expression: ${workflow.input.n} would become part of the script, as text:"
            " give the"
            " value as an input parameter, and read it as $.name"
        ),
    ),
    "lambda": (
        task("l", "LAMBDA", inputParameters={"scriptExpression": "return ${workflow.input.n}"}),
        (
            "tasks[0].inputParameters.scriptExpression: ${workflow.input.n} would become part of the script, as"
            " text: give"
            " the value as an input parameter, and read it as $.name"
        ),
    ),
}


@pytest.mark.parametrize("case", SCRIPTS)
def test_expressions_in_scripts(case: str):
    tasks, problem = SCRIPTS[case]
    assert problems_of(definition(tasks)) == [problem]


@pytest.mark.server
@pytest.mark.asyncio
async def test_what_scripts_make_of_expressions(server_url: str):
    """A switch never sees the value; an inline script has it pasted in, and breaks on a quote."""
    async with ConductorClient(server_url) as conductor:
        for case in ("switch", "value-param", "decision"):
            found = await run(conductor, SCRIPTS[case][0], n="x")
            assert [each.reference_task_name for each in found.tasks] == [found.tasks[0].reference_task_name], case
        assert (await run(conductor, SCRIPTS["inline"][0], n='say "x"')).status == "FAILED"
        assert (await run(conductor, SCRIPTS["lambda"][0], n="a b")).status == "FAILED"


# -- what runs fine is taken -------------------------------------------------------------------------

DYNAMIC_FORK = [
    task(
        "many",
        "FORK_JOIN_DYNAMIC",
        inputParameters={"forkTaskInputs": [1], "forkTaskName": "x", "forkTaskType": "NOOP"},
    ),
    task("join_many", "JOIN", joinOn=["_x_0"]),
]
FINE: dict[str, list[Any]] = {
    "earlier": [calc("a"), see("${a.output.result} ${a.status} ${a.output['result']}")],
    "before the switch and in it": [
        calc("a"),
        switch({"a": [calc("b"), see("${a.output.result}${b.output.result}")]}),
        see("${b.output.result}${route.output.selectedCase}", "see2"),
    ],
    "after the join": [*fork([calc("a")], [calc("b")]), see("${a.output.result}${b.output.result}${join_fork.output}")],
    "own branch": fork([calc("a"), see("${a.output.result}")], [noop("b")]),
    "nested fork": fork([*fork([calc("a")], [noop("b")], ref="in"), see("${a.output.result}")], [noop("c")]),
    "fork at the end of a branch": fork([fork([calc("a")], ref="in")[0]], [noop("b")], on=["a", "b"]),
    "after a pause in another branch": fork([calc("a")], [wait(duration="1s"), see("${a.output.result}")]),
    "again and again in another branch": fork([calc("a")], [loop(see("${a.output.result}"))], on=["a", "loop"]),
    "iteration before": [
        loop(see("${b.output.result}${c.output.result}"), switch({"a": [calc("b")], "x": [calc("c")]}))
    ],
    "other case of an iteration before": [
        loop(switch({"1": [calc("b")], "2": [see("${b.output.result}")]}, value="${loop.output.iteration}"))
    ],
    "the loop itself": [loop(see("${loop.output.iteration}")), see("${loop.output['1'].see.result}", "see2")],
    "body in the input of its loop": [
        loop(calc("b"), loopCondition="$.v != 42", inputParameters={"v": "${b.output.result}"})
    ],
    "a join in a loop": [loop(*fork([calc("a")]))],
    "exclusive join": [
        switch({"a": [calc("a")], "b": [calc("b")]}),
        task("j", "EXCLUSIVE_JOIN", joinOn=["b", "a"]),
        see("${j.output.result}"),
    ],
    "join without a fork": [calc("a"), task("j", "JOIN", joinOn=["a"])],
    "dynamic fork": [*DYNAMIC_FORK, switch({"a": [see("${_x_0.status}")]})],
    "the workflow": [
        see("${workflow.input.n} ${workflow.variables.x} ${workflow.workflowId} ${workflow.nothing.at.all}")
    ],
    "secrets and environment": [see("${workflow.secrets.a} ${workflow.env.B}")],
    "the environment of the server": [
        switch({"a": [see("${HOME}${NO_SUCH_NAME}${java.home}${os.name}${CPEWF_TASK_ID}")]})
    ],
    "escaped": [see("$${nope.output.x} $$${nope.y} $$$${ z }")],
    "nested": [see("${workflow.input.${workflow.input.n}}"), see("${${workflow.input.m}.output.x}", "see2")],
    "keys with blanks": [see("${workflow.input['first name']} ${workflow.input.list[?(@.x > 2)]}")],
    "never closed": [see("${not meant for you"), see("a ${", "see2"), see("$.x {", "see3")],
    "in a key": [see({"${nope.output.x}": 1})],
    "script": [calc("a", "(function () { return $.b; })()")],
    "template text": [
        switch(
            {"1": [calc("hit")]},
            evaluatorType="graaljs",
            expression="`${$.n}`",
            inputParameters={"n": 1},
        )
    ],
    "script from elsewhere": [calc("a", "${workflow.input.script}")],
    "empty case": [switch({"a": []})],
    "odd names": [
        {**noop("a b"), "name": "call a/b"},
        noop("a.b"),
        noop("a[0]"),
        calc("ä-1"),
        switch({"a": [see("${ä-1.output.result}")]}),
    ],
    "type of the future": [task("t", "NOOP", someNewField={"a": 1}, inputParameters={"http_request": None})],
    "terminate": [task("t", "TERMINATE", inputParameters={"terminationStatus": "COMPLETED"}), noop("a")],
    "null wait": [wait(duration=None, until="2020-01-01")],
    "child": [child(calc("sub"), see("${sub.output.result}${workflow.input.a}"))],
    "itself": [see("${see.output.result}")],
}


@pytest.mark.parametrize("case", FINE)
def test_what_runs_fine_is_taken(case: str):
    assert problems_of(definition(*FINE[case])) == []


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.asyncio
async def test_it_does_run_fine(server_url: str):
    inputs = {"n": "m", "m": "see", "first name": "Ada", "list": [], "script": "1 + 1"}
    async with ConductorClient(server_url) as conductor:
        for case, tasks in FINE.items():
            found = await run(conductor, *tasks, **inputs)
            assert found is not None, case
            assert found.status == "COMPLETED", (case, found.reason_for_incompletion)


def test_types_that_others_know_are_taken_as_they_are():
    for kind in ("HTTP_POLL", "WAIT_FOR_WEBHOOK", "LLM_CHAT_COMPLETE", "AGENT", "TYPE_OF_TOMORROW", "USER_DEFINED"):
        assert problems_of(definition(task("t", kind, loopCondition="${x", joinOn=["nope"]))) == []


# Recorded because they go wrong: forks without a join, expressions that cannot be read, fields that are missing.
RECORDED_TO_GO_WRONG = {
    "expressions": 5,
    "meta_task_type_validation": 2,
    "task_dynamic": 1,
    "task_fork_join": 2,
    "task_fork_join_dynamic": 1,
}


def test_no_false_alarm_on_what_the_server_was_seen_to_run():
    found: dict[str, int] = {}
    number = 0
    for case, each in recorded_definitions():
        number += 1
        if problems := problems_of(WorkflowDef.model_validate(each)):
            found[case] = found.get(case, 0) + len(problems)
    assert number > 200
    assert found == RECORDED_TO_GO_WRONG


# -- values that cannot be sent ----------------------------------------------------------------------


def test_values_that_cannot_be_json_are_told_with_their_paths():
    workflow = ConductorWorkflow(name="w").output_parameters({"set": object()})
    switch_task = SwitchTask("s", "${workflow.input.x}").case("x", SimpleTask("b", input_parameters={"to": [1, 2j]}))
    workflow >> SimpleTask("a", input_parameters={"n": float("nan"), "ok": {1, 2}, "s": "\ud800"}) >> switch_task
    with pytest.raises(WorkflowDefinitionError) as caught:
        workflow.to_workflow_def()
    assert [problem.partition(": ")[0] for problem in caught.value.problems] == [
        "outputParameters.set",
        "tasks[0].inputParameters.n",
        "tasks[0].inputParameters.s",
        "tasks[1].decisionCases['x'][0].inputParameters.to[1]",
    ]
    assert "it cannot be sent as JSON: it is nan, and JSON has no such number" in caught.value.problems[1]


def test_all_problems_are_told_in_one_text():
    with pytest.raises(WorkflowDefinitionError) as caught:
        (ConductorWorkflow(name="w") >> InlineTask("a", "${b}") >> InlineTask("b", "'${a.output.x}'")).to_workflow_def()
    assert str(caught.value).splitlines() == [
        "Workflow 'w' cannot work:",
        "- tasks[0].inputParameters.expression: ${b} is null here: 'b' runs after it",
        (
            "- tasks[1].inputParameters.expression: ${a.output.x} would become part of the script, as text: give"
            " the value"
            " as an input parameter, and read it as $.name"
        ),
    ]


# -- outputs of workers ------------------------------------------------------------------------------


class Line(BaseModel):
    price: float
    next: Line | None = None


class Order(BaseModel):
    model_config = ConfigDict(alias_generator=str.upper)
    total: int
    lines: list[Line]
    first: Line


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    total: int


@dataclasses.dataclass
class Parcel:
    weight: float
    order: Order


class Stock(TypedDict):
    left: int


@worker_task()
async def order() -> Order | TaskInProgress: ...


@worker_task()
def parcel() -> Parcel: ...


@worker_task()
def stock() -> Stock | None: ...


@worker_task()
def number() -> int: ...


def built(worker: Any, reference: Any) -> list[str]:
    made = worker.task("made")
    workflow = ConductorWorkflow(name="w") >> DoWhileTask("l", "$.made.x", ForkTask("f", [made]))
    workflow >> SimpleTask("t", input_parameters={"x": f"got {reference(made.output)}"})
    try:
        workflow.to_workflow_def()
    except WorkflowDefinitionError as error:
        return [problem.removeprefix("tasks[1].inputParameters.x: ") for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("worker", "reference", "problem"),
    [
        (order, lambda o: o.totl, "totl (it has TOTAL, LINES, FIRST)"),
        (order, lambda o: o.TOTL, "TOTL: did you mean 'TOTAL'? (it has TOTAL, LINES, FIRST)"),
        (order, lambda o: o.FIRST.prise, "FIRST.prise: did you mean 'price'? (it has price, next)"),
        (parcel, lambda o: o["wait"].x, "wait: did you mean 'weight'? (it has weight, order)"),
        (parcel, lambda o: o.order.TOTAL_, "order.TOTAL_: did you mean 'TOTAL'? (it has TOTAL, LINES, FIRST)"),
        (stock, lambda o: o.right, "right (it has left)"),
        (number, lambda o: o.number, "number (it has result)"),
    ],
)
def test_a_field_that_the_output_does_not_have(worker: Any, reference: Any, problem: str):
    assert built(worker, reference) == [f"the output of 'made' has no {problem}"]


@worker_task()
def free() -> dict[str, Any]: ...


@worker_task()
def silent(): ...


@worker_task()
def extra() -> Open: ...


@worker_task()
def with_context(context: TaskContext) -> Stock:
    context.set_output({"more": 1})
    return {"left": 1}


@worker_task()
def with_its_context() -> Stock:
    get_task_context().set_output({"more": 1})
    return {"left": 1}


@worker_task()
def anything() -> Any: ...


@pytest.mark.parametrize("worker", [free, silent, extra, with_context, with_its_context, anything])
def test_outputs_that_may_have_more(worker: Any):
    assert built(worker, lambda output: output.more) == []


@pytest.mark.parametrize(
    ("worker", "reference"),
    [
        (order, lambda o: o.TOTAL),
        (order, lambda o: o),
        (order, lambda o: o.LINES[0].whatever),
        (order, lambda o: o.FIRST.next.next.price),
        (order, lambda o: o("LINES.length()")),
        (order, lambda o: o("length()")),
        (order, lambda o: o("['TOTAL']")),
        (order, lambda o: o("*")),
        (order, lambda o: o("..price")),
        (number, lambda o: o.result),
    ],
)
def test_fields_that_the_output_has(worker: Any, reference: Any):
    assert built(worker, reference) == []


# -- finding expressions -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "contents"),
    [
        ("", []),
        ("${a}", ["a"]),
        ("x ${a.b} y ${c}", ["a.b", "c"]),
        ("${a.${b}.c}", ["a.${b}.c", "b"]),
        ("$${a} $$${b} ${c}", ["c"]),
        ("${a", [None]),
        ("{${a}}", ["a"]),
        ("${a{b}c}", ["a{b}c"]),
        ("$ {a} $a {b}", []),
    ],
)
def test_finding_expressions(text: str, contents: list[str | None]):
    assert [found.content for found in expressions_in(text)] == contents


@given(st.text(st.sampled_from("${}a. ")))
def test_expressions_are_parts_of_their_text(text: str):
    for found in expressions_in(text):
        assert found.text in text
        assert found.content is None or found.text == f"${{{found.content}}}"


@given(st.lists(st.text(st.sampled_from("${}a.b[]' \"")), max_size=4))
def test_no_text_breaks_the_validation(texts: list[str]):
    for problem in problems_of(definition(noop("a"), task("t", inputParameters={"x": texts}))):
        assert problem.startswith("tasks[1].inputParameters.x[")

"""Problems of definitions: the server refuses them, too, or accepts the definition and cannot run it."""

from __future__ import annotations

from typing import Any

import pytest

from conductor_async import ConductorClient
from conductor_async.errors import BadRequestError
from conductor_async.workflow._validation import problems_of
from tests.fakes.definitions import API_URL, calc, definition, fork, http, loop, noop, run, switch, task, wait

# -- refused by the server ----------------------------------------------------------------------

REFUSED: dict[str, tuple[list[Any], list[str]]] = {
    "duplicate": (
        [noop("a"), noop("a")],
        [
            (
                "tasks[1]: the reference name 'a' is already used by tasks[0]; each task needs its own, and a task"
                " object can be added only once"
            )
        ],
    ),
    "duplicate inside": (
        [noop("a"), switch({"x": [noop("a")]})],
        [
            (
                "tasks[1].decisionCases['x'][0]: the reference name 'a' is already used by tasks[0]; each task needs"
                " its own, and a task object can be added only once"
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
                "tasks[0].inputParameters.a: the server cannot read ${ }: write keys with blanks as ['…'], and"
                " literal text as $${…}"
            )
        ],
    ),
    "blanks": (
        [noop("a"), task("t", inputParameters={"x": "${ a.output.b }"})],
        [
            (
                "tasks[1].inputParameters.x: the server cannot read ${ a.output.b }: write keys with blanks as ['…'],"
                " and literal text as $${…}"
            )
        ],
    ),
    "iteration by number": (
        [loop(calc("b")), task("t", inputParameters={"x": "${b__1.output.result}"})],
        [
            (
                "tasks[1].inputParameters.x: the server cannot find 'b__1': ${b.output.result} is the latest"
                " iteration; iteration 1 is ${loop.output.1.b.result}"
            )
        ],
    ),
    "reference name with a blank": (
        [noop("a b"), task("t", inputParameters={"x": "${a b.output.x}"})],
        [
            (
                "tasks[1].inputParameters.x: the server cannot find 'a b' in ${a b.output.x}: give the task a"
                " reference name without dots, blanks, brackets and $"
            )
        ],
    ),
    "reference name with a dot": (
        [noop("a.b"), task("t", inputParameters={"x": "${a.b.output.x}"})],
        [
            (
                "tasks[1].inputParameters.x: the server cannot find 'a.b' in ${a.b.output.x}: give the task a"
                " reference name without dots, blanks, brackets and $"
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
            "tasks[0].evaluatorType: a SWITCH needs an evaluator type: value-param, graaljs or javascript",
            "tasks[0].expression: a SWITCH needs an expression: the name of an input parameter, or a script",
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
            "tasks[0].caseValueParam: a DECISION needs caseValueParam or caseExpression",
            "tasks[0].decisionCases: a DECISION needs at least one case beside its default",
        ],
    ),
    "loop without anything": (
        [task("l", "DO_WHILE")],
        [
            "tasks[0].loopCondition: a DO_WHILE needs a loop condition; with items it may be an empty string",
            "tasks[0].loopOver: a DO_WHILE needs at least one task",
        ],
    ),
    "dynamic without a name": (
        [task("d", "DYNAMIC")],
        [
            (
                "tasks[0].dynamicTaskNameParam: a DYNAMIC task needs the name of the input parameter that names the"
                " task type to run"
            )
        ],
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
            "tasks[0].optional: a TERMINATE cannot be optional",
            (
                "tasks[0].inputParameters.terminationStatus: it must be COMPLETED, FAILED or TERMINATED, not"
                " '${workflow.input.s}'; expressions are not allowed here"
            ),
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
        ["tasks[0].sink: an EVENT needs a sink: conductor:<name>, sqs:<queue>, kafka:<topic> …"],
    ),
    "jq without a query": (
        [task("q", "JSON_JQ_TRANSFORM")],
        ["tasks[0].inputParameters.queryExpression: a JSON_JQ_TRANSFORM needs its query"],
    ),
    "wait both ways": (
        [wait(duration="5s", until="2030-01-01")],
        ["tasks[0].inputParameters: a WAIT has a duration or until, not both"],
    ),
    "an old schema": ([noop("a")], ["schemaVersion: the server only supports 2, not 1"]),
    "no workflow name": ([noop("a")], ["name: a workflow needs a name"]),
}
SETTINGS: dict[str, dict[str, Any]] = {"an old schema": {"schemaVersion": 1}, "no workflow name": {"name": ""}}


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_server_refuses_is_a_problem(case: str):
    tasks, problems = REFUSED[case]
    assert problems_of(definition(*tasks, **SETTINGS.get(case, {}))) == problems


def test_problems_are_found_at_any_depth():
    tasks = fork([loop(switch({"x": [http()], "y": [task("e", "EVENT")]}))])
    place = "tasks[0].forkTasks[0][0].loopOver[0].decisionCases"
    assert problems_of(definition(*tasks)) == [
        f"{place}['x'][0].inputParameters.http_request.uri: an HTTP request needs a URI",
        f"{place}['x'][0].inputParameters.http_request.method: an HTTP request needs a method, such as GET",
        f"{place}['y'][0].sink: an EVENT needs a sink: conductor:<name>, sqs:<queue>, kafka:<topic> …",
    ]


@pytest.mark.server
@pytest.mark.asyncio
async def test_the_server_refuses_it(server_url: str):
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
LONG_NAME = "2030-01-01 10:00 Pacific Standard Time"
TIMES = [("duration", *each) for each in DURATIONS.items()] + [("until", *each) for each in MOMENTS.items()]


@pytest.mark.parametrize(("key", "text", "readable"), TIMES)
def test_unreadable_times_of_a_wait_are_problems(key: str, text: str, readable: bool):
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


def test_a_long_zone_name_is_no_problem():
    assert problems_of(definition(wait(until=LONG_NAME))) == []


@pytest.mark.server
@pytest.mark.asyncio
@pytest.mark.only_on("server", reason="the embedded engine does not know the English names of all zones")
async def test_the_server_reads_the_long_name_of_a_zone(server_url: str):
    async with ConductorClient(server_url) as conductor:
        await conductor.metadata.validate_workflow_def(definition(wait(until=LONG_NAME)))


@pytest.mark.server
@pytest.mark.asyncio
@pytest.mark.only_on("embedded", reason="the embedded engine does not know the English names of all zones")
async def test_the_engine_refuses_the_long_name_of_a_zone(server_url: str):
    async with ConductorClient(server_url) as conductor:
        with pytest.raises(BadRequestError, match="Unable to parse date"):
            await conductor.metadata.validate_workflow_def(definition(wait(until=LONG_NAME)))


def test_a_number_is_no_duration():
    assert "the server cannot read 5;" in problems_of(definition(wait(duration=5)))[0]


# -- accepted by the server, which cannot run it ------------------------------------------------------------------

# What becomes of it: the workflow FAILED, never ends (RUNNING), or is refused when it is started (None).
WRONG: dict[str, tuple[list[Any], str | None, list[str]]] = {
    "fork without a join": (
        [fork([noop("a")])[0], noop("b")],
        "FAILED",
        ["tasks[0]: a fork must be followed by its JOIN, but 'b' follows it: the server fails such a workflow"],
    ),
    "loop straight inside a loop": (
        [loop(loop(noop("a"), ref="inner"))],
        "FAILED",
        [
            (
                "tasks[0].loopOver[0]: the server cannot run a loop straight inside a loop: put 'inner' into a workflow"
                " of its own, and a SUB_WORKFLOW task in its place"
            )
        ],
    ),
    "fork at the end": (
        [loop(fork([noop("a")])[0]), task("j", "JOIN", joinOn=["a"])],
        "FAILED",
        [
            (
                "tasks[0].loopOver[0]: a fork must be followed by its JOIN, but nothing follows it: the server fails"
                " such a workflow"
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
        ["tasks[0]: a fork must be followed by its JOIN, but nothing follows it: the server fails such a workflow"],
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
        ["tasks[0].inputParameters: 't' is missing: the fork takes its tasks or their inputs from it"],
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
        ["tasks[1].joinOn[0]: 'z' runs only after this join, which would wait for it forever"],
    ),
    "join on itself": (
        fork([noop("a")], on=["join_fork"]),
        "RUNNING",
        ["tasks[1].joinOn[0]: 'join_fork' runs only after this join, which would wait for it forever"],
    ),
    "exclusive join on nothing": (
        [noop("a"), task("j", "EXCLUSIVE_JOIN")],
        "RUNNING",
        ["tasks[1].joinOn: without it an EXCLUSIVE_JOIN never ends: name the tasks to join on"],
    ),
    "sub-workflow without a name": (
        [task("s", "SUB_WORKFLOW", subWorkflowParam={})],
        None,
        ["tasks[0].subWorkflowParam.name: a sub-workflow needs the name of a workflow, or a definition"],
    ),
    "dynamic without its input": (
        [task("d", "DYNAMIC", dynamicTaskNameParam="what")],
        "FAILED",
        ["tasks[0].inputParameters: 'what' is missing: it names the task type to run"],
    ),
    "http without a uri": (
        [http(method="GET")],
        "FAILED",
        ["tasks[0].inputParameters.http_request.uri: an HTTP request needs a URI"],
    ),
    "http without a method": (
        [http(uri=API_URL)],
        "FAILED",
        ["tasks[0].inputParameters.http_request.method: an HTTP request needs a method, such as GET"],
    ),
    "http in lower case": (
        [http(uri=API_URL, method="get")],
        "FAILED",
        ["tasks[0].inputParameters.http_request.method: the server accepts only GET, not get"],
    ),
    "kafka without a topic": (
        [task("k", "KAFKA_PUBLISH", inputParameters={"kafka_request": {"bootStrapServers": "localhost:1"}})],
        "FAILED",
        [
            "tasks[0].inputParameters.kafka_request.topic: a Kafka message needs this field",
            "tasks[0].inputParameters.kafka_request.value: a Kafka message needs this field",
        ],
    ),
    "empty sink": (
        [task("e", "EVENT", sink="")],
        "FAILED",
        ["tasks[0].sink: an EVENT needs a sink: conductor:<name>, sqs:<queue>, kafka:<topic> …"],
    ),
    "a sink that is no queue": (
        [task("e", "EVENT", sink="news")],
        "FAILED",
        [("tasks[0].sink: 'news' is no sink: use conductor:<name>, sqs:<queue>, kafka:<topic> …, or just conductor")],
    ),
    "inline without a script": (
        [calc("i", "")],
        "FAILED",
        ["tasks[0].inputParameters.expression: an INLINE needs its script"],
    ),
    "jq with an empty query": (
        [task("q", "JSON_JQ_TRANSFORM", inputParameters={"queryExpression": " "})],
        "FAILED",
        ["tasks[0].inputParameters.queryExpression: a JSON_JQ_TRANSFORM needs its query"],
    ),
    "start of nothing": (
        [task("s", "START_WORKFLOW", inputParameters={"startWorkflow": {"name": "", "input": {}}})],
        "FAILED",
        ["tasks[0].inputParameters.startWorkflow.name: a START_WORKFLOW needs the name of a workflow"],
    ),
    "expression in a loop condition": (
        [loop(noop("b"), loopCondition="$.loop.iteration < ${workflow.input.n}")],
        "FAILED",
        [
            (
                "tasks[0].loopCondition: ${workflow.input.n} is not replaced in a script: pass the value as an input"
                " parameter, and read it as $.name"
            )
        ],
    ),
    "output in a loop condition": (
        [loop(calc("b"), loopCondition="${b.output.result} < 1")],
        "FAILED",
        [
            (
                "tasks[0].loopCondition: ${b.output.result} is not replaced in a condition: write $.b.result, or pass"
                " the value as an input parameter, and read it as $.name"
            )
        ],
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_the_server_cannot_run_is_a_problem(case: str):
    tasks, _, problems = WRONG[case]
    assert problems_of(definition(*tasks)) == problems


def test_a_dynamic_task_without_a_type_is_a_problem():
    empty = task("d", "DYNAMIC", dynamicTaskNameParam="what", inputParameters={"what": ""})
    assert problems_of(definition(empty)) == [
        "tasks[0].inputParameters: 'what' is missing: it names the task type to run"
    ]


@pytest.mark.server
@pytest.mark.asyncio
@pytest.mark.parametrize("case", WRONG)
async def test_the_server_accepts_it_and_cannot_run_it(case: str, server_url: str):
    tasks, status, _ = WRONG[case]
    async with ConductorClient(server_url) as conductor:
        found = await run(conductor, *tasks, n=2)
        assert (found and found.status) == status


def test_only_the_first_of_a_thousand_problems_have_suggestions():
    """Looking for similar names among thousands is slow."""
    tasks = [task(f"task_{n}", inputParameters={"x": f"${{tusk_{n}.output}}"}) for n in range(1000)]
    problems = problems_of(definition(*tasks))
    assert len(problems) == 1000
    assert problems[0].endswith("there is no task 'tusk_0' for ${tusk_0.output}: did you mean 'task_0'?")
    assert [index for index, problem in enumerate(problems) if "did you mean" in problem] == list(range(20))

"""Where the sides differ: each row of docs/reference/embedded-differences.md, held to what it says of both."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from tests.contract.website import website
from tests.contract.wire import Transport, inline, row, simple, statuses, task, variables

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "embedded-differences.md"
ROW = re.compile(r"^\| ([a-z][a-z ]*) \|", re.MULTILINE)
MINUTE = 180.0
"""Seconds to wait for the server to see a new event handler: it looks every minute, and may be busy."""


@pytest.fixture
def embedded(wire: Transport, request: pytest.FixtureRequest) -> bool:
    """Whether the side is the embedded one."""
    del wire
    return request.node.callspec.params["wire"] == "embedded"


def test_each_row_has_a_test() -> None:
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    named = [row for row in rows if row != "name"]
    tests = {name.removeprefix("test_") for name in globals() if name.startswith("test_")} - {"each_row_has_a_test"}
    assert len(named) == len(set(named))
    assert {name.replace(" ", "_") for name in named} == tests


# -- what happens when ---------------------------------------------------------------------------


@pytest.mark.anyio
async def test_background(wire: Transport, embedded: bool) -> None:
    fork = task("FORK_JOIN", "f", forkTasks=[[task("NOOP", "a")], [task("NOOP", "b")]])
    definition = wire.definition(fork, task("JOIN", "j", joinOn=["a", "b"]))
    workflow_id = await wire.start(definition["name"], workflowDef=definition)
    if embedded:
        assert (await wire.execution(workflow_id))["status"] == "COMPLETED"
    assert (await wire.ended(workflow_id))["status"] == "COMPLETED"


@pytest.mark.anyio
async def test_timeouts(wire: Transport, embedded: bool) -> None:
    workflow_id = await _with_a_silent_task(wire)
    await wire.sleep(1)
    if embedded:
        assert row(await wire.execution(workflow_id), "a")["status"] == "TIMED_OUT"
    late = row(await wire.until(workflow_id, _has_timed_out), "a")
    took = late["endTime"] - late["startTime"]
    assert took == 1000 if embedded else took >= 1000


@pytest.mark.anyio
async def test_second_timeout(wire: Transport, embedded: bool) -> None:
    workflow_id = await _with_a_silent_task(wire, retryCount=1)
    await wire.until(workflow_id, _has_timed_out)
    await wire.next(row(await wire.execution(workflow_id), "a")["taskType"])
    await wire.sleep(4)
    status = row(await wire.execution(workflow_id), "a")["status"]
    assert status == ("TIMED_OUT" if embedded else "IN_PROGRESS")
    if not embedded:
        await wire.delete("workflow", workflow_id)


async def _with_a_silent_task(wire: Transport, **fields: Any) -> str:
    """An execution with a task that should be heard of every second, and was polled just now."""
    work = await wire.task_type(responseTimeoutSeconds=1, **fields)
    workflow_id = await wire.start(await wire.workflow(simple(work, "a")))
    await wire.next(work)
    return workflow_id


def _has_timed_out(execution: Any) -> bool:
    return bool(execution["tasks"][0]["status"] == "TIMED_OUT")


@pytest.mark.anyio
async def test_jitter(wire: Transport, embedded: bool) -> None:
    work = await wire.task_type(retryCount=20, backoffJitterMs=999)
    workflow_id = await wire.start(await wire.workflow(simple(work, "a")))
    at_once = []
    for _ in range(5):
        await wire.work(work, "FAILED")
        at_once.append(await wire.poll(work))
        await wire.update(at_once[-1] or await wire.next(work), "FAILED")
        await wire.sleep(1)
    assert (None in at_once) is embedded
    await wire.delete("workflow", workflow_id)


@pytest.mark.anyio
async def test_concurrency(wire: Transport, embedded: bool) -> None:
    work = await wire.task_type(concurrentExecLimit=1)
    name = await wire.workflow(simple(work, "a"))
    one, other = [await wire.start(name) for _ in range(2)]
    first = await wire.next(work)
    assert await wire.poll(work) is None
    await wire.update(first)
    second = await wire.poll(work)
    if embedded:
        assert second is not None
    for workflow_id in (one, other):
        await wire.call("DELETE", "workflow", workflow_id)


@pytest.mark.anyio
async def test_long_waits(wire: Transport, embedded: bool) -> None:
    definition = wire.definition(
        task("WAIT", "long", inputParameters={"duration": "24855 days"}),
        task("WAIT", "longer", inputParameters={"duration": "24856 days"}),
    )
    workflow_id = await wire.start(definition["name"], workflowDef=definition)
    assert row(await wire.execution(workflow_id), "long")["callbackAfterSeconds"] == 24855 * 86400
    await wire.post("tasks", workflow_id, "long", "COMPLETED", body={})
    if not embedded:
        assert (await wire.ended(workflow_id))["status"] == "COMPLETED"
        return
    assert row(await wire.execution(workflow_id), "longer")["callbackAfterSeconds"] == 24856 * 86400
    await wire.sleep(24855 * 86400)
    assert (await wire.execution(workflow_id))["status"] == "RUNNING"
    await wire.sleep(86400)
    assert (await wire.execution(workflow_id))["status"] == "COMPLETED"


@pytest.mark.anyio
async def test_endless_loops(wire: Transport, embedded: bool) -> None:
    if not embedded:
        pytest.skip("such a loop keeps a processor of the server busy until it is stopped")
    loop = task("DO_WHILE", "d", loopCondition="true", loopOver=[task("NOOP", "n")])
    definition = wire.definition(loop, name=wire.new("endless"))
    workflow_id = await wire.start(definition["name"], workflowDef=definition)
    assert (await wire.execution(workflow_id))["status"] == "RUNNING"
    await wire.delete("workflow", workflow_id)
    assert (await wire.execution(workflow_id))["status"] == "TERMINATED"


@pytest.mark.anyio
async def test_nested_loops(wire: Transport, embedded: bool) -> None:
    if not embedded:
        pytest.skip("such a loop keeps a processor of the server busy until it is stopped")
    inner = task("DO_WHILE", "i", loopCondition="false", loopOver=[task("HUMAN", "h"), task("NOOP", "n")])
    outer = task("DO_WHILE", "o", loopCondition="$.o.iteration < 2", loopOver=[inner])
    workflow_id = await wire.start(await wire.workflow(outer))
    for _ in range(4):
        await wire.call("POST", "tasks", workflow_id, "h", "COMPLETED", body={})
    assert len((await wire.execution(workflow_id))["tasks"]) < 12


# -- races in the server -------------------------------------------------------------------------


def _fork(*branches: list[Any]) -> dict[str, Any]:
    return task("FORK_JOIN", "f", forkTasks=list(branches))


def _join(*on: str) -> dict[str, Any]:
    return task("JOIN", "j", joinOn=list(on))


@pytest.mark.anyio
async def test_branches(wire: Transport, embedded: bool) -> None:
    one, two = await wire.task_type(), await wire.task_type()
    inner = [{**_fork([simple(one, "a")]), "taskReferenceName": "g"}, {**_join("a"), "taskReferenceName": "k"}]
    branches = _fork([*inner, variables("v", who="one")], [simple(two, "b"), variables("w", who="two")])
    workflow_id = await wire.start(await wire.workflow(branches, _join("v", "w")))
    await wire.work(one)
    await wire.work(two)
    execution = await wire.ended(workflow_id)
    assert execution["variables"]["who"] in ({"two"} if embedded else {"one", "two"})


@pytest.mark.anyio
async def test_join_of_a_failure(wire: Transport, embedded: bool) -> None:
    one, two = await wire.task_type(), await wire.task_type()
    name = await wire.workflow(_fork([simple(one, "a")], [simple(two, "b")]), _join("a", "b"))
    workflow_id = await wire.start(name)
    await wire.work(one, "FAILED_WITH_TERMINAL_ERROR")
    execution = await wire.ended(workflow_id)
    ended = {"FAILED", "CANCELED"}
    assert execution["status"] == "FAILED"
    assert row(execution, "j")["status"] in (ended if embedded else {*ended, "IN_PROGRESS"})


@pytest.mark.anyio
async def test_early_join(wire: Transport, embedded: bool) -> None:
    again, optional = await wire.task_type(retryCount=1), await wire.task_type()
    branches = _fork([simple(again, "a")], [simple(optional, "b", optional=True)])
    workflow_id = await wire.start(await wire.workflow(branches, _join("a", "b")))
    await wire.work(again, "FAILED")
    try:
        await wire.work(optional, "FAILED")
    except AssertionError:  # the JOIN was early, and its failure has cancelled the task: one of the outcomes below
        assert not embedded
    if embedded or (await wire.execution(workflow_id))["status"] == "RUNNING":
        await wire.post("tasks", workflow_id, "a", "COMPLETED", body={})
    execution = await wire.ended(workflow_id)
    outcome = execution["status"], row(execution, "j")["status"]
    joined = {("COMPLETED", "COMPLETED_WITH_ERRORS")}
    early = {("COMPLETED", "COMPLETED"), ("FAILED", "FAILED"), ("FAILED", "CANCELED"), ("FAILED", "IN_PROGRESS")}
    assert outcome in (joined if embedded else joined | early)


@pytest.mark.anyio
async def test_join_of_progress(wire: Transport, embedded: bool) -> None:
    work = await wire.task_type()
    workflow_id = await wire.start(await wire.workflow(_fork([simple(work, "a")]), _join("a")))
    await wire.work(work, "IN_PROGRESS", {"half": 1})
    await wire.work(work)
    output = row(await wire.ended(workflow_id), "j")["outputData"]
    kept = {"a": {"half": 1}}
    assert output in ([kept] if embedded else [kept, {}])


@pytest.mark.anyio
async def test_executed(wire: Transport, embedded: bool) -> None:
    child = wire.definition(task("NOOP", "n"))
    param = {"name": child["name"], "version": 1, "workflowDefinition": child}
    inside = task("SUB_WORKFLOW", "s", subWorkflowParam=param, inputParameters={"x": 1})
    execution = await wire.run(_fork([inside]), _join("s"))
    assert row(execution, "s")["executed"] in ({True} if embedded else {True, False})


@pytest.mark.anyio
async def test_last_look(wire: Transport, embedded: bool) -> None:
    execution = await wire.run(task("EVENT", "e", sink="nothing:ev", optional=True))
    assert execution["status"] == "COMPLETED"
    assert row(execution, "e")["status"] in ({"FAILED"} if embedded else {"FAILED", "IN_PROGRESS"})


@pytest.mark.anyio
async def test_awaited_task(wire: Transport, embedded: bool) -> None:
    work = await wire.task_type()
    name = await wire.workflow(simple(work, "a"))
    params = {"waitUntilTaskRef": "a", "waitForSeconds": 10}
    runs: list[Any] = []

    async def wait() -> None:
        runs.append(await wire.post("workflow", "execute", name, "1", body={"name": name, "input": {}}, **params))

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        await wire.work(work, "FAILED")
    (run,) = runs
    assert run["status"] in ({"FAILED"} if embedded else {"FAILED", "RUNNING"})
    assert (await wire.ended(run["workflowId"]))["status"] == "FAILED"


# -- what a request says -------------------------------------------------------------------------


@pytest.mark.anyio
async def test_empty_log_lines(wire: Transport, embedded: bool) -> None:
    workflow_id = await wire.start(await wire.workflow(task("HUMAN", "h")))
    human = row(await wire.execution(workflow_id), "h")
    result = {"workflowInstanceId": workflow_id, "taskId": human["taskId"], "status": "COMPLETED"}
    await wire.refused("POST", "tasks", body={**result, "logs": [None]})
    execution = await wire.execution(workflow_id)
    assert (execution["status"], row(execution, "h")["status"]) == (
        "RUNNING",
        "IN_PROGRESS" if embedded else "COMPLETED",
    )
    await wire.delete("workflow", workflow_id)


@pytest.mark.anyio
async def test_dots_in_uris(wire: Transport, embedded: bool) -> None:
    with website() as url:
        given = task("HTTP", "h", inputParameters={"uri": f"{url}/a/../b/./c", "method": "PUT"})
        response = row(await wire.run(given), "h")["outputData"]["response"]
    assert response["body"]["path"] == ("/b/c" if embedded else "/a/../b/./c")


# -- what is not in one process ------------------------------------------------------------------


@pytest.mark.anyio
async def test_event_handlers(wire: Transport, embedded: bool) -> None:
    event = task("EVENT", "e", sink="conductor:ev")
    name = await wire.workflow(event)
    started = await _started_by(wire, f"conductor:{name}:ev")
    await wire.start(name)
    if embedded:
        assert await started() == 1
    limit = wire.now() + MINUTE
    while await started() == 0:
        assert wire.now() < limit
        await wire.sleep(1)


async def _started_by(wire: Transport, event: str) -> Callable[[], Awaitable[int]]:
    """Has an event start a workflow; counts how often it has."""
    target = await wire.workflow(task("NOOP", "n"))
    action = {"action": "start_workflow", "start_workflow": {"name": target, "version": 1, "input": {}}}
    handler = {"name": wire.new("handler"), "event": event, "actions": [action], "active": True}
    await wire.post("event", body=handler)

    async def count() -> int:
        found = await wire.get("workflow", "search", query=f"workflowType={target}")
        return int(found["totalHits"])

    return count


@pytest.mark.anyio
async def test_outside_events(wire: Transport, embedded: bool) -> None:
    failed = row(await wire.run(task("EVENT", "e", sink="sqs:ev")), "e")
    assert failed["status"] == "FAILED"
    says = "The embedded engine publishes only to conductor queues" if embedded else "Unknown queue type sqs"
    assert says in failed["reasonForIncompletion"]


@pytest.mark.anyio
async def test_services(wire: Transport, embedded: bool) -> None:
    request = {"topic": "t", "value": "v", "bootStrapServers": "nowhere"}
    execution = await wire.run(task("KAFKA_PUBLISH", "k", inputParameters={"kafka_request": request}))
    failed = row(execution, "k")
    assert execution["status"] == "FAILED"
    assert failed["status"] == ("FAILED_WITH_TERMINAL_ERROR" if embedded else "FAILED")
    says = "The embedded engine does not run KAFKA_PUBLISH" if embedded else "Failed to invoke kafka task"
    assert failed["reasonForIncompletion"].startswith(says)


@pytest.mark.anyio
async def test_messages(wire: Transport) -> None:
    workflow_id = await wire.start(await wire.workflow(task("HUMAN", "h")))
    answer = await wire.call("POST", "workflow", workflow_id, "messages", body={"a": 1})
    assert answer.status_code == 200  # the server of the tests has its message queues on; by default it has not
    await wire.delete("workflow", workflow_id)


@pytest.mark.anyio
async def test_outside_payloads(wire: Transport, embedded: bool) -> None:
    workflow_id = await wire.start(await wire.workflow(task("HUMAN", "h")))
    human = row(await wire.execution(workflow_id), "h")
    result = {"workflowInstanceId": workflow_id, "taskId": human["taskId"], "status": "COMPLETED"}
    await wire.refused("POST", "tasks", body=result | {"externalOutputPayloadStoragePath": "out/1.json"})
    answer = await wire.call("DELETE", "workflow", workflow_id)
    status = (await wire.execution(workflow_id))["status"]
    assert (answer.status_code, status) == ((200, "TERMINATED") if embedded else (500, "RUNNING"))


# -- what Java brings along ----------------------------------------------------------------------


@pytest.mark.anyio
async def test_objects_in_scripts(wire: Transport, embedded: bool) -> None:
    found = await _scripts(wire, "Object.keys($.o).join()", "JSON.stringify($.o)", "'a' in $.o", "$.o.a", o={"a": 1})
    keys, text, is_in, value = found
    assert value == 1
    assert (text, is_in) == (('{"a":1}', True) if embedded else ("{}", False))
    assert keys == "a" if embedded else "entrySet" in keys


@pytest.mark.anyio
async def test_status_in_scripts(wire: Transport, embedded: bool) -> None:
    scripts = ("$.s == 'RUNNING'", "$.s === 'RUNNING'", "'' + $.s", "$.s.length")
    found = await _scripts(wire, *scripts, s="${workflow.status}")
    assert found == [True, embedded, "RUNNING", 7 if embedded else None]


@pytest.mark.anyio
async def test_words_of_scripts(wire: Transport, embedded: bool) -> None:
    execution = await wire.run({**inline("js", "$."), "optional": True}, _query("jq", "."), _query("bad", ".["))
    assert statuses(execution) == {"js": "COMPLETED_WITH_ERRORS", "jq": "COMPLETED", "bad": "FAILED"}
    assert ("Expected ident but found eof" in row(execution, "js")["reasonForIncompletion"]) is not embedded
    assert ("Was expecting one of" in row(execution, "bad")["reasonForIncompletion"]) is not embedded


@pytest.mark.anyio
@pytest.mark.thorough
async def test_python(wire: Transport, embedded: bool) -> None:
    script = task("INLINE", "p", inputParameters={"evaluatorType": "python", "expression": "1 + 1"})
    definition = wire.definition(script)
    request = {"name": definition["name"], "workflowDef": definition, "input": {}}
    answer = await wire.http.post("/workflow", json=request, timeout=300)  # the first one brings up the interpreter
    done = row(await wire.ended(answer.text), "p")
    if embedded:
        assert "no evaluator 'python'" in done["reasonForIncompletion"]
    else:
        assert (done["status"], done["outputData"]) == ("COMPLETED", {"result": None})


@pytest.mark.anyio
async def test_zone_names(wire: Transport, embedded: bool) -> None:
    wait = task("WAIT", "w", inputParameters={"until": "2020-02-03 04:05 Pacific Standard Time"})
    definition = wire.definition(wait)
    request = {"name": definition["name"], "workflowDef": definition, "input": {}}
    if embedded:
        error = await wire.refused("POST", "workflow", body=request)
        assert error["validationErrors"][0]["message"].startswith("Unable to parse date")
    else:
        assert (await wire.ended(await wire.post("workflow", body=request)))["status"] == "COMPLETED"


@pytest.mark.anyio
async def test_java_names(wire: Transport, embedded: bool) -> None:
    case = task("SWITCH", "s", evaluatorType="value-param", expression="x", inputParameters={"x": "a"})
    case["decisionCases"] = {"a": [variables("v", vendor="${java.vendor}")]}  # not looked at where it is inside
    vendor = (await wire.run(case))["variables"]["vendor"]
    assert vendor is None if embedded else isinstance(vendor, str)


async def _scripts(wire: Transport, *scripts: str, **given: Any) -> list[Any]:
    """The results of scripts over the same input."""
    execution = await wire.run(*(inline(f"s{at}", script, **given) for at, script in enumerate(scripts)))
    assert execution["status"] == "COMPLETED", execution["reasonForIncompletion"]
    return [row(execution, f"s{at}")["outputData"]["result"] for at in range(len(scripts))]


def _query(ref: str, query: str) -> dict[str, Any]:
    return task("JSON_JQ_TRANSFORM", ref, inputParameters={"queryExpression": query})

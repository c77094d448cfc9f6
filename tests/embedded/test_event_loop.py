"""What a definition computes does not hold the event loop, and does not stop other executions."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

from conductor_async import ConductorWorkflow
from conductor_async.errors import ConflictError
from conductor_async.tasks import NoopTask

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from conductor_async.embedded import EmbeddedConductor

pytestmark = pytest.mark.anyio

NOOP = {"name": "noop", "taskReferenceName": "noop", "type": "NOOP"}
# Each is longer than a slice of time, so that it is continued later.
SLOW = "const end = Date.now() + 300; while (Date.now() < end);"


class Heartbeat:
    """Counts how often the loop came round, and for how long it did not."""

    def __init__(self) -> None:
        self.beats = 0
        self.longest = 0.0
        self.began = time.monotonic()

    async def run(self) -> None:
        while True:
            before = time.monotonic()
            await anyio.sleep(0.001)
            self.beats += 1
            self.longest = max(self.longest, time.monotonic() - before)

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.began


@asynccontextmanager
async def heartbeat() -> AsyncIterator[Heartbeat]:
    async with anyio.create_task_group() as group:
        beating = Heartbeat()
        group.start_soon(beating.run)
        await anyio.sleep(0.01)
        yield beating
        group.cancel_scope.cancel()


def http_of(embedded: EmbeddedConductor) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=embedded.transport, base_url=embedded.url, timeout=30)


async def start(embedded: EmbeddedConductor, *tasks: dict[str, Any], **workflow_input: Any) -> str:
    definition = {"name": "flow", "version": 1, "schemaVersion": 2, "ownerEmail": "a@example.com", "tasks": list(tasks)}
    response = await http_of(embedded).post(
        "/workflow", json={"name": "flow", "workflowDef": definition, "input": workflow_input}
    )
    response.raise_for_status()
    return response.text


async def ended(embedded: EmbeddedConductor, workflow_id: str) -> dict[str, Any]:
    with anyio.fail_after(60):
        while True:
            found = (await http_of(embedded).get(f"/workflow/{workflow_id}")).json()
            if found["status"] != "RUNNING":
                return dict(found)
            await anyio.sleep(0.05)


def inline(reference: str, source: str) -> dict[str, Any]:
    values = {"evaluatorType": "graaljs", "expression": source}
    return {"name": reference, "taskReferenceName": reference, "type": "INLINE", "inputParameters": values}


def loop(condition: str) -> dict[str, Any]:
    return {
        "name": "loop",
        "taskReferenceName": "loop",
        "type": "DO_WHILE",
        "loopCondition": condition,
        "loopOver": [NOOP],
    }


def switch(source: str, **fields: Any) -> dict[str, Any]:
    return {
        "name": "switch",
        "taskReferenceName": "switch",
        "type": "SWITCH",
        "evaluatorType": "graaljs",
        "expression": source,
        "decisionCases": {"one": [NOOP]},
        **fields,
    }


SUB = {"name": "sub", "taskReferenceName": "sub", "type": "START_WORKFLOW"}


@pytest.mark.parametrize(
    "endless",
    [loop("true"), loop("1 + 1 == 2"), {**SUB, "inputParameters": {"startWorkflow": {"name": "again", "version": 1}}}],
    ids=["loop", "loop with a script", "starts itself"],
)
async def test_work_without_an_end_gives_the_loop_back(embedded: EmbeddedConductor, endless: dict[str, Any]) -> None:
    again = {"name": "again", "version": 1, "schemaVersion": 2, "ownerEmail": "a@example.com", "tasks": [endless]}
    await http_of(embedded).put("/metadata/workflow", json=[again])
    async with heartbeat() as beating:
        workflow_id = await start(embedded, endless)
        await anyio.sleep(1)
        workflow = ConductorWorkflow(executor=embedded.client.executor, name="other", version=1)
        await (workflow >> NoopTask("noop")).register()
        run = await workflow.execute({})
        assert run.status == "COMPLETED"
        assert beating.beats > 10
        assert beating.longest < beating.elapsed / 1.5  # held up, it would be nearly all of it
    with suppress(ConflictError):  # one that starts itself has ended; the others have not
        await embedded.client.workflow.terminate_workflow(workflow_id)


@pytest.mark.parametrize(
    "task",
    [
        inline("script", "while (true) {}"),
        pytest.param(switch("while (true) {}"), marks=pytest.mark.thorough),
        pytest.param(loop("while (true) {}"), marks=pytest.mark.thorough),
        pytest.param(
            {
                "name": "jq",
                "taskReferenceName": "jq",
                "type": "JSON_JQ_TRANSFORM",
                "inputParameters": {"queryExpression": "def f: f; f"},
            },
            marks=pytest.mark.thorough,
        ),
    ],
    ids=["INLINE", "SWITCH", "DO_WHILE", "JSON_JQ_TRANSFORM"],
)
async def test_a_script_without_an_end_fails_and_holds_nothing_up(
    embedded: EmbeddedConductor, task: dict[str, Any]
) -> None:
    async with heartbeat() as beating:
        workflow_id = await start(embedded, task)
        other = await ended(embedded, await start(embedded, inline("quick", "1 + 1")))
        assert other["tasks"][0]["outputData"] == {"result": 2}
        found = await ended(embedded, workflow_id)
    assert found["status"] == "FAILED"
    assert "not evaluated within 4 seconds" in found["reasonForIncompletion"]
    assert beating.longest < beating.elapsed / 4


async def test_a_slow_script_has_the_result_of_a_quick_one(embedded: EmbeddedConductor) -> None:
    after = {**NOOP, "taskReferenceName": "after"}
    found = await ended(
        embedded,
        await start(embedded, inline("first", f"{SLOW} 'x'"), switch(f"{SLOW} 'one'"), after),
    )
    assert found["status"] == "COMPLETED"
    assert [task["referenceTaskName"] for task in found["tasks"]] == ["first", "switch", "noop", "after"]
    assert found["tasks"][0]["outputData"] == {"result": "x"}
    assert found["tasks"][1]["outputData"] == {"evaluationResult": ["one"], "selectedCase": "one"}
    assert found["tasks"][1]["inputData"] == {"case": "one", "hasChildren": "true"}


async def test_a_slow_choice_within_a_loop(embedded: EmbeddedConductor) -> None:
    body = [switch(f"{SLOW} 'one'", decisionCases={"one": [{**NOOP, "taskReferenceName": "inner"}]})]
    repeated = {**loop(f"{SLOW} $.loop['iteration'] < 2"), "loopOver": body}
    found = await ended(embedded, await start(embedded, repeated))
    assert found["status"] == "COMPLETED"
    names = [task["referenceTaskName"] for task in found["tasks"]]
    assert names == ["loop", "switch__1", "inner__1", "switch__2", "inner__2"]


async def test_a_slow_choice_by_a_case_expression(embedded: EmbeddedConductor) -> None:
    decision = {
        "name": "decide",
        "taskReferenceName": "decide",
        "type": "DECISION",
        "caseExpression": f"{SLOW} 'one'",
        "decisionCases": {"one": [NOOP]},
    }
    found = await ended(embedded, await start(embedded, decision))
    assert (found["status"], len(found["tasks"])) == ("COMPLETED", 2)
    assert found["tasks"][0]["outputData"] == {"caseOutput": ["one"]}


async def test_a_request_answers_when_its_script_has_ended(embedded: EmbeddedConductor) -> None:
    workflow_id = await start(embedded, inline("slow", f"{SLOW} 1"))
    assert (await http_of(embedded).get(f"/workflow/{workflow_id}")).json()["status"] == "COMPLETED"


async def test_slow_conditions_of_event_handlers(embedded: EmbeddedConductor) -> None:
    http = http_of(embedded)
    target = {"name": "target", "version": 1, "schemaVersion": 2, "ownerEmail": "a@example.com", "tasks": [NOOP]}
    (await http.put("/metadata/workflow", json=[target])).raise_for_status()
    for name, condition in (("yes", f"{SLOW} true"), ("no", f"{SLOW} false")):
        action = {"action": "start_workflow", "start_workflow": {"name": "target", "input": {"from": name}}}
        handler = {"name": name, "event": "conductor:flow:sent", "condition": condition, "active": True}
        response = await http.post("/event", json={**handler, "evaluatorType": "javascript", "actions": [action]})
        response.raise_for_status()
    send = {"name": "send", "taskReferenceName": "sent", "type": "EVENT", "sink": "conductor"}
    await ended(embedded, await start(embedded, send))
    with anyio.fail_after(30):
        while True:
            hits = (await http.get("/workflow/search?query=workflowType='target'")).json()["results"]
            if hits:
                break
            await anyio.sleep(0.05)
    await anyio.sleep(1)
    hits = (await http.get("/workflow/search?query=workflowType='target'")).json()["results"]
    assert len(hits) == 1


@pytest.mark.parametrize(
    "path",
    [
        "l[?(@.s =~ /^(a+)+$/)]",
        "l[?(@.s =~ /(a|aa)+b?c/)]",
        "l[?(@.s =~ /a*a*a*a*a*a*c/)]",
        "l[?(@.s =~ /(.*)\\1\\1c/)]",
        "l[-1000000000000:2]",
        ".*..*..*..*..*",
        "l[?(@.n == $.workflow.input..n.sum())]",
        "l[?($.workflow.input == $.workflow.input)]",
    ],
)
async def test_paths_that_take_too_long_are_null(
    embedded: EmbeddedConductor, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [{"s": "a" * 40 + "b", "n": number, "deep": {"d": [{"e": [1, 2, 3]}] * 5}} for number in range(400)]
    task = {"name": "set", "taskReferenceName": "set", "type": "SET_VARIABLE"}
    bombs = {f"v{number}": f"${{workflow.input.{path}}}" for number in range(20)}
    async with heartbeat() as beating:
        with anyio.fail_after(30):
            workflow_id = await start(
                embedded, {**task, "inputParameters": {**bombs, "plain": "${workflow.input.l[0].n}"}}, l=rows
            )
            found = await ended(embedded, workflow_id)
        await anyio.sleep(0.01)
    assert beating.longest < 10
    assert found["status"] == "COMPLETED"
    assert found["variables"]["plain"] == 0
    assert found["variables"]["v0"] is None
    assert "takes too long to evaluate" in caplog.text


@pytest.mark.parametrize(
    ("path", "value"),
    [("l[?(@.s =~ /(a|b)+/)].n", [1]), ("l[?(@.s =~ /.*a.*/i)].n", [1]), ("l[?(@.n size 1e999999999)].n", [])],
)
async def test_patterns_and_sizes(embedded: EmbeddedConductor, path: str, value: Any) -> None:
    task = {"name": "set", "taskReferenceName": "set", "type": "SET_VARIABLE"}
    rows = [{"s": "abab", "n": 1}, {"s": "xyz", "n": 2}]
    workflow_id = await start(embedded, {**task, "inputParameters": {"v": f"${{workflow.input.{path}}}"}}, l=rows)
    assert (await ended(embedded, workflow_id))["variables"]["v"] == value

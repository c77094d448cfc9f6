"""`POST /workflow/test`: a run whose tasks get their outcomes from the request."""

from __future__ import annotations

from typing import Any

import pytest

from conductor_async.engine.task_kinds.services import SERVICE_TYPES
from tests.contract.wire import Transport, row, simple, statuses, task

pytestmark = pytest.mark.anyio

INPUTS: dict[str, Any] = {
    "HTTP": {"uri": "http://127.0.0.1:9", "method": "GET"},
    "KAFKA_PUBLISH": {"kafka_request": {"topic": "t", "value": "v", "bootStrapServers": "nowhere"}},
}


async def run_test(wire: Transport, *tasks: Any, mocks: Any, **request: Any) -> Any:
    definition = wire.definition(*tasks, outputParameters={"o": "${a.output.m}"})
    body = {"name": definition["name"], "workflowDef": definition, "input": {}, "taskRefToMockOutput": mocks}
    return await wire.post("workflow", "test", body=body | request)


@pytest.mark.parametrize("kind", ["JDBC", "KAFKA_PUBLISH", "HTTP", "START_WORKFLOW", "HUMAN", "SIMPLE", "UNKNOWN"])
async def test_a_mock_takes_the_place_of_a_task(wire: Transport, kind: str) -> None:
    given = task(kind, "a", inputParameters=INPUTS.get(kind, {}))
    run = await run_test(wire, given, mocks={"a": [{"output": {"m": 1}}]})
    assert (run["status"], run["output"], statuses(run)) == ("COMPLETED", {"o": 1}, {"a": "COMPLETED"})


@pytest.mark.parametrize("kind", SERVICE_TYPES)
@pytest.mark.parametrize("wire", ["embedded"], indirect=True)  # the server's workers race for those of AI
async def test_a_mock_takes_the_place_of_a_service(wire: Transport, kind: str) -> None:
    given = task(kind, "a", inputParameters=INPUTS.get(kind, {}))
    run = await run_test(wire, given, mocks={"a": [{"output": {"m": 1}}]})
    assert (run["status"], run["output"]) == ("COMPLETED", {"o": 1})


@pytest.mark.parametrize("kind", ["JDBC", "KAFKA_PUBLISH", "HTTP", "START_WORKFLOW"])
async def test_a_task_without_a_mock_is_not_run_before_the_response(wire: Transport, kind: str) -> None:
    run = await run_test(wire, task(kind, "a", inputParameters=INPUTS.get(kind, {})), mocks={})
    assert (run["status"], statuses(run)) == ("RUNNING", {"a": "SCHEDULED"})
    await wire.call("DELETE", "workflow", run["workflowId"])


@pytest.mark.parametrize(
    "until", [{"until": "2020-01-01 00:00"}, {"until": "2099-01-01 00:00"}, {"duration": "0 seconds"}, {}]
)
async def test_a_mock_takes_the_place_of_a_wait(wire: Transport, until: dict[str, str]) -> None:
    run = await run_test(wire, task("WAIT", "a", inputParameters=until), mocks={"a": [{"output": {"m": 1}}]})
    assert (run["status"], run["output"]) == ("COMPLETED", {"o": 1})


async def test_a_wait_without_a_mock_is_open_in_the_response(wire: Transport) -> None:
    run = await run_test(wire, task("WAIT", "a", inputParameters={"until": "2020-01-01 00:00"}), mocks={})
    assert run["status"] == "RUNNING"
    assert (await wire.ended(run["workflowId"]))["status"] == "COMPLETED"  # it goes on by itself


@pytest.mark.parametrize("wire", ["embedded"], indirect=True)  # the server may respond before the child has begun
async def test_mocks_reach_into_sub_workflows(wire: Transport) -> None:
    child = wire.definition(simple("nobody", "h"), outputParameters={"m": "${h.output.x}"})
    param = {"name": child["name"], "version": 1, "workflowDefinition": child}
    inner = {"name": child["name"], "taskRefToMockOutput": {"h": [{"output": {"x": 2}}]}}
    run = await run_test(
        wire, task("SUB_WORKFLOW", "a", subWorkflowParam=param), mocks={}, subWorkflowTestRequest={"a": inner}
    )
    done = await wire.ended(run["workflowId"])
    assert (done["status"], row(done, "a")["outputData"]["m"]) == ("COMPLETED", 2)


async def test_each_attempt_takes_the_next_mock(wire: Transport) -> None:
    work = await wire.task_type(retryCount=1)
    mocks = [{"status": "FAILED", "output": {}}, {"output": {"m": 2}}]
    run = await run_test(wire, simple(work, "a"), mocks={"a": mocks})
    assert [each["status"] for each in run["tasks"]] == ["FAILED", "COMPLETED"]
    assert run["output"] == {"o": 2}

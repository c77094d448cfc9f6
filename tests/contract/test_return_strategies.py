"""What a synchronous execution or signal returns: each way in which it can end, with each return strategy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from tests.contract.wire import Transport, simple, task, variables

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx

pytestmark = pytest.mark.anyio

STRATEGIES = ("TARGET_WORKFLOW", "BLOCKING_WORKFLOW", "BLOCKING_TASK", "BLOCKING_TASK_INPUT")


@dataclass
class Ending:
    """How the request ends: with which task, whether that is in a sub-workflow, and whether the time was up."""

    ask: Callable[[Transport, dict[str, Any]], Awaitable[httpx.Response]]
    task: tuple[str, str] | None = None
    in_child: bool = False
    timeout: bool = False


ENDINGS: dict[str, Ending] = {}


def ending(**expected: Any) -> Any:
    def add(ask: Any) -> Any:
        ENDINGS[ask.__name__] = Ending(ask, **expected)
        return ask

    return add


async def _execute(wire: Transport, params: dict[str, Any], *tasks: Any, **more: Any) -> httpx.Response:
    name = await wire.workflow(*tasks)
    body = {"name": name, "input": {}}
    return await wire.call("POST", "workflow", "execute", name, "1", body=body, **params, **more)


async def _while_working(wire: Transport, work: str, status: str, request: Awaitable[httpx.Response]) -> httpx.Response:
    """Sends the request, and ends the next task of a type while it waits."""
    responses: list[httpx.Response] = []

    async def send() -> None:
        responses.append(await request)

    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(send)
            await anyio.sleep(0.1)
            await wire.work(work, status, {"o": 1})
    return responses[0]


def _child(wire: Transport, *tasks: Any) -> dict[str, Any]:
    child = wire.definition(*tasks)
    return task("SUB_WORKFLOW", "s", subWorkflowParam={"name": child["name"], "workflowDefinition": child})


# -- executions --------------------------------------------------------------------------------------


@ending()
async def it_completes(wire: Transport, params: dict[str, Any]) -> httpx.Response:
    return await _execute(wire, params, variables("v", a=1))


@ending()
async def it_fails(wire: Transport, params: dict[str, Any]) -> httpx.Response:
    return await _execute(wire, params, task("TERMINATE", "t", inputParameters={"terminationStatus": "FAILED"}))


@ending(timeout=True)
async def it_takes_longer(wire: Transport, params: dict[str, Any]) -> httpx.Response:
    return await _execute(wire, params, simple(await wire.task_type(), "a"), waitForSeconds=-1)


@ending(task=("w", "IN_PROGRESS"))
async def a_wait_blocks(wire: Transport, params: dict[str, Any]) -> httpx.Response:
    return await _execute(wire, params, task("WAIT", "w"))


@ending(timeout=True)
async def a_wait_has_a_time(wire: Transport, params: dict[str, Any]) -> httpx.Response:
    timed = task("WAIT", "w", inputParameters={"duration": "1 hour"})
    return await _execute(wire, params, timed, waitForSeconds=-1)


@ending(task=("w", "IN_PROGRESS"), in_child=True)
async def a_wait_blocks_a_sub_workflow(wire: Transport, params: dict[str, Any]) -> httpx.Response:
    return await _execute(wire, params, _child(wire, task("WAIT", "w")))


@ending(task=("a", "COMPLETED"))
async def the_awaited_task_completes(wire: Transport, params: dict[str, Any]) -> httpx.Response:
    work, later = await wire.task_type(), await wire.task_type()
    request = _execute(wire, params, simple(work, "a"), simple(later, "b"), waitUntilTaskRef="b,a")
    return await _while_working(wire, work, "COMPLETED", request)


@ending(task=("a", "FAILED"))
async def the_awaited_task_fails(wire: Transport, params: dict[str, Any]) -> httpx.Response:
    work = await wire.task_type()
    return await _while_working(wire, work, "FAILED", _execute(wire, params, simple(work, "a"), waitUntilTaskRef="a"))


@ending(task=("a", "COMPLETED"), in_child=True)
async def the_awaited_task_is_in_a_sub_workflow(wire: Transport, params: dict[str, Any]) -> httpx.Response:
    work, later = await wire.task_type(), await wire.task_type()
    child = _child(wire, simple(work, "a"), simple(later, "b"))
    return await _while_working(wire, work, "COMPLETED", _execute(wire, params, child, waitUntilTaskRef="a"))


@ending(task=("a__1", "COMPLETED"))
async def the_awaited_task_is_in_a_loop(wire: Transport, params: dict[str, Any]) -> httpx.Response:
    work, later = await wire.task_type(), await wire.task_type()
    loop = task("DO_WHILE", "d", loopCondition="false", loopOver=[simple(work, "a")])
    request = _execute(wire, params, loop, simple(later, "b"), waitUntilTaskRef="a__1")
    return await _while_working(wire, work, "COMPLETED", request)


@ending(task=("a", "COMPLETED"))
async def the_awaited_task_ends_the_workflow(wire: Transport, params: dict[str, Any]) -> httpx.Response:
    return await _execute(wire, params, variables("a", x=1), waitUntilTaskRef="a")


@ending(task=("a", "COMPLETED"))
async def the_awaited_task_is_before_a_wait(wire: Transport, params: dict[str, Any]) -> httpx.Response:
    return await _execute(wire, params, variables("a", x=1), task("WAIT", "w"), waitUntilTaskRef="a")


@ending(task=("w", "IN_PROGRESS"))
async def the_awaited_task_is_after_a_wait(wire: Transport, params: dict[str, Any]) -> httpx.Response:
    fork = task("FORK_JOIN", "f", forkTasks=[[task("WAIT", "w")], [variables("a", x=1)]])
    return await _execute(wire, params, fork, task("JOIN", "j", joinOn=["w", "a"]), waitUntilTaskRef="a")


@ending(timeout=True)
async def the_awaited_task_is_not_reached(wire: Transport, params: dict[str, Any]) -> httpx.Response:
    one, two = simple(await wire.task_type(), "a"), simple(await wire.task_type(), "b")
    return await _execute(wire, params, one, two, waitUntilTaskRef="b", waitForSeconds=-1)


# -- signals -----------------------------------------------------------------------------------------


async def _signal(
    wire: Transport, params: dict[str, Any], *tasks: Any, status: str = "COMPLETED", **more: Any
) -> httpx.Response:
    workflow_id = await wire.start(await wire.workflow(*tasks))
    await wire.until(workflow_id, lambda execution: execution["tasks"][-1]["status"] == "IN_PROGRESS")
    await wire.sleep(0.3)  # a sub-workflow is decided a little later
    return await wire.call("POST", "tasks", workflow_id, status, "signal", "sync", body={}, **params, **more)


@ending()
async def the_signal_completes_it(wire: Transport, params: dict[str, Any]) -> httpx.Response:
    return await _signal(wire, params, task("WAIT", "w"))


@ending()
async def the_signal_fails_it(wire: Transport, params: dict[str, Any]) -> httpx.Response:
    return await _signal(wire, params, task("WAIT", "w"), status="FAILED")


@ending(task=("w", "IN_PROGRESS"))
async def the_signal_leaves_the_wait_open(wire: Transport, params: dict[str, Any]) -> httpx.Response:
    return await _signal(wire, params, task("WAIT", "w"), status="IN_PROGRESS")


@ending(task=("x", "IN_PROGRESS"))
async def the_signal_leads_to_a_wait(wire: Transport, params: dict[str, Any]) -> httpx.Response:
    return await _signal(wire, params, task("WAIT", "w"), task("WAIT", "x"))


@ending(timeout=True)
async def the_signal_leads_to_a_worker(wire: Transport, params: dict[str, Any]) -> httpx.Response:
    return await _signal(wire, params, task("WAIT", "w"), simple(await wire.task_type(), "a"), timeoutMillis=-1)


@ending(task=("x", "IN_PROGRESS"), in_child=True)
async def the_signal_reaches_a_sub_workflow(wire: Transport, params: dict[str, Any]) -> httpx.Response:
    return await _signal(wire, params, _child(wire, task("WAIT", "w"), task("WAIT", "x")))


# -- the matrix --------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("name", ENDINGS)
async def test_what_a_synchronous_request_returns(wire: Transport, name: str, strategy: str) -> None:
    expected = ENDINGS[name]
    response = await expected.ask(wire, {"returnStrategy": strategy})
    run = response.json()
    if strategy.startswith("BLOCKING_TASK") and expected.task is None:
        assert response.status_code == 500
        assert run["message"].startswith("value" if expected.timeout else "The mapper")
        return
    assert response.status_code == 200, run
    assert (run["responseType"], run["signalTimeout"]) == (strategy, expected.timeout)
    assert run["requestId"]
    is_target = run["workflowId"] == run["targetWorkflowId"]
    assert is_target is not (expected.in_child and strategy != "TARGET_WORKFLOW")
    if strategy.startswith("BLOCKING_TASK"):
        assert (run["referenceTaskName"], run["status"]) == expected.task
        assert "tasks" not in run
    else:
        assert {"tasks", "variables"} <= run.keys()


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_a_signal_that_nobody_waits_for(wire: Transport, strategy: str) -> None:
    workflow_id = await wire.start(await wire.workflow(task("HUMAN", "h")))
    path = ("tasks", workflow_id, "COMPLETED", "signal", "sync")
    error = await wire.refused("POST", *path, body={}, returnStrategy=strategy)
    assert (error["status"], error["message"]) == (404, f"Found no blocked task in workflow {workflow_id} to signal")


async def test_a_sub_workflow_comes_where_its_task_is(wire: Transport) -> None:
    timed = task("WAIT", "t", inputParameters={"duration": "1 hour"})
    fork = task("FORK_JOIN", "f", forkTasks=[[timed], [_child(wire, task("WAIT", "x"))], [task("WAIT", "w")]])
    workflow_id = await wire.start(await wire.workflow(fork, task("JOIN", "j", joinOn=["t", "s", "w"])))
    await wire.sleep(0.5)
    path = ("tasks", workflow_id, "IN_PROGRESS", "signal", "sync")
    assert (await wire.post(*path, body={}, returnStrategy="BLOCKING_TASK"))["referenceTaskName"] == "x"

"""Running a scenario on a backend, one step at a time, so that both sides see the same order of events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.contract.wire import ENDED, Transport
from tests.fuzz.scenario import PREFIX, RUN, SITE, Scenario

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

Json = Any

_ASYNC = {"SUB_WORKFLOW", "START_WORKFLOW", "HTTP"}
_PEOPLE = {"WAIT", "HUMAN", "EVENT", "HTTP"}
"""Types of tasks that stay in progress until somebody says that they have ended."""

_OPEN = {"SCHEDULED", "IN_PROGRESS"}
_GOOD = {"SCHEDULED", "IN_PROGRESS", "COMPLETED", "SKIPPED"}
_MOST_STEPS = 120
_PATIENCE = 60
"""How often a state that should pass is looked at again."""


class StuckError(AssertionError):
    """The backend did not come to rest, or the workflow would never end."""


class ServerDefectError(Exception):
    """The server stumbled over its own feet: nothing to compare with."""


async def carry_out(wire: Transport, scenario: Scenario, prefix: str, site: str = SITE) -> Json:
    """The execution in the end, with those of its children under `children`; or the refusal to start it."""
    given = json.loads(json.dumps(scenario.to_wire()).replace(PREFIX, prefix).replace(SITE, site))
    if given["task_definitions"]:
        await wire.post("metadata", "taskdefs", body=given["task_definitions"])
    if given["workflow_definitions"]:
        answer = await wire.call("PUT", "metadata", "workflow", body=given["workflow_definitions"])
        if answer.status_code != 200:
            return _refusal(answer.json())
    definition = given["definition"]
    request = {"name": definition["name"], "version": 1, "input": given["input"], "workflowDef": definition}
    answer = await wire.call("POST", "workflow", body=request)
    if answer.status_code != 200:
        return _refusal(answer.json())
    workflow_id = answer.text
    try:
        execution = await _carried_out(wire, workflow_id, given["behaviours"])
    except StuckError:
        await wire.call("DELETE", "workflow", workflow_id)
        raise
    if execution["stuck"]:
        await wire.call("DELETE", "workflow", workflow_id)
    if _joined_too_early(execution):
        raise ServerDefectError(f"a JOIN of {workflow_id} looked at a task that was not decided on")
    return execution


async def _carried_out(wire: Transport, workflow_id: str, behaviours: Json) -> Json:
    done: dict[str, int] = {}
    refusals: list[Json] = []
    for _ in range(_MOST_STEPS):
        execution, task = await _next(wire, workflow_id)
        if task is None:
            break
        answer = await _do(wire, task, behaviours, done)
        if answer.status_code != 200:
            refusals.append(_refusal(answer.json()))
    else:
        raise StuckError(f"{_MOST_STEPS} steps were not enough for {workflow_id}")
    execution = await _with_failure_workflow(wire, execution)
    execution["refusals"] = refusals
    execution["stuck"] = execution["status"] not in ENDED
    execution["children"] = [child async for child in _children(wire, execution)]
    return execution


async def _with_failure_workflow(wire: Transport, execution: Json) -> Json:
    """The execution when its failure workflow has been started, which is somewhat later than its end."""
    for _ in range(_PATIENCE):
        if (
            execution["status"] in ("RUNNING", "COMPLETED")
            or "failureWorkflow" not in execution["workflowDefinition"]
            or "conductor.failure_workflow" in execution["output"]
        ):
            break
        await wire.sleep(wire.step)
        execution = await wire.execution(execution["workflowId"])
    return execution


def _joined_too_early(execution: Json) -> bool:
    """Whether a JOIN has looked at a task between its failure and the decision on it: a race of the server.

    It fails with a task that is to be tried again, and the next attempt is cancelled; or it joins an optional task
    without a word on its failure.
    """
    rows = {task["referenceTaskName"]: task for task in execution["tasks"]}
    for join in execution["tasks"]:
        if join["taskType"] != "JOIN":
            continue
        bad = [rows[ref] for ref in _joined(join) if ref in rows and rows[ref]["status"] not in _GOOD]
        if join["status"] == "COMPLETED" and any(task["workflowTask"]["optional"] for task in bad):
            return True
        cancelled = all(task["status"] == "CANCELED" and task["retryCount"] > 0 for task in bad)
        if join["status"] == "FAILED" and bad and cancelled:
            return True
    return any(_joined_too_early(child) for child in execution["children"])


def _refusal(error: Json) -> Json:
    return {"refused": {key: error.get(key) for key in ("status", "message", "validationErrors")}}


async def _next(wire: Transport, workflow_id: str) -> tuple[Json, Json]:
    """The execution at rest, and a task that somebody has to do; None if it has ended, or will never."""
    for _ in range(_PATIENCE):
        execution = await _at_rest(wire, workflow_id)
        if execution["status"] in ENDED:
            return execution, None
        if (task := await anext(_to_do(wire, execution), None)) is not None:
            return execution, task
        await wire.sleep(wire.step)  # it may be between two states: a server writes one after the other
    return execution, None


async def _do(wire: Transport, task: Json, behaviours: Json, done: dict[str, int]) -> httpx.Response:
    """What the worker does with the task now, and what it is told."""
    ref = task["referenceTaskName"].split("__")[0]
    outcomes = behaviours.get(ref) or behaviours.get(task["taskDefName"]) or [{"status": "COMPLETED"}]
    outcome = outcomes[done.get(ref, 0) % len(outcomes)]
    done[ref] = done.get(ref, 0) + 1
    if outcome["status"] == "IN_PROGRESS" and done[ref] > len(outcomes):
        outcome = {"status": "COMPLETED"}
    if task["taskType"] not in _PEOPLE and task["status"] == "SCHEDULED":
        await _polled(wire, task)
    result = {"workflowInstanceId": task["workflowInstanceId"], "taskId": task["taskId"], "status": outcome["status"]}
    result |= {"outputData": outcome.get("output") or {}}
    result |= {"reasonForIncompletion": outcome["reason"]} if "reason" in outcome else {}
    answer = await wire.call("POST", "tasks", body=result)
    if answer.status_code == 500 and answer.json()["message"].startswith("Cannot invoke "):
        raise ServerDefectError(answer.text)
    return answer


async def _polled(wire: Transport, task: Json) -> None:
    """Polls until that task comes; others of its type may come before it."""
    try:
        while (await wire.next(task["taskType"]))["taskId"] != task["taskId"]:
            pass
    except AssertionError as error:
        raise StuckError(str(error)) from error


async def _at_rest(wire: Transport, workflow_id: str) -> Json:
    """The execution, when nothing more happens to it by itself."""
    before = None
    for _ in range(_PATIENCE):
        execution = await wire.execution(workflow_id)
        state = _state(execution)
        if not await _moves(wire, execution) and state == before:
            return execution
        before = state
        await wire.sleep(wire.step)
    raise StuckError(f"{workflow_id} does not come to rest: {before}")


def _state(execution: Json) -> Json:
    return execution["status"], [(task["taskId"], task["status"]) for task in execution["tasks"]]


async def _moves(wire: Transport, execution: Json) -> bool:
    """Whether something is under way that needs nobody."""
    rows = {task["referenceTaskName"]: task for task in execution["tasks"]}
    if execution["status"] in ENDED:
        return False  # a JOIN may stay open for good in a workflow that has failed
    for task in execution["tasks"]:
        if task["status"] not in _OPEN:
            if task["taskType"] in ("SUB_WORKFLOW", "START_WORKFLOW") and not (task["executed"] or task["retried"]):
                return True  # what follows it is still to be decided on
            continue
        if task["taskType"] in _ASYNC and task["status"] == "SCHEDULED":
            return True
        if _ends_by_itself(task):
            return True
        if task["taskType"] == "JOIN" and _is_decided(task, rows):
            return True
        if task["taskType"] == "SUB_WORKFLOW" and task.get("subWorkflowId"):
            child = await wire.execution(task["subWorkflowId"])
            if child["status"] in ENDED or not child["tasks"] or await _moves(wire, child):
                return True
    return False


def _ends_by_itself(task: Json) -> bool:
    """Whether a task in progress is a request that will be answered, or a wait that has an end."""
    if task["taskType"] == "HTTP":
        return task["status"] == "IN_PROGRESS" and not task["workflowTask"]["asyncComplete"]
    return task["taskType"] == "WAIT" and bool(task["inputData"].keys() & {"duration", "until"})


def _joined(join: Json) -> list[str]:
    names: list[str] = join["inputData"].get("joinOn", [])
    return [f"{name}__{join['iteration']}" for name in names] if join["iteration"] > 0 else names


def _is_decided(join: Json, rows: dict[str, Json]) -> bool:
    found = [rows.get(ref) for ref in _joined(join)]
    return all(row is not None and row["status"] not in _OPEN for row in found)


async def _to_do(wire: Transport, execution: Json) -> AsyncIterator[Json]:
    """The tasks that wait for a worker or a person, those of children included."""
    for task in execution["tasks"]:
        kind = task["taskType"]
        if (task["status"] in _OPEN and kind.startswith(RUN)) or (task["status"] == "IN_PROGRESS" and kind in _PEOPLE):
            yield task
        elif task["status"] == "IN_PROGRESS" and kind == "SUB_WORKFLOW":
            async for each in _to_do(wire, await wire.execution(task["subWorkflowId"])):
                yield each


async def _children(wire: Transport, execution: Json) -> AsyncIterator[Json]:
    for task in execution["tasks"]:
        started = task["outputData"].get("workflowId") if task["taskType"] == "START_WORKFLOW" else None
        if child_id := task.get("subWorkflowId") or started:
            child = await wire.execution(child_id)
            child["children"] = [each async for each in _children(wire, child)]
            yield child

"""Running a scenario on a backend, one step at a time, so that both sides see the same order of events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.contract.wire import ENDED, Wire
from tests.fuzz.generated import PREFIX, Scenario

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Json = Any

_ASYNC = {"SUB_WORKFLOW", "START_WORKFLOW", "HTTP"}
_OPEN = {"SCHEDULED", "IN_PROGRESS"}
_MOST_STEPS = 120
_PATIENCE = 60
"""How often a state that should pass is looked at again."""


class StuckError(AssertionError):
    """The backend did not come to rest, or the workflow would never end."""


class ServerDefectError(Exception):
    """The server stumbled over its own feet: nothing to compare with."""


async def carry_out(wire: Wire, scenario: Scenario, prefix: str) -> Json:
    """The execution in the end, with those of its children under `children`; or the refusal to start it."""
    given = json.loads(json.dumps(scenario.to_wire()).replace(PREFIX, prefix))
    if given["task_definitions"]:
        await wire.post("metadata", "taskdefs", body=given["task_definitions"])
    definition = given["definition"]
    request = {"name": definition["name"], "version": 1, "input": given["input"], "workflowDef": definition}
    answer = await wire.call("POST", "workflow", body=request)
    if answer.status_code != 200:
        error = answer.json()
        return {"refused": {key: error.get(key) for key in ("status", "message", "validationErrors")}}
    workflow_id = answer.text
    done: dict[str, int] = {}
    for _ in range(_MOST_STEPS):
        execution, task = await _next(wire, workflow_id)
        if task is None:
            break
        await _do(wire, task, given["behaviours"], done)
    else:
        raise StuckError(f"{_MOST_STEPS} steps were not enough for {workflow_id}")
    execution["stuck"] = execution["status"] not in ENDED
    execution["children"] = [child async for child in _children(wire, execution)]
    return execution


async def _next(wire: Wire, workflow_id: str) -> tuple[Json, Json]:
    """The execution at rest, and a task that somebody has to do; None if it has ended, or will never."""
    for _ in range(_PATIENCE):
        execution = await _at_rest(wire, workflow_id)
        if execution["status"] in ENDED:
            return execution, None
        if (task := await anext(_to_do(wire, execution), None)) is not None:
            return execution, task
        await wire.sleep(wire.step)  # it may be between two states: a server writes one after the other
    return execution, None


async def _do(wire: Wire, task: Json, behaviours: Json, done: dict[str, int]) -> None:
    """What the worker does with the task now."""
    ref = task["referenceTaskName"].split("__")[0]
    outcomes = behaviours.get(ref) or [{"status": "COMPLETED"}]
    outcome = outcomes[done.get(ref, 0) % len(outcomes)]
    done[ref] = done.get(ref, 0) + 1
    if outcome["status"] == "IN_PROGRESS" and done[ref] > len(outcomes):
        outcome = {"status": "COMPLETED"}
    if task["taskType"] not in ("WAIT", "HUMAN"):
        polled = await wire.next(task["taskType"])
        assert polled["taskId"] == task["taskId"], f"{polled['referenceTaskName']} was polled, not {ref}"
    result = {"workflowInstanceId": task["workflowInstanceId"], "taskId": task["taskId"], "status": outcome["status"]}
    result |= {"outputData": outcome.get("output") or {}}
    result |= {"reasonForIncompletion": outcome["reason"]} if "reason" in outcome else {}
    answer = await wire.call("POST", "tasks", body=result)
    if answer.status_code == 500 and answer.json()["message"].startswith("Cannot invoke "):
        raise ServerDefectError(answer.text)
    assert answer.status_code == 200, answer.text


async def _at_rest(wire: Wire, workflow_id: str) -> Json:
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


async def _moves(wire: Wire, execution: Json) -> bool:
    """Whether something is under way that needs nobody."""
    rows = {task["referenceTaskName"]: task for task in execution["tasks"]}
    if execution["status"] in ENDED:
        return False  # a JOIN may stay open for good in a workflow that has failed
    for task in execution["tasks"]:
        if task["status"] not in _OPEN:
            continue
        if task["taskType"] in _ASYNC and task["status"] == "SCHEDULED":
            return True
        if task["taskType"] == "JOIN" and _is_decided(task, rows):
            return True
        if task["taskType"] == "SUB_WORKFLOW" and task.get("subWorkflowId"):
            child = await wire.execution(task["subWorkflowId"])
            if child["status"] in ENDED or await _moves(wire, child):
                return True
    return False


def _is_decided(join: Json, rows: dict[str, Json]) -> bool:
    found = [rows.get(ref) for ref in join["inputData"].get("joinOn", [])]
    return all(row is not None and row["status"] not in _OPEN for row in found)


async def _to_do(wire: Wire, execution: Json) -> AsyncIterator[Json]:
    """The tasks that wait for a worker or a person, those of children included."""
    for task in execution["tasks"]:
        kind = task["workflowTask"]["type"]
        if (task["status"] == "SCHEDULED" and kind in ("SIMPLE", "DYNAMIC")) or (
            task["status"] == "IN_PROGRESS" and kind in ("WAIT", "HUMAN")
        ):
            yield task
        elif task["status"] == "IN_PROGRESS" and kind == "SUB_WORKFLOW":
            async for each in _to_do(wire, await wire.execution(task["subWorkflowId"])):
                yield each


async def _children(wire: Wire, execution: Json) -> AsyncIterator[Json]:
    for task in execution["tasks"]:
        if task.get("subWorkflowId"):
            child = await wire.execution(task["subWorkflowId"])
            child["children"] = [each async for each in _children(wire, child)]
            yield child

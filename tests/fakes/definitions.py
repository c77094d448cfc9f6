"""Definitions in few words, for tests that look at many of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio

from conductor_async.models import StartWorkflowRequest, WorkflowDef

if TYPE_CHECKING:
    from conductor_async import ConductorClient

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

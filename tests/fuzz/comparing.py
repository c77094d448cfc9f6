"""What two executions of the same scenario have to agree on, and what they need not."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.fuzz.scenario import PREFIX, SITE

Json = Any

_SCRIPT_ERROR = re.compile(r"(Error evaluating the script `(?:Error: )?\w*).*", re.DOTALL)
"""What a script engine says beyond the error's own message is its own."""


_TIMES = re.compile(r'("(?:createTime|updateTime)":) \d+')


def compared(execution: Json, prefix: str, site: str = SITE) -> Json:
    """The execution with everything in it that has to be the same; ids have names."""
    found = _of_execution(execution)
    text = _TIMES.sub(r"\1 0", json.dumps(found, sort_keys=True)).replace(prefix, PREFIX).replace(site, SITE)
    for old, new in _names(execution, "workflow"):
        text = text.replace(old, new)
    return json.loads(text)


def _of_execution(execution: Json) -> Json:
    if "refused" in execution:
        return execution
    failed = execution["status"] not in ("COMPLETED", "RUNNING")
    return {
        "status": execution["status"],
        "stuck": execution.get("stuck", False),
        "refusals": execution.get("refusals", []),
        "input": execution["input"],
        "output": execution["output"] if _output_is_stable(execution) else "any",
        "variables": execution.get("variables"),
        "reason": _reason(execution),
        "failed": _failed(execution, failed),
        "tasks": [_of_task(task, execution["status"]) for task in execution["tasks"]],
        "children": [_of_execution(child) for child in execution.get("children", [])],
    }


def _of_task(task: Json, status: str) -> Json:
    found = {
        "ref": task["referenceTaskName"],
        "type": task["taskType"],
        "name": task["taskDefName"],
        "iteration": task["iteration"],
        "retry": task["retryCount"],
        "executed": task["executed"],
        "status": task["status"],
        "input": task["inputData"],
        "output": _output(task),
        "reason": _reason(task),
        "sub": "subWorkflowId" in task,
    }
    return found | dict.fromkeys(_unsure(task, status), "any")


def _unsure(task: Json, status: str) -> set[str]:
    """What of a task is not the same each time on the server itself, or what it forgets."""
    kind = task["taskType"]
    if kind == "JOIN" and status not in ("COMPLETED", "RUNNING"):
        return {"executed", "status", "output", "reason"}  # it is looked at before the workflow's end or after
    if kind == "SUB_WORKFLOW":
        return {"executed"}  # the parent's decision comes before the look at a JOIN or after
    if kind == "EVENT" and task["workflowTask"]["optional"] and status == "COMPLETED" and not task["executed"]:
        return {"status", "reason"}  # as the last task its failure is not stored
    return set()


def _failed(execution: Json, failed: bool) -> list[str]:
    """What has failed, without the JOINs that may have failed or not."""
    unsure = {task["referenceTaskName"] for task in execution["tasks"] if failed and task["taskType"] == "JOIN"}
    return sorted(set(execution.get("failedReferenceTaskNames", [])) - unsure)


def _output_is_stable(execution: Json) -> bool:
    """Without output parameters it is the last task's output: that of a JOIN which lost or won the race."""
    last = execution["tasks"][-1] if execution["tasks"] else None
    raced = last is not None and last["taskType"] == "JOIN" and execution["status"] not in ("COMPLETED", "RUNNING")
    return not raced or bool(execution["workflowDefinition"].get("outputParameters"))


def _output(task: Json) -> Json:
    output = dict(task["outputData"])
    if "error" in output:
        output["error"] = "any"  # the script engine's own words
    return output


def _reason(of: Json) -> str | None:
    reason = of.get("reasonForIncompletion")
    return None if reason is None else _SCRIPT_ERROR.sub(r"\1", reason)


def _names(execution: Json, path: str) -> list[tuple[str, str]]:
    """Each id with a name that is the same on both sides."""
    if "refused" in execution:
        return []
    found = [(execution["workflowId"], path)]
    if after := execution["output"].get("conductor.failure_workflow"):
        found.append((after, f"{path}/after"))
    for task in execution["tasks"]:
        found.append((task["taskId"], f"{path}/{task['referenceTaskName']}#{task['retryCount']}"))
        if task["taskType"] == "START_WORKFLOW" and task["outputData"].get("workflowId"):
            found.append((task["outputData"]["workflowId"], f"{path}/{task['referenceTaskName']}/started"))
    for at, child in enumerate(execution.get("children", [])):
        found += _names(child, f"{path}/child{at}")
    return found

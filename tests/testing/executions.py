"""Executions as a server shows them, with what a test is about and nothing else."""

from __future__ import annotations

from typing import Any

from conductor_async.models import Workflow


def execution(*tasks: dict[str, Any], **fields: Any) -> Workflow:
    wire = {"workflowId": "w-1", "workflowName": "orders", "workflowVersion": 3, "status": "RUNNING", **fields}
    return Workflow.model_validate({**wire, "tasks": [{"seq": at, **each} for at, each in enumerate(tasks, 1)]})


def task(ref: str, kind: str = "SIMPLE", status: str = "COMPLETED", **fields: Any) -> dict[str, Any]:
    """`inside` are the tasks in it, by the field of the definition: `{"loopOver": […]}`."""
    name = fields.pop("name", ref.split("__")[0])
    definition = {"name": name, "taskReferenceName": ref.split("__")[0], "type": kind, **fields.pop("inside", {})}
    return {
        "referenceTaskName": ref,
        "taskType": name if kind == "SIMPLE" else kind,
        "taskDefName": name,
        "status": status,
        "taskId": f"id of {ref}",
        "workflowTask": definition,
        **fields,
    }


def inner(ref: str, kind: str = "SIMPLE") -> dict[str, Any]:
    return {"name": ref, "taskReferenceName": ref, "type": kind}

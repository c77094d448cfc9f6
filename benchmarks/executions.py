"""Executions as a real server sends them, made deterministically: `execution(13)` is 50 KB, `execution(50)` 190 KB.

The fields, their order and their defaults are those of recorded answers of a 3.32 server: every task carries the task
of its definition and, twice, the task's own definition; the whole workflow definition is embedded beside them.
"""

from __future__ import annotations

import json
from typing import Any

START_TIME = 1_795_417_804_493  # epoch milliseconds, like every time on this wire
NAME = "order_fulfilment"


def execution_id(tasks: int, serial: int = 0) -> str:
    """The id of an execution with so many tasks: shaped like a UUID, and the null server can read the size from it."""
    return f"{serial:08x}-0000-4000-8000-{tasks:012d}"


def start_request() -> dict[str, Any]:
    """What the benchmarks send to start a workflow: about 400 bytes, without nulls."""
    return {"name": NAME, "version": 1, "correlationId": "order-4711", "input": _payload(3), "priority": 3}


def _payload(number: int) -> dict[str, Any]:
    return {
        "order": {"id": f"ord-{number:06d}", "total": 129.95 + number, "currency": "EUR", "paid": number % 2 == 0},
        "customer": {"name": "Zoë Grünwald", "tags": ["returning", "newsletter", f"segment-{number % 7}"], "age": 41},
        "items": [{"sku": f"SKU-{number}-{item}", "quantity": item + 1, "price": 19.99} for item in range(2)],
        "note": None,
    }


def _task_definition(number: int) -> dict[str, Any]:
    return {
        "createTime": START_TIME - 9_000 + number,
        "updateTime": 0,
        "createdBy": "",
        "name": f"fulfil_step_{number}",
        "retryCount": 3,
        "timeoutSeconds": 0,
        "inputKeys": [],
        "outputKeys": [],
        "runtimeMetadata": [],
        "timeoutPolicy": "TIME_OUT_WF",
        "retryLogic": "FIXED",
        "retryDelaySeconds": 60,
        "responseTimeoutSeconds": 3600,
        "inputTemplate": {},
        "rateLimitPerFrequency": 0,
        "rateLimitFrequencyInSeconds": 1,
        "backoffScaleFactor": 1,
        "maxRetryDelaySeconds": 0,
        "backoffJitterMs": 0,
        "totalTimeoutSeconds": 0,
        "taskStatusListenerEnabled": True,
        "enforceSchema": False,
    }


def _workflow_task(number: int) -> dict[str, Any]:
    source = "workflow.input" if number == 0 else f"step_{number - 1}_ref.output"
    return {
        "name": f"fulfil_step_{number}",
        "taskReferenceName": f"step_{number}_ref",
        "inputParameters": {"order": f"${{{source}.order}}", "customer": "${workflow.input.customer}"},
        "type": "SIMPLE",
        "decisionCases": {},
        "defaultCase": [],
        "forkTasks": [],
        "startDelay": 0,
        "joinOn": [],
        "optional": False,
        "taskDefinition": _task_definition(number),
        "defaultExclusiveJoinTask": [],
        "asyncComplete": False,
        "loopOver": [],
        "onStateChange": {},
        "permissive": False,
        "metadata": {},
    }


def task(number: int, workflow_id: str, status: str = "COMPLETED") -> dict[str, Any]:
    """One executed task, as it stands in `tasks` of an execution and as a poll brings it."""
    scheduled = START_TIME + 50 * number
    return {
        "taskType": f"fulfil_step_{number}",
        "status": status,
        "inputData": _payload(number),
        "referenceTaskName": f"step_{number}_ref",
        "retryCount": 0,
        "seq": number + 1,
        "pollCount": 1,
        "taskDefName": f"fulfil_step_{number}",
        "scheduledTime": scheduled,
        "startTime": scheduled + 12,
        "endTime": scheduled + 41 if status == "COMPLETED" else 0,
        "updateTime": scheduled + 40,
        "startDelayInSeconds": 0,
        "retried": False,
        "executed": status == "COMPLETED",
        "callbackFromWorker": True,
        "responseTimeoutSeconds": 3600,
        "workflowInstanceId": workflow_id,
        "workflowType": NAME,
        "taskId": f"{number:08x}-1111-4111-8111-111111111111",
        "callbackAfterSeconds": 0,
        "workerId": "worker-7f5c",
        "outputData": _payload(number + 1) if status == "COMPLETED" else {},
        "workflowTask": _workflow_task(number),
        "rateLimitPerFrequency": 0,
        "rateLimitFrequencyInSeconds": 1,
        "workflowPriority": 0,
        "iteration": 0,
        "subworkflowChanged": False,
        "firstStartTime": 0,
        "executionMetadata": {"additionalContext": {}, "empty": True, "additionalContextMap": {}},
        "taskDefinition": _task_definition(number),
        "loopOverTask": False,
        "queueWaitTime": 12,
    }


def execution(tasks: int) -> dict[str, Any]:
    """A completed execution of so many tasks in sequence."""
    workflow_id = execution_id(tasks)
    end = START_TIME + 50 * tasks
    return {
        "ownerApp": "",
        "createTime": START_TIME,
        "updateTime": end,
        "status": "COMPLETED",
        "endTime": end,
        "workflowId": workflow_id,
        "tasks": [task(number, workflow_id) for number in range(tasks)],
        "correlationId": "order-4711",
        "input": _payload(0),
        "output": _payload(tasks),
        "taskToDomain": {},
        "failedReferenceTaskNames": [],
        "workflowDefinition": {
            "createTime": 0,
            "updateTime": START_TIME - 6,
            "name": NAME,
            "version": 1,
            "tasks": [_workflow_task(number) for number in range(tasks)],
            "inputParameters": ["order", "customer"],
            "outputParameters": {"order": f"${{step_{tasks - 1}_ref.output.order}}"},
            "schemaVersion": 2,
            "restartable": True,
            "workflowStatusListenerEnabled": False,
            "ownerEmail": "orders@example.com",
            "timeoutPolicy": "ALERT_ONLY",
            "timeoutSeconds": 0,
            "variables": {},
            "inputTemplate": {},
            "enforceSchema": True,
            "metadata": {},
            "maskedFields": [],
        },
        "priority": 0,
        "variables": {},
        "lastRetriedTime": 0,
        "failedTaskNames": [],
        "history": [],
        "rateLimited": False,
        "startTime": START_TIME,
        "workflowName": NAME,
        "workflowVersion": 1,
    }


def as_sent(value: Any) -> bytes:
    """JSON as the server writes it: compact, UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

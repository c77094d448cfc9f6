"""Definitions: every field of the server survives, in both directions."""

from __future__ import annotations

from typing import Any

import pytest

from conductor_async.models import (
    IdempotencyStrategy,
    RetryLogic,
    SchemaDef,
    SubWorkflowParams,
    TaskDef,
    TaskType,
    TimeoutPolicy,
    WorkflowDef,
    WorkflowTask,
    encode_json,
)

AUDIT = {"ownerApp": "app", "createTime": 1, "updateTime": 2, "createdBy": "me", "updatedBy": "you"}
SCHEMA = {"name": "s", "version": 2, "type": "AVRO", "data": {"any": [None]}, "externalRef": "ref", **AUDIT}

TASK_DEF: dict[str, Any] = {
    "name": "t",
    "description": "d",
    "retryCount": 1,
    "timeoutSeconds": 2,
    "inputKeys": ["i"],
    "outputKeys": ["o"],
    "runtimeMetadata": ["SECRET"],
    "timeoutPolicy": "RETRY",
    "retryLogic": "LINEAR_BACKOFF",
    "retryDelaySeconds": 3,
    "responseTimeoutSeconds": 4,
    "concurrentExecLimit": 5,
    "inputTemplate": {"k": None},
    "rateLimitPerFrequency": 6,
    "rateLimitFrequencyInSeconds": 7,
    "isolationGroupId": "g",
    "executionNameSpace": "n",
    "ownerEmail": "a@b.c",
    "pollTimeoutSeconds": 8,
    "backoffScaleFactor": 9,
    "maxRetryDelaySeconds": 10,
    "backoffJitterMs": 11,
    "baseType": "b",
    "totalTimeoutSeconds": 12,
    "taskStatusListenerEnabled": False,
    "inputSchema": SCHEMA,
    "outputSchema": SCHEMA,
    "enforceSchema": True,
    **AUDIT,
}

LEAF = {"name": "leaf", "taskReferenceName": "leaf"}

WORKFLOW_TASK: dict[str, Any] = {
    "name": "a",
    "taskReferenceName": "r",
    "description": "d",
    "inputParameters": {"x": None},
    "type": "SWITCH",
    "dynamicTaskNameParam": "p",
    "caseValueParam": "p",
    "caseExpression": "e",
    "scriptExpression": "e",
    "decisionCases": {"yes": [LEAF]},
    "dynamicForkJoinTasksParam": "p",
    "dynamicForkTasksParam": "p",
    "dynamicForkTasksInputParamName": "p",
    "defaultCase": [LEAF],
    "forkTasks": [[LEAF], [LEAF, LEAF]],
    "startDelay": 1,
    "subWorkflowParam": {
        "name": "child",
        "version": 2,
        "taskToDomain": {"*": "d"},
        "workflowDefinition": {"name": "child", "tasks": [LEAF]},
        "idempotencyKey": "k",
        "idempotencyStrategy": "RETURN_EXISTING",
        "priority": "${workflow.input.p}",
    },
    "joinOn": ["x"],
    "sink": "conductor",
    "optional": True,
    "taskDefinition": TASK_DEF,
    "rateLimited": True,
    "defaultExclusiveJoinTask": ["x"],
    "asyncComplete": True,
    "loopCondition": "c",
    "loopOver": [LEAF],
    "items": "${workflow.input.items}",
    "retryCount": 2,
    "evaluatorType": "javascript",
    "expression": "e",
    "onStateChange": {"onStart": [{"type": "t", "payload": {"a": None}}]},
    "joinStatus": "s",
    "cacheConfig": {"key": "k", "ttlInSecond": 3},
    "permissive": True,
    "joinMode": "ASYNC",
    "metadata": {"m": None},
}

WORKFLOW_DEF: dict[str, Any] = {
    "name": "w",
    "description": "d",
    "version": 3,
    "tasks": [WORKFLOW_TASK],
    "inputParameters": ["i"],
    "outputParameters": {"o": "${r.output}"},
    "failureWorkflow": "f",
    "failureWorkflowVersion": 4,
    "schemaVersion": 2,
    "restartable": False,
    "workflowStatusListenerEnabled": True,
    "workflowStatusListenerSink": "s",
    "ownerEmail": "a@b.c",
    "timeoutPolicy": "TIME_OUT_WF",
    "timeoutSeconds": 5,
    "variables": {"v": None},
    "inputTemplate": {"t": None},
    "rateLimitConfig": {"rateLimitKey": "k", "concurrentExecLimit": 6, "policy": "REJECT"},
    "inputSchema": SCHEMA,
    "outputSchema": SCHEMA,
    "enforceSchema": False,
    "metadata": {"m": 1},
    "cacheConfig": {"key": "k", "ttlInSecond": 7},
    "maskedFields": ["f"],
    **AUDIT,
}


@pytest.mark.parametrize(
    ("model", "full"),
    [(TaskDef, TASK_DEF), (WorkflowTask, WORKFLOW_TASK), (WorkflowDef, WORKFLOW_DEF), (SchemaDef, SCHEMA)],
)
def test_every_field_of_the_server_survives_a_round_trip(model: Any, full: dict[str, Any]) -> None:
    parsed = model.model_validate(full)
    assert parsed.to_wire() == full
    assert not parsed.model_extra  # each is a field, with a name and a type
    assert len(full) == len(model.model_fields)  # and none is missing in this test
    changed = full["name"] + " changed"
    parsed.name = changed
    assert parsed.to_wire() == full | {"name": changed}
    assert model.model_validate_json(encode_json(parsed)) == parsed


def test_sub_workflow_parameters_with_an_idempotency_strategy() -> None:
    parsed = SubWorkflowParams.model_validate({"name": "child", "idempotencyStrategy": "FAIL"})
    assert parsed.idempotency_strategy is IdempotencyStrategy.FAIL
    assert parsed.to_wire() == {"name": "child", "idempotencyStrategy": "FAIL"}
    inline = SubWorkflowParams.model_validate({"name": "c", "workflowDefinition": {"name": "c"}})
    assert isinstance(inline.workflow_definition, WorkflowDef)
    assert SubWorkflowParams(workflow_definition="${a.output.def}").workflow_definition == "${a.output.def}"


def test_defaults_are_the_servers() -> None:
    task_def = TaskDef(name="t")
    assert (task_def.retry_count, task_def.retry_delay_seconds, task_def.response_timeout_seconds) == (3, 60, 3600)
    assert (task_def.timeout_policy, task_def.retry_logic) == (TimeoutPolicy.TIME_OUT_WF, RetryLogic.FIXED)
    workflow_def = WorkflowDef(name="w")
    assert (workflow_def.version, workflow_def.schema_version, workflow_def.restartable) == (1, 2, True)
    assert (workflow_def.timeout_policy, workflow_def.enforce_schema) == (TimeoutPolicy.ALERT_ONLY, True)
    assert WorkflowTask().type is TaskType.SIMPLE


def test_deeply_nested_tasks_are_parsed() -> None:
    task = WorkflowTask.model_validate(WORKFLOW_TASK)
    for each in (task.decision_cases["yes"][0], task.default_case[0], task.fork_tasks[1][1], task.loop_over[0]):
        assert each == WorkflowTask(name="leaf", task_reference_name="leaf")
        each.description = "touched"
    sent = task.to_wire()
    touched = LEAF | {"description": "touched"}
    assert sent["decisionCases"] == {"yes": [touched]}
    assert sent["forkTasks"] == [[LEAF], [LEAF, touched]]
    assert (sent["defaultCase"], sent["loopOver"]) == ([touched], [touched])

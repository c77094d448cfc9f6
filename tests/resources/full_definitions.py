"""Definitions that use every field that the server knows."""

from __future__ import annotations

from typing import Any

SCHEMA = {"name": "s", "version": 2, "type": "JSON", "data": {"type": "object", "x": None}, "externalRef": "ref"}


def full_task_def(name: str) -> dict[str, Any]:
    """A task definition with every field, none at its default."""
    return {
        "ownerApp": "app",
        "createdBy": "ada",
        "updatedBy": "grace",
        "name": name,
        "description": "first",
        "retryCount": 5,
        "timeoutSeconds": 300,
        "inputKeys": ["a"],
        "outputKeys": ["b"],
        "runtimeMetadata": ["SECRET"],
        "timeoutPolicy": "RETRY",
        "retryLogic": "EXPONENTIAL_BACKOFF",
        "retryDelaySeconds": 3,
        "responseTimeoutSeconds": 30,
        "concurrentExecLimit": 9,
        "inputTemplate": {"k": {"n": None, "l": [1, None]}},
        "rateLimitPerFrequency": 4,
        "rateLimitFrequencyInSeconds": 8,
        "isolationGroupId": "iso",
        "executionNameSpace": "space",
        "ownerEmail": "ada@example.com",
        "pollTimeoutSeconds": 77,
        "backoffScaleFactor": 2,
        "maxRetryDelaySeconds": 60,
        "backoffJitterMs": 500,
        "baseType": "base",
        "totalTimeoutSeconds": 900,
        "taskStatusListenerEnabled": False,
        "inputSchema": SCHEMA,
        "outputSchema": SCHEMA,
        "enforceSchema": True,
    }


def simple(ref: str, **fields: Any) -> dict[str, Any]:
    return {"name": "work", "taskReferenceName": ref, "type": "SIMPLE", **fields}


def full_workflow_def(name: str) -> dict[str, Any]:
    """A workflow definition in which every field of every model is used."""
    return {
        "ownerApp": "app",
        "createdBy": "ada",
        "updatedBy": "grace",
        "name": name,
        "description": "first",
        "version": 4,
        "tasks": [
            simple(
                "all",
                description="d",
                inputParameters={"a": "${workflow.input.x}", "none": None, "deep": {"l": [None, {"k": 1}]}},
                startDelay=3,
                optional=True,
                taskDefinition=full_task_def("inner"),
                rateLimited=True,
                asyncComplete=True,
                retryCount=2,
                onStateChange={"onStart": [{"type": "event", "payload": {"p": None}}]},
                joinStatus="COMPLETED",
                cacheConfig={"key": "${a}", "ttlInSecond": 60},
                permissive=True,
                metadata={"m": {"n": None}},
            ),
            {"name": "dyn", "taskReferenceName": "dyn", "type": "DYNAMIC", "dynamicTaskNameParam": "which"},
            {
                "name": "fork",
                "taskReferenceName": "fork",
                "type": "FORK_JOIN",
                "forkTasks": [[simple("f1"), simple("f2")], [simple("f3")]],
            },
            {"name": "j", "taskReferenceName": "j", "type": "JOIN", "joinOn": ["f2", "f3"], "joinMode": "ASYNC"},
            {
                "name": "df",
                "taskReferenceName": "df",
                "type": "FORK_JOIN_DYNAMIC",
                "dynamicForkTasksParam": "tasks",
                "dynamicForkTasksInputParamName": "inputs",
                "inputParameters": {"tasks": "${workflow.input.t}", "inputs": "${workflow.input.i}"},
            },
            {"name": "dj", "taskReferenceName": "dj", "type": "JOIN"},
            {
                "name": "df2",
                "taskReferenceName": "df2",
                "type": "FORK_JOIN_DYNAMIC",
                "dynamicForkJoinTasksParam": "legacy",
                "inputParameters": {"legacy": "${workflow.input.t}"},
            },
            {"name": "dj2", "taskReferenceName": "dj2", "type": "JOIN"},
            {
                "name": "sw",
                "taskReferenceName": "sw",
                "type": "SWITCH",
                "evaluatorType": "value-param",
                "expression": "k",
                "inputParameters": {"k": "${workflow.input.k}"},
                "decisionCases": {"a": [simple("c1")], "b": []},
                "defaultCase": [simple("c2")],
            },
            {
                "name": "ej",
                "taskReferenceName": "ej",
                "type": "EXCLUSIVE_JOIN",
                "joinOn": ["c1"],
                "defaultExclusiveJoinTask": ["c2"],
            },
            {
                "name": "de",
                "taskReferenceName": "de",
                "type": "DECISION",
                "caseValueParam": "k",
                "caseExpression": "$.k",
                "inputParameters": {"k": "1"},
                "decisionCases": {"1": [simple("c3")]},
            },
            {
                "name": "la",
                "taskReferenceName": "la",
                "type": "LAMBDA",
                "scriptExpression": "return 1",
                "inputParameters": {"scriptExpression": "return 1"},
            },
            {
                "name": "sub",
                "taskReferenceName": "sub",
                "type": "SUB_WORKFLOW",
                "subWorkflowParam": {
                    "name": "child",
                    "version": 2,
                    "taskToDomain": {"*": "d"},
                    "workflowDefinition": {"name": "child", "version": 2, "tasks": [simple("s1")]},
                    "idempotencyKey": "key",
                    "idempotencyStrategy": "FAIL_ON_RUNNING",
                    "priority": 5,
                },
            },
            {"name": "ev", "taskReferenceName": "ev", "type": "EVENT", "sink": "conductor:ev"},
            {
                "name": "loop",
                "taskReferenceName": "loop",
                "type": "DO_WHILE",
                "loopCondition": "$.loop['iteration'] < 2",
                "loopOver": [simple("l1")],
                "items": "${workflow.input.items}",
            },
        ],
        "inputParameters": ["x", "t", "i"],
        "outputParameters": {"o": "${all.output.r}", "none": None},
        "failureWorkflow": "cleanup",
        "failureWorkflowVersion": 2,
        "schemaVersion": 2,
        "restartable": False,
        "workflowStatusListenerEnabled": True,
        "workflowStatusListenerSink": "sink",
        "ownerEmail": "ada@example.com",
        "timeoutPolicy": "TIME_OUT_WF",
        "timeoutSeconds": 120,
        "variables": {"v": 1, "none": None},
        "inputTemplate": {"x": {"y": None}},
        "rateLimitConfig": {"rateLimitKey": "k", "concurrentExecLimit": 3, "policy": "REJECT"},
        "inputSchema": SCHEMA,
        "outputSchema": SCHEMA,
        "enforceSchema": False,
        "metadata": {"team": "blue", "none": None},
        "cacheConfig": {"key": "k", "ttlInSecond": 30},
        "maskedFields": ["card"],
    }


def keys_of(value: Any) -> set[str]:
    """Every key at every depth."""
    if isinstance(value, dict):
        return set(value).union(*(keys_of(each) for each in value.values()))
    return set().union(*(keys_of(each) for each in value)) if isinstance(value, list) else set()

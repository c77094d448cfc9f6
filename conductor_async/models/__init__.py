"""The types that requests and responses are made of. No I/O.

This package is their only import path.
"""

from __future__ import annotations

from conductor_async.models._base import ConductorModel, JsonObject, JsonValue, Payload
from conductor_async.models._enums import (
    ActionType,
    IdempotencyStrategy,
    JoinMode,
    RateLimitPolicy,
    RetryLogic,
    SchemaType,
    TaskResultStatus,
    TaskStatus,
    TaskType,
    TimeoutPolicy,
    WorkflowStatus,
)
from conductor_async.models._events import (
    Action,
    EventHandler,
    StartWorkflow,
    TaskDetails,
    TerminateWorkflow,
    UpdateWorkflowVariables,
)
from conductor_async.models._executions import Workflow, WorkflowState
from conductor_async.models._json import encode_json
from conductor_async.models._metadata import (
    CacheConfig,
    RateLimitConfig,
    SchemaDef,
    StateChangeEvent,
    SubWorkflowParams,
    TaskDef,
    WorkflowDef,
    WorkflowDefSummary,
    WorkflowTask,
)
from conductor_async.models._requests import (
    RerunWorkflowRequest,
    SkipTaskRequest,
    StartWorkflowRequest,
    TaskMock,
    WorkflowTestRequest,
)
from conductor_async.models._results import (
    BulkResponse,
    BulkSearchResponse,
    ExternalStorageLocation,
    SearchResult,
    TaskExecLog,
    TaskResult,
)
from conductor_async.models._runs import SignalResponse, TaskRun, WorkflowRun
from conductor_async.models._summaries import PollData, TaskSummary, WorkflowSummary
from conductor_async.models._tasks import Task

__all__ = [
    "Action",
    "ActionType",
    "BulkResponse",
    "BulkSearchResponse",
    "CacheConfig",
    "ConductorModel",
    "EventHandler",
    "ExternalStorageLocation",
    "IdempotencyStrategy",
    "JoinMode",
    "JsonObject",
    "JsonValue",
    "Payload",
    "PollData",
    "RateLimitConfig",
    "RateLimitPolicy",
    "RerunWorkflowRequest",
    "RetryLogic",
    "SchemaDef",
    "SchemaType",
    "SearchResult",
    "SignalResponse",
    "SkipTaskRequest",
    "StartWorkflow",
    "StartWorkflowRequest",
    "StateChangeEvent",
    "SubWorkflowParams",
    "Task",
    "TaskDef",
    "TaskDetails",
    "TaskExecLog",
    "TaskMock",
    "TaskResult",
    "TaskResultStatus",
    "TaskRun",
    "TaskStatus",
    "TaskSummary",
    "TaskType",
    "TerminateWorkflow",
    "TimeoutPolicy",
    "UpdateWorkflowVariables",
    "Workflow",
    "WorkflowDef",
    "WorkflowDefSummary",
    "WorkflowRun",
    "WorkflowState",
    "WorkflowStatus",
    "WorkflowSummary",
    "WorkflowTask",
    "WorkflowTestRequest",
    "encode_json",
]

"""Enumerations of Conductor. They are open: a value that this version does not know stays a plain string."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, TypeAlias

from pydantic import Field

__all__ = [
    "ActionType",
    "IdempotencyStrategy",
    "JoinMode",
    "RateLimitPolicy",
    "RetryLogic",
    "SchemaType",
    "TaskResultStatus",
    "TaskStatus",
    "TaskType",
    "TimeoutPolicy",
    "WorkflowStatus",
]


# -- definitions ---------------------------------------------------------------------------------------


class TaskType(StrEnum):
    """The types of tasks that the server runs itself, and SIMPLE for those that workers run."""

    SIMPLE = "SIMPLE"
    DYNAMIC = "DYNAMIC"
    FORK_JOIN = "FORK_JOIN"
    FORK_JOIN_DYNAMIC = "FORK_JOIN_DYNAMIC"
    DECISION = "DECISION"
    SWITCH = "SWITCH"
    JOIN = "JOIN"
    EXCLUSIVE_JOIN = "EXCLUSIVE_JOIN"
    DO_WHILE = "DO_WHILE"
    SUB_WORKFLOW = "SUB_WORKFLOW"
    START_WORKFLOW = "START_WORKFLOW"
    EVENT = "EVENT"
    WAIT = "WAIT"
    HUMAN = "HUMAN"
    USER_DEFINED = "USER_DEFINED"
    HTTP = "HTTP"
    LAMBDA = "LAMBDA"
    INLINE = "INLINE"
    TERMINATE = "TERMINATE"
    KAFKA_PUBLISH = "KAFKA_PUBLISH"
    JSON_JQ_TRANSFORM = "JSON_JQ_TRANSFORM"
    SET_VARIABLE = "SET_VARIABLE"
    NOOP = "NOOP"
    PULL_WORKFLOW_MESSAGES = "PULL_WORKFLOW_MESSAGES"


class TimeoutPolicy(StrEnum):
    """What happens at a timeout. Workflows support TIME_OUT_WF and ALERT_ONLY, tasks also RETRY."""

    TIME_OUT_WF = "TIME_OUT_WF"
    ALERT_ONLY = "ALERT_ONLY"
    RETRY = "RETRY"


class RetryLogic(StrEnum):
    """How the delay between the attempts of a task grows."""

    FIXED = "FIXED"
    LINEAR_BACKOFF = "LINEAR_BACKOFF"
    EXPONENTIAL_BACKOFF = "EXPONENTIAL_BACKOFF"


class IdempotencyStrategy(StrEnum):
    """What a start does if there was one with the same idempotency key. The open-source server ignores it."""

    FAIL = "FAIL"
    RETURN_EXISTING = "RETURN_EXISTING"
    FAIL_ON_RUNNING = "FAIL_ON_RUNNING"


class JoinMode(StrEnum):
    """Whether the server evaluates a JOIN as soon as one of its tasks ends, or periodically."""

    SYNC = "SYNC"
    ASYNC = "ASYNC"


class RateLimitPolicy(StrEnum):
    """What happens to an execution above the limit."""

    QUEUE = "QUEUE"
    REJECT = "REJECT"


class SchemaType(StrEnum):
    """The language of a schema."""

    JSON = "JSON"
    AVRO = "AVRO"
    PROTOBUF = "PROTOBUF"


class ActionType(StrEnum):
    """What an action of an event handler does. The open-source server supports the first four."""

    START_WORKFLOW = "start_workflow"
    COMPLETE_TASK = "complete_task"
    FAIL_TASK = "fail_task"
    START_AGENT = "start_agent"
    TERMINATE_WORKFLOW = "terminate_workflow"
    UPDATE_WORKFLOW_VARIABLES = "update_workflow_variables"


# -- executions ----------------------------------------------------------------------------------------


class WorkflowStatus(StrEnum):
    """The status of an execution. All but RUNNING and PAUSED are final, unless it is retried, rerun or restarted."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    TERMINATED = "TERMINATED"


class TaskStatus(StrEnum):
    """The status of one attempt of a task. All but SCHEDULED and IN_PROGRESS are final."""

    SCHEDULED = "SCHEDULED"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    COMPLETED_WITH_ERRORS = "COMPLETED_WITH_ERRORS"
    FAILED = "FAILED"
    FAILED_WITH_TERMINAL_ERROR = "FAILED_WITH_TERMINAL_ERROR"
    TIMED_OUT = "TIMED_OUT"
    CANCELED = "CANCELED"
    SKIPPED = "SKIPPED"


class TaskResultStatus(StrEnum):
    """The status that a worker can report. IN_PROGRESS hands the task back for later."""

    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    FAILED_WITH_TERMINAL_ERROR = "FAILED_WITH_TERMINAL_ERROR"
    CANCELED = "CANCELED"


# -- as fields -----------------------------------------------------------------------------------------

# Left to right: a known value becomes the member, any other stays a string.
_OPEN = Field(union_mode="left_to_right")

OpenActionType: TypeAlias = Annotated[ActionType | str, _OPEN]
OpenIdempotencyStrategy: TypeAlias = Annotated[IdempotencyStrategy | str, _OPEN]
OpenJoinMode: TypeAlias = Annotated[JoinMode | str, _OPEN]
OpenRateLimitPolicy: TypeAlias = Annotated[RateLimitPolicy | str, _OPEN]
OpenRetryLogic: TypeAlias = Annotated[RetryLogic | str, _OPEN]
OpenSchemaType: TypeAlias = Annotated[SchemaType | str, _OPEN]
OpenTaskResultStatus: TypeAlias = Annotated[TaskResultStatus | str, _OPEN]
OpenTaskStatus: TypeAlias = Annotated[TaskStatus | str, _OPEN]
OpenTaskType: TypeAlias = Annotated[TaskType | str, _OPEN]
OpenTimeoutPolicy: TypeAlias = Annotated[TimeoutPolicy | str, _OPEN]
OpenWorkflowStatus: TypeAlias = Annotated[WorkflowStatus | str, _OPEN]

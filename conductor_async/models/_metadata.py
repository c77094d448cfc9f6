"""Definitions of workflows, tasks and schemas.

Defaults are the server's. `create_time` and `update_time` are epoch milliseconds; 0 means unknown.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from conductor_async.models._base import ConductorModel, Payload, empty_dict, empty_list
from conductor_async.models._enums import (
    OpenIdempotencyStrategy,
    OpenJoinMode,
    OpenRateLimitPolicy,
    OpenRetryLogic,
    OpenSchemaType,
    OpenTaskType,
    OpenTimeoutPolicy,
    RateLimitPolicy,
    RetryLogic,
    SchemaType,
    TaskType,
    TimeoutPolicy,
)

__all__ = [
    "CacheConfig",
    "RateLimitConfig",
    "SchemaDef",
    "StateChangeEvent",
    "SubWorkflowParams",
    "TaskDef",
    "WorkflowDef",
    "WorkflowDefSummary",
    "WorkflowTask",
]


_OPEN = Field(union_mode="left_to_right")

# -- parts -------------------------------------------------------------------------------------------


class _Audited(ConductorModel):
    """Who created and updated a definition, and when. The server sets it; times are epoch milliseconds."""

    owner_app: str | None = None
    create_time: int = 0
    update_time: int = 0
    created_by: str | None = None
    updated_by: str | None = None


class RateLimitConfig(ConductorModel):
    """How many executions with the same key may run at once. The open-source server ignores it."""

    rate_limit_key: str | None = None
    concurrent_exec_limit: int = 0
    policy: OpenRateLimitPolicy = RateLimitPolicy.QUEUE


class CacheConfig(ConductorModel):
    """How long (`ttl_in_second`) an output is reused for the same `key`. The open-source server ignores it."""

    key: str | None = None
    ttl_in_second: int = 0


class SchemaDef(_Audited):
    """A schema of inputs or outputs: in `data`, by name and version, or by `external_ref`."""

    name: str = ""
    version: int = 1
    type: OpenSchemaType = SchemaType.JSON
    data: Payload | None = None
    external_ref: str | None = None


class StateChangeEvent(ConductorModel):
    """An event to publish when a task changes its state."""

    type: str = ""
    payload: Payload = empty_dict()


class SubWorkflowParams(ConductorModel):
    """Which workflow a SUB_WORKFLOW task starts.

    Attributes:
        name: The workflow's name, or an expression.
        version: Its version; None means the latest.
        task_to_domain: The domains of the tasks in it.
        workflow_definition: The definition itself, or an expression for it; it need not be registered.
        idempotency_key: Ignored by the open-source server.
        idempotency_strategy: Ignored by the open-source server.
        priority: 0 to 99, or an expression; the parent's if None.
    """

    name: str = ""
    version: int | None = None
    task_to_domain: dict[str, str] | None = None
    workflow_definition: Annotated[WorkflowDef | str | None, _OPEN] = None
    idempotency_key: str | None = None
    idempotency_strategy: OpenIdempotencyStrategy | None = None
    priority: Annotated[int | str | None, _OPEN] = None


# -- definitions -------------------------------------------------------------------------------------


class WorkflowTask(ConductorModel):
    """One task in a workflow definition.

    `name` is the task definition's name, `task_reference_name` the unique name within the workflow. Which other fields
    are needed depends on the `type`. `input_parameters` may hold expressions such as `${workflow.input.name}`.

    Attributes:
        start_delay: Seconds until the server hands the task out.
        retry_count: Overrides the task definition's.
        optional: Whether the workflow goes on if this task fails.
        permissive: Whether, if this task fails, parallel tasks go on before the workflow fails.
        async_complete: Whether the task is completed by an external system.
        items: What a DO_WHILE iterates over: a list, or an expression for it.
    """

    name: str = ""
    task_reference_name: str = ""
    description: str | None = None
    input_parameters: Payload = empty_dict()
    type: OpenTaskType = TaskType.SIMPLE
    dynamic_task_name_param: str | None = None
    case_value_param: str | None = None
    case_expression: str | None = None
    script_expression: str | None = None
    decision_cases: dict[str, list[WorkflowTask]] = empty_dict()
    dynamic_fork_join_tasks_param: str | None = None
    dynamic_fork_tasks_param: str | None = None
    dynamic_fork_tasks_input_param_name: str | None = None
    default_case: list[WorkflowTask] = empty_list()
    fork_tasks: list[list[WorkflowTask]] = empty_list()
    start_delay: int = 0
    sub_workflow_param: SubWorkflowParams | None = None
    join_on: list[str] = empty_list()
    sink: str | None = None
    optional: bool = False
    task_definition: TaskDef | None = None
    rate_limited: bool | None = None
    default_exclusive_join_task: list[str] = empty_list()
    async_complete: bool = False
    loop_condition: str | None = None
    loop_over: list[WorkflowTask] = empty_list()
    items: Any = None
    retry_count: int | None = None
    evaluator_type: str | None = None
    expression: str | None = None
    on_state_change: dict[str, list[StateChangeEvent]] = empty_dict()
    join_status: str | None = None
    cache_config: CacheConfig | None = None
    permissive: bool = False
    join_mode: OpenJoinMode | None = None
    metadata: Payload = empty_dict()


class TaskDef(_Audited):
    """How the tasks of one name are retried, timed out and limited.

    All times are in seconds, but `backoff_jitter_ms`. A limit or timeout of 0 means none.

    Attributes:
        timeout_seconds: How long one attempt may take in all.
        response_timeout_seconds: How long a worker may take to report; at least 1.
        poll_timeout_seconds: How long the task may wait for a worker.
        total_timeout_seconds: How long all attempts may take together.
        max_retry_delay_seconds: The longest delay between attempts.
        runtime_metadata: Names of secrets and environment values that the worker gets with the task.
    """

    name: str = ""
    description: str | None = None
    retry_count: int = 3
    timeout_seconds: int = 0
    input_keys: list[str] = empty_list()
    output_keys: list[str] = empty_list()
    runtime_metadata: list[str] = empty_list()
    timeout_policy: OpenTimeoutPolicy = TimeoutPolicy.TIME_OUT_WF
    retry_logic: OpenRetryLogic = RetryLogic.FIXED
    retry_delay_seconds: int = 60
    response_timeout_seconds: int = 3600
    concurrent_exec_limit: int | None = None
    input_template: Payload = empty_dict()
    rate_limit_per_frequency: int = 0
    rate_limit_frequency_in_seconds: int = 1
    isolation_group_id: str | None = None
    execution_name_space: str | None = None
    owner_email: str | None = None
    poll_timeout_seconds: int | None = None
    backoff_scale_factor: int = 1
    max_retry_delay_seconds: int = 0
    backoff_jitter_ms: int = 0
    base_type: str | None = None
    total_timeout_seconds: int = 0
    task_status_listener_enabled: bool = True
    input_schema: SchemaDef | None = None
    output_schema: SchemaDef | None = None
    enforce_schema: bool = False


class WorkflowDef(_Audited):
    """A workflow: its tasks in order, and the settings of the whole.

    Attributes:
        tasks: The tasks, in the order in which they run.
        input_parameters: The names of the inputs, for documentation.
        output_parameters: The output, usually as expressions; by default the last task's output.
        failure_workflow: The workflow to start if this one fails.
        timeout_seconds: How long an execution may take; 0 means no limit.
        variables: The initial variables of an execution.
        input_template: Defaults for inputs that a start leaves out.
        enforce_schema: Ignored by the open-source server, as the schemas are.
        masked_fields: Ignored by the open-source server.
    """

    name: str = ""
    description: str | None = None
    version: int = 1
    tasks: list[WorkflowTask] = empty_list()
    input_parameters: list[str] = empty_list()
    output_parameters: Payload = empty_dict()
    failure_workflow: str | None = None
    failure_workflow_version: int | None = None
    schema_version: int = 2
    restartable: bool = True
    workflow_status_listener_enabled: bool = False
    workflow_status_listener_sink: str | None = None
    owner_email: str | None = None
    timeout_policy: OpenTimeoutPolicy = TimeoutPolicy.ALERT_ONLY
    timeout_seconds: int = 0
    variables: Payload = empty_dict()
    input_template: Payload = empty_dict()
    rate_limit_config: RateLimitConfig | None = None
    input_schema: SchemaDef | None = None
    output_schema: SchemaDef | None = None
    enforce_schema: bool = True
    metadata: Payload = empty_dict()
    cache_config: CacheConfig | None = None
    masked_fields: list[str] = empty_list()


class WorkflowDefSummary(ConductorModel):
    """One version of a workflow definition, by name. Times are epoch milliseconds."""

    name: str = ""
    version: int = 1
    create_time: int = 0
    update_time: int | None = None

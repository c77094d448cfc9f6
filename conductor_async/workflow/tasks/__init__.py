"""The kinds of tasks that a workflow is made of, in families."""

from conductor_async.workflow.tasks.base import (
    Composable,
    Step,
    TaskInterface,
    TaskOptions,
    TaskSequence,
    task_class,
)
from conductor_async.workflow.tasks.children import (
    InlineSubWorkflowTask,
    StartWorkflowTask,
    SubWorkflowTask,
)
from conductor_async.workflow.tasks.control import (
    DecisionTask,
    SwitchTask,
    TerminateTask,
)
from conductor_async.workflow.tasks.data import (
    InlineTask,
    JavascriptTask,
    JdbcTask,
    JsonJQTask,
    LambdaTask,
    NoopTask,
    SetVariableTask,
    StatementType,
)
from conductor_async.workflow.tasks.forks import (
    DynamicForkTask,
    ExclusiveJoinTask,
    ForkTask,
    JoinTask,
)
from conductor_async.workflow.tasks.http import (
    HttpInput,
    HttpMethod,
    HttpPollInput,
    HttpPollTask,
    HttpTask,
)
from conductor_async.workflow.tasks.loops import (
    DoWhileTask,
    ForEachTask,
    LoopTask,
)
from conductor_async.workflow.tasks.messaging import (
    ConductorEventTask,
    EventTask,
    EventTaskInterface,
    KafkaPublishInput,
    KafkaPublishTask,
    SqsEventTask,
)
from conductor_async.workflow.tasks.waiting import (
    AssignmentCompletionStrategy,
    HumanTask,
    PullWorkflowMessagesTask,
    TriggerType,
    WaitForDurationTask,
    WaitForWebHookTask,
    WaitTask,
    WaitUntilTask,
    wait_for_webhook,
)
from conductor_async.workflow.tasks.worker import (
    DynamicTask,
    SimpleTask,
    UserDefinedTask,
)

__all__ = [
    "AssignmentCompletionStrategy",
    "Composable",
    "ConductorEventTask",
    "DecisionTask",
    "DoWhileTask",
    "DynamicForkTask",
    "DynamicTask",
    "EventTask",
    "EventTaskInterface",
    "ExclusiveJoinTask",
    "ForEachTask",
    "ForkTask",
    "HttpInput",
    "HttpMethod",
    "HttpPollInput",
    "HttpPollTask",
    "HttpTask",
    "HumanTask",
    "InlineSubWorkflowTask",
    "InlineTask",
    "JavascriptTask",
    "JdbcTask",
    "JoinTask",
    "JsonJQTask",
    "KafkaPublishInput",
    "KafkaPublishTask",
    "LambdaTask",
    "LoopTask",
    "NoopTask",
    "PullWorkflowMessagesTask",
    "SetVariableTask",
    "SimpleTask",
    "SqsEventTask",
    "StartWorkflowTask",
    "StatementType",
    "Step",
    "SubWorkflowTask",
    "SwitchTask",
    "TaskInterface",
    "TaskOptions",
    "TaskSequence",
    "TerminateTask",
    "TriggerType",
    "UserDefinedTask",
    "WaitForDurationTask",
    "WaitForWebHookTask",
    "WaitTask",
    "WaitUntilTask",
    "task_class",
    "wait_for_webhook",
]

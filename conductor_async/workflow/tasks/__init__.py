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
    SubWorkflowTask,
)
from conductor_async.workflow.tasks.control import (
    ForkTask,
    JoinTask,
)
from conductor_async.workflow.tasks.worker import (
    SimpleTask,
)

__all__ = [
    "Composable",
    "ForkTask",
    "InlineSubWorkflowTask",
    "JoinTask",
    "SimpleTask",
    "Step",
    "SubWorkflowTask",
    "TaskInterface",
    "TaskOptions",
    "TaskSequence",
    "task_class",
]

"""Describing workflows in code, and running them."""

from conductor_async.workflow.builder import ConductorWorkflow
from conductor_async.workflow.executor import WorkflowExecutor
from conductor_async.workflow.handle import WorkflowHandle
from conductor_async.workflow.references import Reference
from conductor_async.workflow.tasks import (
    ForkTask,
    InlineSubWorkflowTask,
    JoinTask,
    SimpleTask,
    SubWorkflowTask,
    TaskInterface,
    TaskOptions,
    TaskSequence,
)

__all__ = [
    "ConductorWorkflow",
    "ForkTask",
    "InlineSubWorkflowTask",
    "JoinTask",
    "Reference",
    "SimpleTask",
    "SubWorkflowTask",
    "TaskInterface",
    "TaskOptions",
    "TaskSequence",
    "WorkflowExecutor",
    "WorkflowHandle",
]

"""Running workflows: start executions, wait for them, follow and control them."""

from conductor_async.execution.events import TaskStatusChanged, WorkflowEvent, WorkflowStatusChanged
from conductor_async.execution.executor import WorkflowExecutor
from conductor_async.execution.handle import WorkflowHandle
from conductor_async.execution.workflow import ConductorWorkflow

__all__ = [
    "ConductorWorkflow",
    "TaskStatusChanged",
    "WorkflowEvent",
    "WorkflowExecutor",
    "WorkflowHandle",
    "WorkflowStatusChanged",
]

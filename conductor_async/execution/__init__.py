"""Running workflows: start, wait, steer, and read the outcome."""

from conductor_async.execution.events import TaskStatusChanged, WorkflowEvent, WorkflowStatusChanged
from conductor_async.execution.executor import WorkflowExecutor
from conductor_async.execution.handle import WorkflowHandle

__all__ = ["TaskStatusChanged", "WorkflowEvent", "WorkflowExecutor", "WorkflowHandle", "WorkflowStatusChanged"]

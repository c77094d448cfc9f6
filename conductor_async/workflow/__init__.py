"""Describing workflows in code, and running them. The kinds of tasks are listed in `conductor_async.workflow.tasks`."""

from conductor_async.workflow import tasks
from conductor_async.workflow.builder import ConductorWorkflow
from conductor_async.workflow.difference import Change, Difference, diff
from conductor_async.workflow.executor import WorkflowExecutor
from conductor_async.workflow.handle import WorkflowHandle
from conductor_async.workflow.reading import DefinedTask
from conductor_async.workflow.references import Reference, env, secret
from conductor_async.workflow.tasks import *  # noqa: F403 - they are listed once, there
from conductor_async.workflow.transitions import TaskStatusChanged, WorkflowEvent, WorkflowStatusChanged

__all__ = [
    "Change",
    "ConductorWorkflow",
    "DefinedTask",
    "Difference",
    "Reference",
    "TaskStatusChanged",
    "WorkflowEvent",
    "WorkflowExecutor",
    "WorkflowHandle",
    "WorkflowStatusChanged",
    "diff",
    "env",
    "secret",
]
__all__ += tasks.__all__

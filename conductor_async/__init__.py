"""An async-first Python SDK for Conductor, the workflow engine.

The names that most programs need. The other task types are in `conductor_async.tasks`, the other models in
`conductor_async.models`, the other errors in `conductor_async.errors`; what observes calls is in
`conductor_async.hooks`. The real server as a child process is in `conductor_async.localserver`, an engine in this
process in `conductor_async.embedded`, and the kit for tests in `conductor_async.testing`.
"""

import importlib
import typing

from conductor_async._version import __version__
from conductor_async.client import ConductorClient
from conductor_async.compat import ConductorClients, OrkesClients
from conductor_async.config import AuthenticationSettings, Configuration, Limits, RetryPolicy
from conductor_async.errors import (
    APIError,
    ConductorError,
    ConfigurationError,
    NonRetryableException,
    TaskError,
    TransportError,
    WaitTimeoutError,
    WorkflowError,
    WorkflowFailedError,
)
from conductor_async.execution import ConductorWorkflow, WorkflowExecutor, WorkflowHandle
from conductor_async.models import (
    StartWorkflowRequest,
    Task,
    TaskDef,
    TaskExecLog,
    TaskResult,
    TaskResultStatus,
    TaskStatus,
    Workflow,
    WorkflowDef,
    WorkflowRun,
    WorkflowStatus,
)
from conductor_async.resources import MetadataClient, WorkflowClient
from conductor_async.workflow import env, secret

# Not from `conductor_async.tasks`: it imports all task types, which takes longer.
from conductor_async.workflow.tasks.children import SubWorkflowTask
from conductor_async.workflow.tasks.control import SwitchTask, TerminateTask
from conductor_async.workflow.tasks.data import SetVariableTask
from conductor_async.workflow.tasks.forks import DynamicForkTask, ForkTask, JoinTask
from conductor_async.workflow.tasks.http import HttpTask
from conductor_async.workflow.tasks.loops import DoWhileTask
from conductor_async.workflow.tasks.waiting import HumanTask, WaitTask
from conductor_async.workflow.tasks.worker import SimpleTask

if typing.TYPE_CHECKING:
    from conductor_async.worker import TaskContext, TaskInProgress, WorkerHost, discover, get_task_context, worker_task
else:

    def __getattr__(name: str) -> object:
        """Imports what belongs to workers when it is first used: who only calls the server does without."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value: object = getattr(importlib.import_module("conductor_async.worker"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})


__all__ = [
    "APIError",
    "AuthenticationSettings",
    "ConductorClient",
    "ConductorClients",
    "ConductorError",
    "ConductorWorkflow",
    "Configuration",
    "ConfigurationError",
    "DoWhileTask",
    "DynamicForkTask",
    "ForkTask",
    "HttpTask",
    "HumanTask",
    "JoinTask",
    "Limits",
    "MetadataClient",
    "NonRetryableException",
    "OrkesClients",
    "RetryPolicy",
    "SetVariableTask",
    "SimpleTask",
    "StartWorkflowRequest",
    "SubWorkflowTask",
    "SwitchTask",
    "Task",
    "TaskContext",
    "TaskDef",
    "TaskError",
    "TaskExecLog",
    "TaskInProgress",
    "TaskResult",
    "TaskResultStatus",
    "TaskStatus",
    "TerminateTask",
    "TransportError",
    "WaitTask",
    "WaitTimeoutError",
    "WorkerHost",
    "Workflow",
    "WorkflowClient",
    "WorkflowDef",
    "WorkflowError",
    "WorkflowExecutor",
    "WorkflowFailedError",
    "WorkflowHandle",
    "WorkflowRun",
    "WorkflowStatus",
    "__version__",
    "discover",
    "env",
    "get_task_context",
    "secret",
    "worker_task",
]

"""Running Python functions as task workers, in this process and on the caller's event loop."""

from __future__ import annotations

from conductor_async.worker.discovery import discover
from conductor_async.worker.function.context import TaskContext, TaskInProgress, get_task_context
from conductor_async.worker.function.decorator import WorkerOptions, WorkerTask, worker_task
from conductor_async.worker.health import HostHealth, PollerHealth
from conductor_async.worker.host import WorkerHost

__all__ = [
    "HostHealth",
    "PollerHealth",
    "TaskContext",
    "TaskInProgress",
    "WorkerHost",
    "WorkerOptions",
    "WorkerTask",
    "discover",
    "get_task_context",
    "worker_task",
]

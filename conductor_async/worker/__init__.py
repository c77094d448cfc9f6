"""Runs Python functions as task workers, in this process and on the caller's event loop."""

from __future__ import annotations

from conductor_async.worker._discovery import discover
from conductor_async.worker._health import HostHealth, PollerHealth
from conductor_async.worker.context import TaskContext, TaskInProgress, get_task_context
from conductor_async.worker.decorator import WorkerOptions, WorkerTask, worker_task
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

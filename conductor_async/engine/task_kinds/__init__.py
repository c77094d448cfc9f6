"""The tasks that the engine runs itself, one module for each family, named like those of `workflow/tasks`."""

from conductor_async.engine.task_kinds import (
    children,
    control,
    data,
    dynamic_forks,
    forks,
    http,
    loops,
    messaging,
    services,
    waiting,
    worker,
)

__all__ = [
    "children",
    "control",
    "data",
    "dynamic_forks",
    "forks",
    "http",
    "loops",
    "messaging",
    "services",
    "waiting",
    "worker",
]

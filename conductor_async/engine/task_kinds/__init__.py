"""All kinds of tasks, one module for each family. Importing this package registers them: see `rows.kind`."""

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

"""Copies log records of worker functions to their tasks' logs, for workers or hosts with a `task_log_level`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from conductor_async.worker.context import current_task_context

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Self

    from conductor_async.worker.decorator import AnyWorker

logger = logging.getLogger("conductor_async")

_IN_TASK_LOG = "conductor_async_in_task_log"
"""The attribute that marks a record which a task's log has already."""


class TaskLogHandler(logging.Handler):
    """A handler of the root logger, installed while it is entered. It finds a record's task by the current context.

    It sees what reaches the root logger: records of loggers that propagate, at or above the loggers' own levels. By
    Python's default that is WARNING and above.

    Args:
        workers: The workers of a host.
        level: The level for workers without a `task_log_level`. None copies nothing.
    """

    def __init__(self, workers: Iterable[AnyWorker], level: int | None) -> None:
        super().__init__()
        levels = {worker.task_definition_name: worker.options.task_log_level or level for worker in workers}
        self._levels = {name: each for name, each in levels.items() if each is not None}
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    def __enter__(self) -> Self:
        if self._levels:
            self._warn_about_levels()
            logging.getLogger().addHandler(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        logging.getLogger().removeHandler(self)
        self.close()

    def emit(self, record: logging.LogRecord) -> None:
        """Adds the record to the log of the current task, if there is one and its level asks for it."""
        self._preserve_last_resort(record)
        context = current_task_context()
        if context is None or record.name.startswith("conductor_async") or hasattr(record, _IN_TASK_LOG):
            return
        level = self._levels.get(context.task_def_name)
        if level is None or record.levelno < level:
            return
        setattr(record, _IN_TASK_LOG, True)  # another host in this process has a handler too
        try:
            context.log(self.format(record), at=record.created)
        except Exception:  # noqa: BLE001 - formatting calls user code
            self.handleError(record)

    def _preserve_last_resort(self, record: logging.LogRecord) -> None:
        """Prints warnings to stderr where the application has no handler.

        Python does so by itself, but not once there is any handler, such as this one.
        """
        at: logging.Logger | None = logging.getLogger(record.name)
        while at is not None:
            if any(handler is not self for handler in at.handlers):
                return
            at = at.parent if at.propagate else None
        if (last := logging.lastResort) is not None and record.levelno >= last.level:
            last.handle(record)

    def _warn_about_levels(self) -> None:
        wanted, effective = min(self._levels.values()), logging.getLogger().getEffectiveLevel()
        others = [each for name, each in logging.root.manager.loggerDict.items() if name != logger.name]
        some_propagate = any(isinstance(each, logging.Logger) and 0 < each.level <= wanted for each in others)
        if wanted < effective and not some_propagate:
            logger.warning(
                "task_log_level is %s, but the root logger's level is %s: records below that do not reach tasks' logs."
                " To change that, call logging.getLogger().setLevel(%r)",
                logging.getLevelName(wanted),
                logging.getLevelName(effective),
                logging.getLevelName(wanted),
            )

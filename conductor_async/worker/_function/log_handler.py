"""What a worker's function logs, in its task's log: for workers or hosts that ask for it by `task_log_level`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from conductor_async.worker.context import current_task_context

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from conductor_async.worker.decorator import AnyWorker

logger = logging.getLogger("conductor_async")

_SHIPPED = "conductor_async_shipped"
"""Marks a record that is in a task's log."""


class TaskLogHandler(logging.Handler):
    """Takes in what functions log with the standard library, while it is entered.

    It is a handler of the root logger, so what a logger keeps from that one is not seen, and loggers' own levels
    count: with `logging` as it comes, nothing below WARNING arrives. Whose task it is says the context, in threads too.

    Args:
        workers: The workers of a host.
        level: What to ship of those that do not say it. None: nothing.
    """

    def __init__(self, workers: tuple[AnyWorker, ...], level: int | None) -> None:
        super().__init__()
        levels = {worker.task_definition_name: worker.options.task_log_level or level for worker in workers}
        self._levels = {name: each for name, each in levels.items() if each is not None}
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    def __enter__(self) -> Self:
        if self._levels:
            self._warn_of_levels()
            logging.getLogger().addHandler(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        logging.getLogger().removeHandler(self)
        self.close()

    def emit(self, record: logging.LogRecord) -> None:
        """Adds it to the log of the task that it comes from, if it comes from one."""
        self._show_what_nobody_else_does(record)
        context = current_task_context()
        if context is None or record.name.startswith("conductor_async") or hasattr(record, _SHIPPED):
            return
        level = self._levels.get(context.task_def_name)
        if level is None or record.levelno < level:
            return
        setattr(record, _SHIPPED, True)  # there may be a second host
        try:
            context.add_line(self.format(record), record.created)
        except Exception:  # noqa: BLE001 - what a record is made of is user code
            self.handleError(record)

    def _show_what_nobody_else_does(self, record: logging.LogRecord) -> None:
        """Where nobody has set logging up, Python shows warnings: being there must not change that."""
        at: logging.Logger | None = logging.getLogger(record.name)
        while at is not None:
            if any(handler is not self for handler in at.handlers):
                return
            at = at.parent if at.propagate else None
        if (last := logging.lastResort) is not None and record.levelno >= last.level:
            last.handle(record)

    def _warn_of_levels(self) -> None:
        wanted, passed = min(self._levels.values()), logging.getLogger().getEffectiveLevel()
        others = [each for name, each in logging.root.manager.loggerDict.items() if name != logger.name]
        some_pass_it_on = any(isinstance(each, logging.Logger) and 0 < each.level <= wanted for each in others)
        if wanted < passed and not some_pass_it_on:
            logger.warning(
                "Loggers pass on %s and above only: what is lower is not shipped to tasks' logs."
                " logging.getLogger().setLevel(%r) changes that",
                logging.getLevelName(passed),
                logging.getLevelName(wanted),
            )

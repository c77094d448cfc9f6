"""The domains in which the tasks of an execution are queued."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.rows.kind import is_system

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.task_row import TaskRow

__all__ = ["assign_domains"]

# The server counts a domain as polled for ten seconds after the last poll.
_ACTIVE_POLLER_MS = 10_000


def assign_domains(core: Core, execution: Execution, rows: list[TaskRow]) -> None:
    """Gives the tasks for workers the domains that the execution was started with."""
    domains = execution.task_to_domain
    if not domains:
        return
    for row in rows:
        if is_system(row):
            continue
        wanted = domains.get(row.task_type)
        if wanted is None:
            wanted = domains.get("*") or None
        if wanted is not None:
            row.domain = _active_domain(core, row.task_type, wanted.split(","))


def _active_domain(core: Core, task_type: str, domains: list[str]) -> str | None:
    """Returns the first domain that a worker polls, else the last one. NO_DOMAIN means none."""
    polls = core.polls.get(task_type, {})
    for domain in domains:
        if domain.upper() == "NO_DOMAIN":
            continue
        poll = polls.get(domain.strip())
        if poll is not None and poll["lastPollTime"] > core.now() - _ACTIVE_POLLER_MS:
            return domain.strip()
    last = domains[-1].strip()
    return None if last.upper() == "NO_DOMAIN" else last

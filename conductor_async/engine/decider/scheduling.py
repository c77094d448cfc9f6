"""From a task of the definition to rows, and from rows to queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.core import Work
from conductor_async.engine.decider.timeouts import watch
from conductor_async.engine.errors import EngineError, WorkflowHalted
from conductor_async.engine.expressions.inputs import with_secrets
from conductor_async.engine.state.execution import TERMINAL
from conductor_async.engine.task_kinds.base import Place, is_system, kind_of, system_kind

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.definition import TaskSpec
    from conductor_async.engine.state.execution import Execution, TaskRow
    from conductor_async.engine.task_kinds.base import TaskKind

__all__ = [
    "add_new",
    "execute_sync",
    "in_iteration",
    "put_in_queue",
    "rows_for",
    "schedule",
    "set_domains",
    "stamp",
]

_ACTIVE_POLLER_MS = 10_000


def rows_for(
    core: Core, execution: Execution, spec: TaskSpec, retry_count: int = 0, retried_task_id: str | None = None
) -> list[TaskRow]:
    """The rows with which a task begins, without those that have begun before."""
    place = Place(core, execution, spec, retry_count, retried_task_id)
    return [row for row in kind_of(spec).rows(place) if not execution.has_started(row.reference_name)]


def stamp(core: Core, row: TaskRow) -> None:
    """Note the time of a change, as the server does when it stores a row."""
    now = core.now()
    terminal = row.status in TERMINAL
    if not terminal or row.update_time == 0:
        row.update_time = now
    if terminal and row.end_time == 0:
        row.end_time = now
    if terminal and row.definition is not None and row.definition.concurrency_limit > 0:
        _release_slot(core, row)


def _release_slot(core: Core, row: TaskRow) -> None:
    """A task of a limited kind has ended: the first that waits in its queue waits no longer."""
    queue = core.queues.get(row.queue)
    first = queue.first_waiting() if queue is not None else None
    if first is not None:
        core.enqueue(core.store.tasks[first], 0)


def add_new(execution: Execution, rows: list[TaskRow]) -> list[TaskRow]:
    """Add the rows that are not there yet, by name and attempt. Returns these."""
    added = [row for row in rows if (row.reference_name, row.retry_count) not in execution.attempts]
    for row in added:
        execution.add(row)
    return added


def schedule(core: Core, execution: Execution, rows: list[TaskRow]) -> bool:
    """Start what the engine runs in the same go, queue the rest. Whether anything was started.

    Raises:
        WorkflowHalted: A task could not be started.
    """
    started = False
    now = core.now()
    for row in rows:
        if row.seq == 0:
            execution.highest_seq += 1
            row.seq = execution.highest_seq
        row.first_scheduled_time = row.first_scheduled_time or now
        row.scheduled_time = now
        core.store.tasks[row.task_id] = row
    to_queue: list[TaskRow] = []
    for row in rows:
        kind = system_kind(row)
        row.mocked = _is_mock(core, kind, row)
        if row.mocked or kind is None:
            to_queue.append(row)
            continue
        if row.status not in TERMINAL and row.start_time == 0:
            row.start_time = now
        if kind.is_async:
            to_queue.append(row)
            continue
        _start_sync(core, execution, kind, row)
        started = True
        stamp(core, row)
        execution.touch(row)
    for row in to_queue:
        if row.status not in TERMINAL:
            put_in_queue(core, row)
    return started


def _is_mock(core: Core, kind: TaskKind | None, row: TaskRow) -> bool:
    if core.is_mocked is None or row.status in TERMINAL or (kind is not None and kind.is_operator):
        return False
    if not core.is_mocked(row):
        return False
    row.status = "SCHEDULED"
    return True


def _start_sync(core: Core, execution: Execution, kind: TaskKind, row: TaskRow) -> None:
    literal = row.input
    try:
        row.input = with_secrets(core, literal)
        kind.start(core, execution, row)
    except EngineError as error:
        msg = f"Error scheduling tasks: [{row.task_id}], for workflow: {execution.workflow_id}"
        raise WorkflowHalted(msg) from error
    finally:
        row.input = literal


def execute_sync(core: Core, execution: Execution, row: TaskRow) -> bool:
    """Run a task that runs within the decision. Whether anything has changed."""
    kind = system_kind(row)
    if kind is None or kind.is_async or row.mocked:
        return False
    literal = row.input
    try:
        row.input = with_secrets(core, literal)
        return kind.execute(core, execution, row)
    finally:
        row.input = literal


def put_in_queue(core: Core, row: TaskRow) -> None:
    """Hand the row to whoever runs it, after its delay: workers, the engine itself, or a mock."""
    watch(core, row)
    kind = system_kind(row)
    delay: int | None
    if row.mocked:
        what, delay = "dispatch", row.callback_after_ms or (row.spec.start_delay * 1000 if row.spec is not None else 0)
    elif kind is not None:
        what, delay = "run", kind.delay_ms(core, row)
    else:
        core.enqueue(row, row.callback_after_ms or row.callback_after * 1000)
        return
    if delay is not None and delay > 0:
        core.timers.add(core.now() + delay, what, row.task_id)
    elif delay is not None:
        core.work.append(Work(what, row.task_id))


def set_domains(core: Core, execution: Execution, rows: list[TaskRow]) -> None:
    """Give the tasks for workers the domains that the execution was started with."""
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
    """The first domain that somebody polls; else the last one, of which NO_DOMAIN means none."""
    polls = core.polls.get(task_type, {})
    for domain in domains:
        if domain.upper() == "NO_DOMAIN":
            continue
        poll = polls.get(domain.strip())
        if poll is not None and poll["lastPollTime"] > core.now() - _ACTIVE_POLLER_MS:
            return domain.strip()
    last = domains[-1].strip()
    return None if last.upper() == "NO_DOMAIN" else last


def in_iteration(rows: list[TaskRow], iteration: int) -> list[TaskRow]:
    """Rows of a loop's body get the iteration into their names."""
    for row in rows:
        row.reference_name = f"{row.reference_name}__{iteration}"
        row.iteration = iteration
    return rows

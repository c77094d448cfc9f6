"""Where a row goes when its delay is over: to workers, to the engine's own work, or to the runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.core import Work
from conductor_async.engine.rows.inputs import with_secrets
from conductor_async.engine.rows.kind import system_kind
from conductor_async.engine.rows.timeout_timers import set_timeout_timer
from conductor_async.engine.state.external import ExternalWork

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.task_row import TaskRow

__all__ = ["dispatch", "queue_row"]


def queue_row(core: Core, row: TaskRow) -> None:
    """Queues a row for whoever runs it, after its delay: workers, the engine, or a mock."""
    set_timeout_timer(core, row)
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


def dispatch(core: Core, row: TaskRow) -> None:
    """Hands a task to the runtime, with its secrets filled in."""
    work = ExternalWork(
        task_id=row.task_id,
        workflow_id=row.workflow_id,
        kind=row.spec.type if row.spec is not None else row.task_type,
        task_name=row.task_def_name or "",
        reference_name=row.reference_name,
        input=with_secrets(core, row.input),
        is_mock=row.mocked,
    )
    core.external_work.append(work)

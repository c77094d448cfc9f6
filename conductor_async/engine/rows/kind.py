"""The interface of a kind of task, and the registry of all kinds.

Defining a subclass of `TaskKind` registers it. `type` is the type in definitions; `row_type` is the type in the rows of
executions, where it differs. The floors below the kinds (scheduling, queueing) know only this interface.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from conductor_async.engine.core import Work
from conductor_async.engine.rows.inputs import evaluate
from conductor_async.engine.state.task_row import TaskRow

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.sandbox.job import JobPending
    from conductor_async.engine.state.definition import TaskSpec
    from conductor_async.engine.state.execution import Execution
    from conductor_async.engine.state.task_definition import TaskDefinition
    from conductor_async.models import JsonObject

__all__ = ["RowFactory", "TaskKind", "continue_later", "is_system", "kind_of", "known_types", "system_kind"]

_kinds: dict[str, TaskKind] = {}
_system: dict[str, TaskKind] = {}


@dataclass(frozen=True, slots=True)
class RowFactory:
    """Makes rows for one task of a definition, in an execution as it is now."""

    core: Core
    execution: Execution
    spec: TaskSpec
    retry_count: int = 0
    retried_task_id: str | None = None

    def new_row(self, status: str, *, task_id: str | None = None, **values: Any) -> TaskRow:
        """Returns a new row for the task."""
        execution, spec = self.execution, self.spec
        values.setdefault("task_type", spec.type)
        values.setdefault("task_def_name", spec.name)
        return TaskRow(
            task_id=task_id or self.core.ids.new(),
            status=status,
            reference_name=spec.reference_name,
            workflow_id=execution.workflow_id,
            workflow_type=execution.definition.name,
            spec=spec,
            correlation_id=execution.correlation_id,
            scheduled_time=self.core.now(),
            priority=execution.priority,
            **values,
        )

    def started_row(self, **values: Any) -> TaskRow:
        """Returns a new row that is in progress from now on, as the server's operators are."""
        return self.new_row("IN_PROGRESS", start_time=self.core.now(), **values)

    def input(self, definition: TaskDefinition | None = None, task_id: str | None = None) -> JsonObject:
        """Returns the task's input parameters, evaluated."""
        return evaluate(self.core, self.execution, self.spec.input_parameters, definition=definition, task_id=task_id)

    def definition(self) -> TaskDefinition | None:
        """Returns the task definition: the one in the workflow's definition, else the registered one."""
        return self.spec.definition or self.core.metadata.task_definition(self.spec.name)


class TaskKind:
    """One kind of task.

    Attributes:
        is_system: Whether the engine runs its rows. If not, workers poll for them.
        is_async: Whether the engine runs its rows after the decision that made them, not within it.
        is_operator: Whether it controls the flow of the workflow. Operators are never mocked.
        takes_secrets: Whether secrets are filled in in its input while it runs.
    """

    type: ClassVar[str] = ""
    row_type: ClassVar[str] = ""
    is_system: ClassVar[bool] = True
    is_async: ClassVar[bool] = False
    is_operator: ClassVar[bool] = False
    takes_secrets: ClassVar[bool] = True

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        kind = cls()
        for registry, name in ((_kinds, cls.type), (_system, cls.row_type or cls.type)):
            if not name or (registry is _system and not cls.is_system):
                continue
            if name in registry:
                msg = f"Two kinds of task are called {name}: {type(registry[name]).__name__} and {cls.__name__}."
                raise TypeError(msg)
            registry[name] = kind

    def rows(self, factory: RowFactory) -> list[TaskRow]:
        """Returns the rows that the task begins with."""
        raise NotImplementedError

    def start(self, core: Core, execution: Execution, row: TaskRow) -> None:
        """Starts a scheduled row. The default does nothing, for kinds that do all in `execute`."""

    def execute(self, core: Core, execution: Execution, row: TaskRow) -> bool:
        """Continues a row in progress. Returns whether anything has changed."""
        return False

    def delay_ms(self, core: Core, row: TaskRow) -> int | None:
        """Returns the delay until the engine runs a queued row; None: it does not run it by itself."""
        return row.callback_after_ms or row.callback_after * 1000

    def is_async_complete(self, row: TaskRow) -> bool:
        """Returns whether somebody else completes the task: a worker, a person, a sub-workflow."""
        if "asyncComplete" in row.input:
            return bool(row.input["asyncComplete"])
        return row.spec is not None and bool(row.spec.wire["asyncComplete"])


def continue_later(core: Core, row: TaskRow, pending: JobPending) -> bool:
    """Has a row executed again when its script has ended. Returns False: nothing has changed."""
    core.when_finished(pending.job, Work("script", row.task_id))
    return False


def kind_of(spec: TaskSpec) -> TaskKind:
    """Returns the kind of a task of a definition. Types that the server does not know are for workers."""
    return _kinds.get(spec.type) or _kinds["USER_DEFINED"]


def known_types() -> frozenset[str]:
    """Returns the types that definitions can have, without those that only workers know."""
    return frozenset(_kinds)


def system_kind(row: TaskRow) -> TaskKind | None:
    """Returns the kind of a row that the engine runs; None for rows of workers."""
    return _system.get(row.task_type)


def is_system(row: TaskRow) -> bool:
    """Returns whether the engine runs the row."""
    return row.task_type in _system

"""What each kind of task does: how its rows come to be, and what the engine does with them.

A kind registers itself by being defined. `type` is the word in definitions, `row_type` the one in the rows of
executions, where it is another one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from conductor_async.engine.expressions.inputs import evaluate
from conductor_async.engine.state.execution import TaskRow

if TYPE_CHECKING:
    from conductor_async.engine.core import Core
    from conductor_async.engine.state.definition import TaskDefinition, TaskSpec
    from conductor_async.engine.state.execution import Execution
    from conductor_async.models import JsonObject

__all__ = ["Place", "TaskKind", "is_system", "kind_of", "known_types", "system_kind"]

_kinds: dict[str, TaskKind] = {}
_system: dict[str, TaskKind] = {}


@dataclass(frozen=True, slots=True)
class Place:
    """Where rows are to come: a task of the definition, in an execution as it is now."""

    core: Core
    execution: Execution
    spec: TaskSpec
    retry_count: int = 0
    retried_task_id: str | None = None

    def row(self, status: str, *, task_id: str | None = None, **values: Any) -> TaskRow:
        """A new row for this task."""
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
            priority=values.pop("priority", execution.priority),
            **values,
        )

    def input(self, definition: TaskDefinition | None = None, task_id: str | None = None) -> JsonObject:
        """The task's input parameters, evaluated."""
        return evaluate(self.core, self.execution, self.spec.input_parameters, definition=definition, task_id=task_id)


class TaskKind:
    """One kind of task.

    Attributes:
        is_system: Whether the engine runs its rows, and no worker.
        is_async: Whether the engine runs them after the decision that made them, not in it.
        is_operator: Whether it steers the workflow. These are never retried and never mocked.
    """

    type: ClassVar[str] = ""
    row_type: ClassVar[str] = ""
    is_system: ClassVar[bool] = True
    is_async: ClassVar[bool] = False
    is_operator: ClassVar[bool] = False

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

    def rows(self, place: Place) -> list[TaskRow]:
        """The rows that this task begins with."""
        raise NotImplementedError

    def start(self, core: Core, execution: Execution, row: TaskRow) -> None:
        """Begin. Does nothing for kinds that do it all in `execute`."""

    def execute(self, core: Core, execution: Execution, row: TaskRow) -> bool:
        """Go on. Whether anything has changed."""
        return False

    def delay_ms(self, core: Core, row: TaskRow) -> int | None:
        """How long the engine waits before it runs a row that it does not run at once. None: until somebody asks."""
        return row.callback_after_ms or row.callback_after * 1000

    def cancel(self, core: Core, execution: Execution, row: TaskRow) -> None:
        """End what belongs to the row, which was cancelled."""

    def is_async_complete(self, row: TaskRow) -> bool:
        """Whether somebody else will complete the task."""
        if "asyncComplete" in row.input:
            return bool(row.input["asyncComplete"])
        return row.spec is not None and bool(row.spec.wire["asyncComplete"])


def kind_of(spec: TaskSpec) -> TaskKind:
    """The kind of a task of a definition. What is unknown is for workers."""
    return _kinds.get(spec.type) or _kinds["USER_DEFINED"]


def known_types() -> frozenset[str]:
    """The types that definitions can have, but for those that only workers know."""
    return frozenset(_kinds)


def system_kind(row: TaskRow) -> TaskKind | None:
    """The kind of a row that the engine runs; None for those that workers run."""
    return _system.get(row.task_type)


def is_system(row: TaskRow) -> bool:
    """Whether the engine runs this row."""
    return row.task_type in _system

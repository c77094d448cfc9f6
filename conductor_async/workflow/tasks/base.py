"""What all tasks of a workflow have in common.

A task class names its type when it is defined, and is then found by that type:

```python
class EchoTask(TaskInterface, task_type="ECHO"):
    ...
```

Subclasses declare their own fields by annotations (see `fields`). `_own_fields()` returns what else goes into the
definition.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeAlias, TypedDict, TypeVar, overload

from conductor_async._camel_case import CamelCaseMixin, snake_case
from conductor_async._language.durations import whole_seconds
from conductor_async.models import CacheConfig, StateChangeEvent, TaskDef, TaskType, WorkflowTask
from conductor_async.workflow._snapshot import TrackedDict, TracksAssignments
from conductor_async.workflow._validation import build_model
from conductor_async.workflow.references import InputValue, Reference, plain
from conductor_async.workflow.tasks.fields import Converted, DeclaredFields, field

if TYPE_CHECKING:
    from collections.abc import Iterator
    from dataclasses import KW_ONLY, InitVar
    from datetime import timedelta

__all__ = [
    "Composable",
    "Step",
    "TaskInput",
    "TaskInterface",
    "TaskOptions",
    "TaskSequence",
    "task_class",
]


class TaskOptions(TypedDict, total=False):
    """The keywords that every task type takes, for constructors that are written by hand: see `TaskInterface`."""

    name: str | None
    description: str | None
    input_parameters: Mapping[str, InputValue] | None
    optional: bool | None
    permissive: bool | None
    retry_count: int | None
    start_delay: float | timedelta | None
    async_complete: bool | None
    rate_limited: bool | None
    task_definition: TaskDef | None
    cache_key: str | None
    cache_ttl_second: float | timedelta
    cache_config: CacheConfig | None
    on_state_change: Mapping[str, Sequence[StateChangeEvent]] | None
    metadata: Mapping[str, InputValue] | None


class Step(ABC):
    """What a `>>` chain is made of: a task, a sequence of tasks, or a workflow."""

    @abstractmethod
    def steps(self) -> Sequence[TaskInterface]:
        """Returns the tasks that it stands for, in order."""


Composable: TypeAlias = "Step | Sequence[Composable]"
"""A step, or a list. Where a step is expected a list is a fork; in a fork, a list is a branch of several steps."""


def _input_parameters(given: Mapping[str, InputValue] | None) -> dict[str, InputValue]:
    if not isinstance(given, Mapping | None):
        raise TypeError(f"input_parameters is a dict, not {type(given).__name__}.")
    return TrackedDict(given or {})


class TaskInterface(TracksAssignments, CamelCaseMixin, DeclaredFields, Step):
    """A task of a workflow. Its classes are the task types.

    All fields can be given to the constructor and set afterwards. A field that is not set is not sent, so that the
    server's default applies. `a >> b` makes a sequence of two tasks.

    Args:
        task_ref_name: The task's reference name, unique in the workflow.
        name: The name of the task definition. Default: the reference name.
        description: What the task does.
        input_parameters: The task's input, with references anywhere inside.
        optional: The workflow goes on if the task fails for good.
        permissive: Parallel tasks go on if it fails; the workflow fails in the end.
        retry_count: How often a failed task is retried, instead of what its task definition says.
        start_delay: Seconds until the task can be polled.
        async_complete: The task stays IN_PROGRESS until it is completed from outside.
        rate_limited: Whether the limits of its task definition apply.
        task_definition: A task definition for this task only.
        cache_key: Caches the output under this key (Orkes; the open-source server ignores it).
        cache_ttl_second: How many seconds the cached output is valid.
        cache_config: Key and seconds as a model.
        on_state_change: Events by state (`onStart`, `onSuccess`, …) (Orkes; the open-source server ignores it).
        metadata: Notes in the definition.
    """

    _task_type: ClassVar[str] = ""

    task_reference_name: str = field(alias="task_ref_name")
    _: KW_ONLY
    name: Converted[str | None, str] = field(default=None)
    description: str | None = None
    input_parameters: Converted[Mapping[str, InputValue] | None, dict[str, InputValue]] = field(
        default=None, convert=_input_parameters
    )
    optional: bool | None = None
    permissive: bool | None = None
    retry_count: int | None = None
    start_delay: float | timedelta | None = None
    async_complete: bool | None = None
    rate_limited: bool | None = None
    task_definition: TaskDef | None = None
    cache_key: InitVar[str | None] = None
    cache_ttl_second: InitVar[float | timedelta] = 0
    cache_config: CacheConfig | None = None
    on_state_change: Mapping[str, Sequence[StateChangeEvent]] | None = None
    metadata: Mapping[str, InputValue] | None = None

    def __init_subclass__(cls, *, task_type: TaskType | str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if task_type is not None:
            cls._task_type = str(task_type)
            _register(cls)

    def _set_up(self, given: Mapping[str, Any]) -> None:
        if not self._task_type:
            raise TypeError(f"{type(self).__name__} is not a task type: use a class that is one, such as SimpleTask.")
        self.name = self.name or self._default_name()
        if given["cache_key"] is not None:
            self.cache(given["cache_key"], given["cache_ttl_second"])

    def _default_name(self) -> str:
        return self.task_reference_name

    # -- fields

    if not TYPE_CHECKING:  # type checkers would take it for leave to set anything

        def __setattr__(self, name: str, value: object) -> None:
            if name not in self._settable and not name.startswith("_"):
                snake = snake_case(name)
                if snake not in self._settable:
                    raise AttributeError(self._unknown_field(name, self._settable), name=name, obj=self)
                name = snake
            super().__setattr__(name, value)

    @property
    def task_type(self) -> str:
        """The type, as the server calls it: `SIMPLE`, `FORK_JOIN` and so on."""
        return self._task_type

    def input_parameter(self, key: str, value: InputValue) -> Self:
        """Sets one input parameter; returns the task."""
        self.input_parameters[key] = value
        return self

    def cache(self, cache_key: str, cache_ttl_second: float | timedelta) -> Self:
        """Caches the output under the key for so many seconds; returns the task."""
        self.cache_config = CacheConfig(
            key=str(cache_key), ttl_in_second=whole_seconds(cache_ttl_second, "cache_ttl_second")
        )
        return self

    # -- references

    @property
    def input(self) -> TaskInput[Self]:
        """The task's input: `task.input.x`, `task.input("x")`. `task.input(key="x", value=1)` sets a parameter."""
        return TaskInput(self)

    @property
    def output(self) -> Reference:
        """The task's output: `task.output.x`, `task.output("x.y[0]")`, `task.output["x"]`."""
        return Reference(f"{self.task_reference_name}.output")

    def _reference(self, path: str) -> Reference:
        """Returns a reference to a part of the task's output."""
        return Reference(f"{self.task_reference_name}.output.{path}")

    # -- sequences

    def __rshift__(self, following: Composable) -> TaskSequence:
        return TaskSequence(self, following)

    def __rrshift__(self, before: Sequence[Composable]) -> TaskSequence:
        return TaskSequence(before, self)

    def steps(self) -> Sequence[TaskInterface]:
        """Returns the task alone."""
        return (self,)

    # -- the definition

    def to_workflow_task(self) -> WorkflowTask:
        """Returns the task as a workflow definition holds it: a new object each time, with all references as text."""
        fields: dict[str, Any] = {
            "name": self.name,
            "task_reference_name": self.task_reference_name,
            "type": self._task_type,
            "description": self.description,
            "input_parameters": plain(self.input_parameters) or None,
            "optional": self.optional,
            "permissive": self.permissive,
            "retry_count": self.retry_count,
            "start_delay": None if self.start_delay is None else whole_seconds(self.start_delay, "start_delay"),
            "async_complete": self.async_complete,
            "rate_limited": self.rate_limited,
            "task_definition": copy.deepcopy(self.task_definition),
            "cache_config": copy.deepcopy(self.cache_config),
            "on_state_change": copy.deepcopy(self.on_state_change),
            "metadata": plain(self.metadata),
        }
        fields.update(self._own_fields())
        return build_model(WorkflowTask, f"task {self.task_reference_name!r}", fields)

    def _own_fields(self) -> Mapping[str, Any]:
        """Returns the fields of `WorkflowTask` that only this task type has. None is not sent."""
        return {}

    def to_workflow_tasks(self, before: WorkflowTask | None, after: TaskInterface | None) -> list[WorkflowTask]:
        """Returns what stands for the task in a definition, between `before` and `after`: a fork adds its join."""
        return [self.to_workflow_task()]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.task_reference_name!r})"


# -- sequences ---------------------------------------------------------------------------------------


class TaskSequence(Step):
    """Tasks that run one after the other: `a >> b`. Immutable; usable wherever a task is."""

    def __init__(self, *steps: Composable) -> None:
        self._tasks: tuple[TaskInterface, ...] = tuple(task for step in steps for task in tasks_of(step))

    def __rshift__(self, following: Composable) -> TaskSequence:
        return TaskSequence(self, following)

    def __rrshift__(self, before: Sequence[Composable]) -> TaskSequence:
        return TaskSequence(before, self)

    def __iter__(self) -> Iterator[TaskInterface]:
        return iter(self._tasks)

    def __len__(self) -> int:
        return len(self._tasks)

    def __repr__(self) -> str:
        return " >> ".join(map(repr, self._tasks))

    def steps(self) -> Sequence[TaskInterface]:
        """Returns the tasks, in order."""
        return self._tasks


def tasks_of(step: Composable) -> Sequence[TaskInterface]:
    """Returns the tasks of a step, in order. A list is a fork, and each of its elements is a branch."""
    if isinstance(step, Step):
        return step.steps()
    if isinstance(step, list | tuple):
        fork_class: Any = task_class(TaskType.FORK_JOIN)  # defined in a module that builds on this one
        return [fork_class.of(step)]
    hint = ""
    if callable(step):
        hint = " A worker function becomes a task by its `task` method: greet.task('greet_ref', …)."
    raise TypeError(f"A workflow is made of tasks, lists of tasks and workflows, not of {type(step).__name__}.{hint}")


# -- input -------------------------------------------------------------------------------------------

TaskT = TypeVar("TaskT", bound=TaskInterface)
_NOT_GIVEN: Any = object()


class TaskInput(Reference, Generic[TaskT]):
    """`task.input`: a reference to the task's input; `task.input(key=, value=)` sets a parameter of it."""

    __slots__ = ("_task",)

    _task: TaskT

    def __init__(self, task: TaskT) -> None:
        super().__init__(f"{task.task_reference_name}.input")
        self._task = task

    @overload
    def __call__(self, json_path: str | None = None) -> Reference: ...
    @overload
    def __call__(self, *, key: str, value: InputValue) -> TaskT: ...
    def __call__(
        self, json_path: str | None = None, *, key: str | None = None, value: InputValue = _NOT_GIVEN
    ) -> Reference | TaskT:
        """Returns the reference to `json_path` in the input. With `key` and `value`, sets that parameter instead."""
        if (key is None) != (value is _NOT_GIVEN) or (key is not None and json_path is not None):
            raise TypeError("task.input() takes either a path, to refer to an input, or key= and value=, to set one.")
        if key is None:
            return self._at(json_path)
        return self._task.input_parameter(key, value)


# -- classes by type ---------------------------------------------------------------------------------

_classes: dict[str, type[TaskInterface]] = {}


def task_class(task_type: TaskType | str) -> type[TaskInterface] | None:
    """Returns the class of a task type; None if there is none."""
    return _classes.get(str(task_type))


def _register(cls: type[TaskInterface]) -> None:
    other = _classes.get(cls._task_type)
    # A notebook cell that runs again defines the same class anew: that is no duplicate.
    if other is not None and (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
        raise TypeError(f"{cls._task_type} is the type of {other.__module__}.{other.__qualname__} already.")
    _classes[cls._task_type] = cls

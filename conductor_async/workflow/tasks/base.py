"""What every task of a workflow has.

A task class says its type when it is made, and is then found by that type:

```python
class NoopTask(TaskInterface, task_type=TaskType.NOOP):
    ...
```

Subclasses name their own fields by annotations in the class body, take the common ones as `**options`, and give the
wire fields that are theirs in `_own_fields()`.
"""

from __future__ import annotations

import copy
import difflib
import inspect
import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypedDict, TypeVar, Unpack, overload

from conductor_async._camel_case import CamelCaseMixin, snake_case
from conductor_async.errors import ConfigurationError
from conductor_async.models import CacheConfig, StateChangeEvent, TaskDef, TaskType, WorkflowTask
from conductor_async.workflow.references import InputValue, Reference, plain
from conductor_async.workflow.tasks.sequences import Composable, Step, TaskSequence
from conductor_async.workflow.validation import build_model

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "TaskInput",
    "TaskInterface",
    "TaskOptions",
    "task_class",
    "whole_seconds",
]


def whole_seconds(duration: float | timedelta, what: str) -> int:
    """`duration` in whole seconds, as definitions have it; a fraction is rounded up."""
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else float(duration)
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ConfigurationError(f"{what} is a number of seconds from 0, or a timedelta, not {duration!r}.")
    return math.ceil(seconds)


# -- a task ------------------------------------------------------------------------------------------


class TaskOptions(TypedDict, total=False):
    """The fields that every kind of task has, all optional.

    Attributes:
        name: The name of the task's definition; the reference name if not given.
        description: What it is for.
        input_parameters: What it gets, with references anywhere inside.
        optional: The workflow goes on if the task has failed for good.
        permissive: Its siblings go on if it has failed; the workflow fails in the end.
        retry_count: How often it is tried again, instead of what its task definition says.
        start_delay: Seconds until it can be taken up.
        async_complete: It stays IN_PROGRESS until it is completed from outside.
        rate_limited: Whether the limits of its task definition hold.
        task_definition: A task definition for this place only.
        cache_key: Keeps the output under this key and reuses it (Orkes; the open-source server ignores it).
        cache_ttl_second: For how many seconds.
        cache_config: The same two as a model.
        on_state_change: Events by state (`onStart`, `onSuccess`, …) (Orkes; the open-source server ignores it).
        metadata: Whatever you want to note in the definition.
    """

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


_classes: dict[str, type[TaskInterface]] = {}


def task_class(task_type: str) -> type[TaskInterface] | None:
    """The class that describes tasks of this type, None if there is none."""
    return _classes.get(task_type)


class TaskInterface(CamelCaseMixin, Step):
    """One task of a workflow, as described in code. See `TaskOptions` for the fields that all tasks have.

    Every field can be given to the constructor and set afterwards; a field that is not set is not sent, so that the
    server's own default holds. `a >> b` makes a sequence of two tasks.
    """

    _task_type: ClassVar[str] = ""
    _settable: ClassVar[frozenset[str]] = frozenset()

    name: str
    task_reference_name: str
    description: str | None
    optional: bool | None
    permissive: bool | None
    retry_count: int | None
    start_delay: float | timedelta | None
    async_complete: bool | None
    rate_limited: bool | None
    task_definition: TaskDef | None
    cache_config: CacheConfig | None
    on_state_change: Mapping[str, Sequence[StateChangeEvent]] | None
    metadata: Mapping[str, InputValue] | None

    def __init_subclass__(cls, *, task_type: TaskType | str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._settable = _settable_names(cls)
        if task_type is not None:
            cls._task_type = str(task_type)
            _register(cls)

    def __init__(self, task_reference_name: str, **options: Unpack[TaskOptions]) -> None:
        if not self._task_type:
            raise TypeError(
                f"{type(self).__name__} describes no type of task: use a class that does, such as SimpleTask."
            )
        if unknown := options.keys() - TaskOptions.__annotations__.keys():
            raise TypeError(
                f"{type(self).__name__}() has no field {_with_suggestion(min(unknown), TaskOptions.__annotations__)}"
            )
        self.task_reference_name = task_reference_name
        self.name = options.get("name") or task_reference_name
        self.input_parameters = options.get("input_parameters") or {}
        self.description = options.get("description")
        self.optional = options.get("optional")
        self.permissive = options.get("permissive")
        self.retry_count = options.get("retry_count")
        self.start_delay = options.get("start_delay")
        self.async_complete = options.get("async_complete")
        self.rate_limited = options.get("rate_limited")
        self.task_definition = options.get("task_definition")
        self.cache_config = options.get("cache_config")
        self.on_state_change = options.get("on_state_change")
        self.metadata = options.get("metadata")
        if (cache_key := options.get("cache_key")) is not None:
            self.cache(cache_key, options.get("cache_ttl_second", 0))

    # -- fields

    if not TYPE_CHECKING:  # type checkers would take it for leave to set anything

        def __setattr__(self, name: str, value: object) -> None:
            if name not in self._settable and not name.startswith("_"):
                snake = snake_case(name)
                if snake not in self._settable:
                    problem = f"{type(self).__name__} has no field {_with_suggestion(name, self._settable)}"
                    raise AttributeError(problem, name=name, obj=self)
                name = snake
            super().__setattr__(name, value)

    @property
    def task_type(self) -> str:
        """The type, as the server knows it: `SIMPLE`, `FORK_JOIN` and so on."""
        return self._task_type

    @property
    def input_parameters(self) -> dict[str, InputValue]:
        """What the task gets: a plain dict, with references anywhere inside."""
        return self._input_parameters

    @input_parameters.setter
    def input_parameters(self, input_parameters: Mapping[str, InputValue] | None) -> None:
        if not isinstance(input_parameters, Mapping | None):
            raise TypeError(f"input_parameters is a dict, not {type(input_parameters).__name__}.")
        self._input_parameters = dict(input_parameters or {})

    def input_parameter(self, key: str, value: InputValue) -> Self:
        """Sets one input parameter; returns the task."""
        self._input_parameters[key] = value
        return self

    def cache(self, cache_key: str, cache_ttl_second: float | timedelta) -> Self:
        """Keeps the output for so many seconds and reuses it for the same key; returns the task."""
        self.cache_config = CacheConfig(
            key=str(cache_key), ttl_in_second=whole_seconds(cache_ttl_second, "cache_ttl_second")
        )
        return self

    # -- references to it

    @property
    def input(self) -> TaskInput[Self]:
        """`task.input.x`, `task.input("x")`: what the task got. `task.input(key="x", value=1)` sets it."""
        return TaskInput(self)

    @property
    def output(self) -> Reference:
        """`task.output.x`, `task.output("x.y[0]")`, `task.output["x"]`: what the task gave."""
        return Reference(f"{self.task_reference_name}.output")

    # -- one after the other

    def __rshift__(self, following: Composable) -> TaskSequence:
        return TaskSequence(self, following)

    def __rrshift__(self, before: Sequence[Composable]) -> TaskSequence:
        return TaskSequence(before, self)

    def steps(self) -> Sequence[TaskInterface]:
        """Returns the task alone."""
        return (self,)

    # -- the definition

    def to_workflow_task(self) -> WorkflowTask:
        """The task as it goes into a workflow definition: fresh each time, all references as text."""
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
        """The wire fields that only this kind of task has, in snake_case. None: not sent."""
        return {}

    def _definitions(self, before: WorkflowTask | None, after: TaskInterface | None) -> list[WorkflowTask]:
        """What stands for the task in the definition's list, behind `before` and ahead of `after`."""
        return [self.to_workflow_task()]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.task_reference_name!r})"


TaskT = TypeVar("TaskT", bound=TaskInterface)
_NOT_GIVEN: Any = object()


class TaskInput(Reference, Generic[TaskT]):
    """`task.input`: a reference to what the task got, and by `task.input(key=, value=)` the way to set it."""

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
        """The reference to what lies at `json_path`; with `key` and `value`, sets an input parameter, None too."""
        if (key is None) != (value is _NOT_GIVEN) or (key is not None and json_path is not None):
            raise TypeError("task.input() takes either a path, to refer to an input, or key= and value=, to set one.")
        if key is None:
            return self._at(json_path)
        return self._task.input_parameter(key, value)


# -- classes by type, fields by class ------------------------------------------------------------------


def _register(cls: type[TaskInterface]) -> None:
    known = _classes.get(cls._task_type)
    # A notebook cell that is run again defines the same class anew: that is not a second one.
    if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
        raise TypeError(f"{cls._task_type} tasks are described by {known.__module__}.{known.__qualname__} already.")
    _classes[cls._task_type] = cls


def _settable_names(cls: type[TaskInterface]) -> frozenset[str]:
    names: set[str] = set()
    for base in cls.__mro__:
        fields = inspect.get_annotations(base)
        names.update(name for name, kind in fields.items() if not (name.startswith("_") or "ClassVar" in str(kind)))
        names.update(name for name, member in vars(base).items() if isinstance(member, property) and member.fset)
    return frozenset(names)


def _with_suggestion(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(snake_case(name), sorted(known), n=1)
    return f"{name!r}: did you mean {near[0]!r}?" if near else repr(name)

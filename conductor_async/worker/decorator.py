"""`@worker_task`: makes a function a worker, and keeps it a function."""

from __future__ import annotations

import copy
import functools
import inspect
import sys
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar, cast, overload

from conductor_async._language.names import checked_name
from conductor_async.errors import ConfigurationError
from conductor_async.models import TaskDef, TaskType
from conductor_async.worker._function.annotations import is_async, names_used_by, unwrap
from conductor_async.worker._function.argument_binder import ArgumentBinder
from conductor_async.worker._function.return_types import ReturnType
from conductor_async.worker._function.task_definition import derive_task_def, with_fields
from conductor_async.worker._options import (
    WorkerOptions,
    checked_concurrency,
    checked_log_level,
    checked_poll_interval,
    checked_poll_timeout,
)
from conductor_async.workflow.tasks.worker import SimpleTask

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from datetime import timedelta
    from types import FrameType
    from typing import Self, TypeAlias

    from conductor_async.models import JsonObject
    from conductor_async.worker.context import TaskInProgress

__all__ = ["AnyWorker", "WorkerDecorator", "WorkerOptions", "WorkerTask", "worker_task"]

P = ParamSpec("P")
CallT = TypeVar("CallT")
"""What calling the function returns: for an `async def`, a coroutine."""
R = TypeVar("R")
"""What the function returns in the end."""
R_co = TypeVar("R_co", covariant=True)
ResultT = TypeVar("ResultT")
"""What the function returns in the end, without `TaskInProgress`: the type of the task's result."""

_SYSTEM_TASK_TYPES = frozenset(TaskType) - {TaskType.SIMPLE, TaskType.USER_DEFINED}


class WorkerTask(Generic[P, CallT, R_co]):
    """A function that a `WorkerHost` can run for tasks of a type. `@worker_task` makes it.

    Calling it calls the function. `task(...)` makes the task that has a workflow call it.

    Attributes:
        task_definition_name: The task type that it works on.
        function: The decorated function.
        options: How a host runs it.
        is_async: Whether it runs on the event loop; otherwise it runs in a thread.
        binder: Makes the function's arguments from a task.
        return_type: What the function returns, by its annotation.
    """

    def __init__(
        self,
        function: Callable[P, CallT],
        task_definition_name: str,
        options: WorkerOptions,
        namespace: Mapping[str, Any] | None = None,
    ) -> None:
        checked_name("task definition name", task_definition_name)
        if task_definition_name in _SYSTEM_TASK_TYPES:
            raise ConfigurationError(
                f"{task_definition_name!r} is a system task, which the server runs itself: a worker would take its"
                " tasks away. Use another name"
            )
        if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
            raise ConfigurationError(
                f"worker {task_definition_name!r} is a generator function, but a worker must return one result: use"
                " `return` instead of `yield`"
            )
        self.task_definition_name = task_definition_name
        self.function = function
        self.options = options
        self.is_async: bool = is_async(function)
        self.binder: ArgumentBinder = ArgumentBinder(
            task_definition_name, function, strict=options.strict_schema, namespace=namespace
        )
        self.return_type: ReturnType = ReturnType(task_definition_name, function, namespace)
        self._has_task_ref_name = "task_ref_name" in inspect.signature(function).parameters
        functools.update_wrapper(self, function, updated=())
        if self.is_async and sys.version_info >= (3, 12):
            inspect.markcoroutinefunction(self)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> CallT:
        """Calls the function. conductor-python's `worker(task_ref_name="ref", **inputs)` makes a task."""
        if "task_ref_name" in kwargs and not args and not self._has_task_ref_name:
            inputs: dict[str, Any] = dict(kwargs)
            return cast("CallT", self._make_task(str(inputs.pop("task_ref_name")), inputs))
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<worker {self.task_definition_name!r}: {getattr(self.function, '__qualname__', self.function)!s}>"

    def task(
        self: WorkerTask[P, CallT, ResultT | TaskInProgress], ref: str, /, *args: P.args, **kwargs: P.kwargs
    ) -> SimpleTask[ResultT]:
        """Makes a task that calls this worker: `workflow >> greet.task("greet_ref", name="Ada")`.

        Args:
            ref: The task's reference name in the workflow.
            args: The function's arguments: values, or references to inputs and outputs.
            kwargs: The function's arguments. One that is left out gets the function's default when it runs.

        Raises:
            TypeError: An argument is missing, or there is no such parameter.
        """
        try:
            bound = self.binder.signature().bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.task_definition_name}.task({ref!r}, …): {error}") from None
        inputs: dict[str, Any] = {}
        for name, value in bound.arguments.items():
            kind = bound.signature.parameters[name].kind
            inputs |= value if kind is inspect.Parameter.VAR_KEYWORD else {name: value}
        return self._make_task(ref, inputs)

    def with_options(self, options: WorkerOptions) -> Self:
        """Returns the worker with other options: `greet.with_options(replace(greet.options, domain="eu"))`."""
        other = copy.copy(self)
        other.options = options
        other.binder = self.binder.with_strict(options.strict_schema)
        return other

    def task_def(self, **fields: Any) -> TaskDef:
        """Returns the definition of the worker's tasks: the decorator's `task_def`, completed from the function.

        What `task_def` leaves out is read from the function: the names of inputs and outputs, and the description from
        the first line of the docstring.

        Args:
            fields: Fields of the `TaskDef` to replace: `greet.task_def(retry_count=5)`.

        Raises:
            TypeError: A `TaskDef` has no such field.
            ConfigurationError: The decorator's `task_def` has another name than the worker, or a parameter's annotation
                cannot be resolved.
        """
        name, given = self.task_definition_name, self.options.task_def or TaskDef()
        if given.name not in ("", name):
            raise ConfigurationError(
                f"worker {name!r} has a task_def of another name, {given.name!r}: give both the same, or leave it out"
            )
        definition = derive_task_def(given, self.function, self.binder, self.return_type)
        return with_fields(definition, {"name": name, **fields})

    def input_schema(self) -> JsonObject:
        """Returns the JSON Schema of the task's input: one property for each parameter.

        Raises:
            ConfigurationError: An annotation cannot be resolved, or its type has no JSON Schema.
        """
        return self.binder.json_schema()

    def output_schema(self) -> JsonObject:
        """Returns the JSON Schema of the task's output: what the function returns, or `{"result": …}` around it.

        Raises:
            ConfigurationError: The annotation cannot be resolved, or its type has no JSON Schema.
        """
        return self.return_type.output_schema()

    def _make_task(self, ref: str, inputs: dict[str, Any]) -> SimpleTask[Any]:
        task: SimpleTask[Any] = SimpleTask(self.task_definition_name, ref)
        task.input_parameters.update(inputs)
        return task.declare_output(self.return_type.resolve, self.return_type.output_fields)


AnyWorker: TypeAlias = "WorkerTask[..., Any, Any]"
"""A worker of any signature."""


class WorkerDecorator(Protocol):
    """The decorator that `worker_task(...)` returns."""

    @overload
    def __call__(
        self, function: Callable[P, Coroutine[Any, Any, R]], /
    ) -> WorkerTask[P, Coroutine[Any, Any, R], R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> WorkerTask[P, R, R]: ...


def worker_task(
    task_definition_name: str | None = None,
    *,
    poll_interval: float | timedelta | None = None,
    poll_interval_millis: float | None = None,
    poll_timeout: float | timedelta | None = None,
    domain: str | None = None,
    worker_id: str | None = None,
    concurrency: int | None = None,
    thread_count: int | None = None,
    register_task_def: bool = False,
    task_def: TaskDef | None = None,
    overwrite_task_def: bool = True,
    strict_schema: bool = False,
    lease_extend_enabled: bool = True,
    task_log_level: int | str | None = None,
) -> WorkerDecorator:
    """Makes a function a worker: `@worker_task("greet")` above `async def greet(name: str) -> str`.

    An `async def` runs on the host's event loop, a `def` in a thread. Both can still be called as functions. There is
    no registry: pass the worker to a `WorkerHost`. For a bound method, a partial or an object with `__call__`, write
    `worker_task("greet")(greeter.greet)`.

    Args:
        task_definition_name: The task type to work on. By default the function's name.
        poll_interval: The minimum time from the start of one idle poll to the next, in seconds (or a timedelta). By
            default the next poll starts at once, since each waits at the server for `poll_timeout`.
        poll_interval_millis: The same in milliseconds, as in conductor-python.
        poll_timeout: How long a poll waits at the server for a task, in seconds (or a timedelta), at most 5. By default
            the host's, which is 5.
        domain: Polls for tasks of this domain only.
        worker_id: The worker id that the server stores with the task. By default the host's: host name, process id and
            a random part.
        concurrency: How many tasks of this type run at once. By default 1.
        thread_count: conductor-python's name for `concurrency`.
        register_task_def: Registers the task's definition when the host starts.
        task_def: The definition to register. What it leaves out is read from the function: see `WorkerTask.task_def`.
        overwrite_task_def: Replaces an existing definition.
        strict_schema: Fails tasks with inputs that the function has no parameter for.
        lease_extend_enabled: Extends the task's lease while the function runs.
        task_log_level: Copies what the function logs with the standard library, from this level on, to the task's log:
            `"INFO"`. By default the host's.

    Raises:
        ConfigurationError: An option is invalid, or the function cannot be called with keyword arguments.
    """
    if task_definition_name is not None and not isinstance(task_definition_name, str):
        raise ConfigurationError(
            "write @worker_task() with parentheses: its first argument is the task definition's name"
        )
    options = WorkerOptions(
        poll_interval=checked_poll_interval(poll_interval, poll_interval_millis),
        poll_timeout=None if poll_timeout is None else checked_poll_timeout(poll_timeout),
        domain=domain or None,
        worker_id=worker_id or None,
        concurrency=checked_concurrency(concurrency, thread_count),
        register_task_def=register_task_def,
        task_def=task_def,
        overwrite_task_def=overwrite_task_def,
        strict_schema=strict_schema,
        lease_extend_enabled=lease_extend_enabled,
        task_log_level=checked_log_level(task_log_level),
    )
    # The caller's local variables resolve annotations that name classes local to a function.
    caller: FrameType | None = getattr(inspect.currentframe(), "f_back", None)

    def decorate(function: Callable[..., Any], /) -> AnyWorker:
        if not callable(function):
            raise ConfigurationError(f"worker_task decorates a function, not {function!r}")
        if isinstance(function, WorkerTask):
            function = cast("AnyWorker", function).function
        name = task_definition_name or str(getattr(unwrap(function), "__name__", ""))
        if caller is None or caller.f_locals is caller.f_globals:
            return WorkerTask(function, name, options)
        return WorkerTask(function, name, options, names_used_by(function, caller.f_locals))

    return cast("WorkerDecorator", decorate)

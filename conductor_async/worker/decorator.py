"""`@worker_task`: makes a function a worker, and keeps it a function."""

from __future__ import annotations

import functools
import inspect
import sys
from types import MethodType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar, cast, overload

from conductor_async._language.names import checked_name
from conductor_async.errors import ConfigurationError
from conductor_async.models import TaskDef, TaskType
from conductor_async.worker._function.annotations import check_form, is_async, names_for, unwrap
from conductor_async.worker._function.argument_binder import ArgumentBinder
from conductor_async.worker._function.return_types import ReturnType
from conductor_async.worker._function.task_definition import derive_task_def, task_def_from_options, with_fields
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

    from conductor_async.models import JsonObject, RetryLogic
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
        *,
        is_classmethod: bool = False,
        bound_to: tuple[Any, str] | None = None,
    ) -> None:
        checked_name("task definition name", task_definition_name)
        if task_definition_name in _SYSTEM_TASK_TYPES:
            raise ConfigurationError(
                f"{task_definition_name!r} is a system task, which the server runs itself: a worker would take its"
                " tasks away. Use another name"
            )
        check_form(task_definition_name, function)
        self.task_definition_name = task_definition_name
        self.function = function
        self.options = options
        self.is_async: bool = is_async(function)
        self.binder: ArgumentBinder = ArgumentBinder(
            task_definition_name, function, strict=options.strict_schema, namespace=namespace
        )
        self.return_type: ReturnType = ReturnType(task_definition_name, function, namespace)
        self._namespace = namespace
        self._is_classmethod = is_classmethod
        self._is_method = False
        self._bound_to = bound_to
        self._has_task_ref_name = "task_ref_name" in inspect.signature(function).parameters
        functools.update_wrapper(self, function, updated=())
        if self.is_async and sys.version_info >= (3, 12):
            inspect.markcoroutinefunction(self)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> CallT:
        """Calls the function. conductor-python's `worker(task_ref_name="ref", **inputs)` makes a task."""
        if "task_ref_name" in kwargs and not args and not self._has_task_ref_name:
            inputs: dict[str, Any] = dict(kwargs)
            ref = str(inputs.pop("task_ref_name"))
            return cast("CallT", self._make_task(ref, {self.binder.key(name): each for name, each in inputs.items()}))
        if self.binder.field_defaults:
            kwargs.update(self.binder.missing_defaults(self.function, args, kwargs))
        return self.function(*args, **kwargs)

    # -- methods -----------------------------------------------------------------------------------

    def __set_name__(self, owner: type, name: str) -> None:
        written = unwrap(self.function)
        if (
            isinstance(self.function, staticmethod)
            or written.__qualname__ != f"{owner.__qualname__}.{written.__name__}"
        ):
            return  # a static method, or a worker of elsewhere that is only named here
        self._is_method = True
        self.binder = ArgumentBinder(  # without `self`
            self.task_definition_name,
            functools.partial(cast("Any", self.function), None),
            strict=self.options.strict_schema,
            namespace=self._namespace,
        )

    def __get__(self, instance: Any, owner: type | None = None) -> Self:
        """Returns the worker of an object's method; of a class, the method without an object, which no host takes."""
        if instance is not None and instance is owner and not self._is_method:
            raise ConfigurationError(
                f"worker {self.task_definition_name!r}: write @worker_task above @classmethod, not below it"
            )
        target = owner if self._is_classmethod else instance
        if target is None or not self._is_method:
            return self
        return type(self)(
            cast("Any", MethodType(self.function, target)),
            self.task_definition_name,
            self.options,
            self._namespace,
            bound_to=(target, unwrap(self.function).__name__),
        )

    def prepare(self) -> None:
        """Checks what can only be checked when the program is complete. A host does so when it starts.

        Raises:
            ConfigurationError: It is a method without an object, or an annotation cannot be used.
        """
        if self._is_method or next(iter(self.binder.signature().parameters), "") == "self":
            method = getattr(unwrap(self.function), "__qualname__", "")
            owner, _, name = method.rpartition(".")
            raise ConfigurationError(
                f"worker {self.task_definition_name!r} is the method {method} without an object: pass that of an"
                f" object, {owner.rpartition('.')[2] or 'Class'}(…).{name}, or make it a static method"
            )
        self.binder.resolve()
        self.return_type.check()

    # -- copies: a worker is copied and pickled as a function is -------------------------------------

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> str | tuple[Any, ...]:
        if self._bound_to is not None:
            return _method_of, (*self._bound_to, self.options)
        name = getattr(self, "__qualname__", "")
        named = _named(self.__module__, name)
        if named is self:
            return name
        if isinstance(named, WorkerTask) and named.function is self.function:
            return _with_options, (named, self.options)
        return WorkerTask, (self.function, self.task_definition_name, self.options)

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
            inputs = self.binder.inputs(args, kwargs)
        except TypeError as error:
            raise TypeError(f"{self.task_definition_name}.task({ref!r}, …): {error}") from None
        return self._make_task(ref, inputs)

    def with_options(self, options: WorkerOptions) -> Self:
        """Returns the worker with other options: `greet.with_options(replace(greet.options, domain="eu"))`."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
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


def _named(module: str, name: str) -> Any:
    """Returns what has this qualified name in a module; None if there is none."""
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _method_of(target: Any, name: str, options: WorkerOptions) -> AnyWorker:
    return _with_options(getattr(target, name), options)


def _with_options(worker: AnyWorker, options: WorkerOptions) -> AnyWorker:
    return worker.with_options(options)


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
    register_task_def: bool | None = None,
    task_def: TaskDef | None = None,
    retry_count: int | None = None,
    retry_delay: float | timedelta | None = None,
    retry_logic: RetryLogic | str | None = None,
    timeout: float | timedelta | None = None,
    response_timeout: float | timedelta | None = None,
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
        register_task_def: Registers the task's definition when the host starts. By default it does so if one of the
            five options below is given, which have no effect otherwise.
        task_def: The definition to register. What it leaves out is read from the function: see `WorkerTask.task_def`.
        retry_count: How often a failed task is tried again.
        retry_delay: Seconds (or a timedelta) until then. Like all durations of a definition, rounded up to whole ones.
        retry_logic: How the delay grows: `"FIXED"`, `"LINEAR_BACKOFF"` or `"EXPONENTIAL_BACKOFF"`.
        timeout: Seconds (or a timedelta) that one attempt may take in all.
        response_timeout: Seconds (or a timedelta) that a worker may stay silent. The host extends them while a function
            runs. By default an hour, or `timeout` if that is shorter.
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
    definition = task_def_from_options(
        task_def,
        retry_count=retry_count,
        retry_delay=retry_delay,
        retry_logic=retry_logic,
        timeout=timeout,
        response_timeout=response_timeout,
    )
    options = WorkerOptions(
        poll_interval=checked_poll_interval(poll_interval, poll_interval_millis),
        poll_timeout=None if poll_timeout is None else checked_poll_timeout(poll_timeout),
        domain=domain or None,
        worker_id=worker_id or None,
        concurrency=checked_concurrency(concurrency, thread_count),
        register_task_def=definition is not task_def if register_task_def is None else register_task_def,
        task_def=definition,
        overwrite_task_def=overwrite_task_def,
        strict_schema=strict_schema,
        lease_extend_enabled=lease_extend_enabled,
        task_log_level=checked_log_level(task_log_level),
    )
    # The caller's local variables resolve annotations that name classes local to a function.
    caller: FrameType | None = getattr(inspect.currentframe(), "f_back", None)

    def decorate(function: Any, /) -> AnyWorker:
        if isinstance(function, WorkerTask):
            function = cast("AnyWorker", function).function
        is_classmethod = isinstance(function, classmethod)
        if is_classmethod:
            function = cast("classmethod[Any, Any, Any]", function).__func__
        if not callable(function):
            raise ConfigurationError(f"worker_task decorates a function, not {function!r}")
        name = task_definition_name or str(getattr(unwrap(function), "__name__", ""))
        namespace = names_for(function, caller) or None
        return WorkerTask(function, name, options, namespace, is_classmethod=is_classmethod)

    return cast("WorkerDecorator", decorate)

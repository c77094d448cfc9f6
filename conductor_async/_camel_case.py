"""Other spellings of names, for code written against the older Conductor documentation or for conductor-python.

`metadata_client.registerWorkflowDef(...)` and `executeWorkflow(..., waitUntilTaskRef="ref")` work at run time on every
class that inherits from `CamelCaseMixin`, and so do conductor-python's keywords that have another name here, such as
`use_latest_def=`. Type checkers and editors see our own names only.
"""

from __future__ import annotations

import functools
import inspect
import re
import sys
from typing import TYPE_CHECKING, Any

from conductor_async._suggestions import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def _unchanged(value: Any) -> Any:
    return value


def _from_milliseconds(value: Any) -> Any:
    return value / 1_000 if isinstance(value, int | float) else value


def _for_all_task_types(domain: str | None) -> Mapping[str, str] | None:
    return {"*": domain} if domain else None


_OTHER_NAMES: dict[str, tuple[tuple[str, Callable[[Any], Any]], ...]] = {
    "body": (("output", _unchanged),),
    "domain": (("task_to_domain", _for_all_task_types),),
    "include_closed": (("include_completed", _unchanged),),
    "input": (("workflow_input", _unchanged),),
    "output_data": (("output", _unchanged), ("task_output", _unchanged)),
    "request": (("start_workflow_request", _unchanged), ("skip_task_request", _unchanged)),
    "task_output": (("output", _unchanged),),
    "task_ref_name": (("task_reference_name", _unchanged),),
    "task_type": (("name", _unchanged),),
    "timeout_in_millisecond": (("timeout", _from_milliseconds),),
    "use_latest_def": (("use_latest_definitions", _unchanged),),
    "wait_for_seconds": (("timeout", _unchanged),),
    "workflow_input": (("input", _unchanged),),
}
"""conductor-python's keywords, and the parameters that they stand for where a method has one of these."""

_WITHOUT_EFFECT = {
    "execute": frozenset({"request_id"}),
    "search": frozenset({"query_id", "skip_cache"}),
}
"""conductor-python's keywords that the open-source server ignores, by method."""


@functools.lru_cache(maxsize=1024)
def snake_case(name: str) -> str:
    """`waitUntilTaskRef` → `wait_until_task_ref`."""
    return _WORD_START.sub("_", name).lower()


class CamelCaseMixin:
    """Accepts other spellings of public methods and of their keywords, at run time only."""

    __slots__ = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, member in list(vars(cls).items()):
            if not name.startswith("_") and inspect.isfunction(member) and len(_parameters(member)) > 1:
                setattr(cls, name, _accept_other_keywords(member))

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Runs for names that do not exist: returns the public attribute of that name in snake_case."""
            snake = snake_case(name)
            if snake != name and not name.startswith("_") and hasattr(type(self), snake):
                return getattr(self, snake)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)


def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    code = function.__code__  # inspect.signature takes a hundred times as long, at import
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _accept_other_keywords(function: Callable[..., Any]) -> Callable[..., Any]:
    known = _parameters(function)[1:]
    is_open = bool(function.__code__.co_flags & inspect.CO_VARKEYWORDS)
    ignored = _WITHOUT_EFFECT.get(function.__name__, frozenset()).difference(known)

    def own_keyword(name: str, value: Any) -> tuple[str, Any]:
        snake = snake_case(name)
        if snake in known:
            return snake, value
        if not is_open:  # else it may be a name of the user's: `workflow(orderId=1)`
            for other, convert in _OTHER_NAMES.get(snake, ()):
                if other in known:
                    return other, convert(value)
            hint = did_you_mean(name, known)
            raise TypeError(f"{function.__name__}() got an unexpected keyword argument {name!r}.{hint}")
        return name, value

    def own_keywords(kwargs: dict[str, Any]) -> dict[str, Any]:
        given = {name: value for name, value in kwargs.items() if snake_case(name) not in ignored}
        renamed = dict(own_keyword(name, value) for name, value in given.items())
        if len(renamed) < len(given):
            raise TypeError(f"{function.__name__}() got an argument in both spellings: {', '.join(sorted(kwargs))}")
        return renamed

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **(own_keywords(kwargs) if kwargs else kwargs))

    if sys.version_info >= (3, 12) and inspect.iscoroutinefunction(function):
        inspect.markcoroutinefunction(call)
    return call

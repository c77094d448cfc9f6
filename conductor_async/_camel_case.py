"""camelCase spellings, for code written against the older Conductor documentation.

`metadata_client.registerWorkflowDef(...)` and `executeWorkflow(..., waitUntilTaskRef="ref")` work at run time on every
class that inherits from `CamelCaseMixin`. Type checkers and editors see the snake_case names only.
"""

from __future__ import annotations

import functools
import inspect
import re
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@functools.lru_cache(maxsize=1024)
def snake_case(name: str) -> str:
    """`waitUntilTaskRef` → `wait_until_task_ref`."""
    return _WORD_START.sub("_", name).lower()


class CamelCaseMixin:
    """Accepts the camelCase spelling of public methods and of their keywords, at run time only."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, member in list(vars(cls).items()):
            if not name.startswith("_") and inspect.isfunction(member) and _has_compound_keywords(member):
                setattr(cls, name, _accept_camel_keywords(member))

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


def _has_compound_keywords(function: Callable[..., Any]) -> bool:
    return any("_" in name.strip("_") or name in _OTHER_NAMES.values() for name in _parameters(function))


_OTHER_NAMES = {"workflow_input": "input"}
"""Keywords of conductor-python that are called otherwise here, wherever a method has the one and not the other."""


def _accept_camel_keywords(function: Callable[..., Any]) -> Callable[..., Any]:
    known = frozenset(_parameters(function))

    def own_name(name: str) -> str:
        snake = snake_case(name)
        return next((own for own in (snake, _OTHER_NAMES.get(snake)) if own in known), name)

    def snake_keywords(kwargs: dict[str, Any]) -> dict[str, Any]:
        # Only this function's own keywords: others may be a user's names (`workflow(orderId=1)`).
        renamed = {own_name(name): value for name, value in kwargs.items()}
        if len(renamed) < len(kwargs):
            raise TypeError(f"{function.__name__}() got an argument in both spellings: {', '.join(sorted(kwargs))}")
        return renamed

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **(snake_keywords(kwargs) if kwargs else kwargs))

    if sys.version_info >= (3, 12) and inspect.iscoroutinefunction(function):
        inspect.markcoroutinefunction(call)
    return call

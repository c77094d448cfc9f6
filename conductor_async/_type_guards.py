"""Checks that tell type checkers all of a type.

`isinstance` narrows `Any` to a type with unknown type arguments, such as `list[Unknown]`: strict checking refuses
that.
"""

from __future__ import annotations

from typing import Any, TypeGuard


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Returns whether parsed JSON is an object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Returns whether parsed JSON is an array."""
    return isinstance(value, list)


def is_class(value: object) -> TypeGuard[type[Any]]:
    """Returns whether an annotation is a class."""
    return isinstance(value, type)


def is_group(error: BaseException) -> TypeGuard[BaseExceptionGroup[BaseException]]:
    """Returns whether an exception is a group of others."""
    return isinstance(error, BaseExceptionGroup)


def class_of(value: object) -> type[Any]:
    """Returns `type(value)`, also where the value is an `Any`."""
    return type(value)

"""Type guards for JSON objects and arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from conductor_async.models import JsonObject, JsonValue

__all__ = ["is_array", "is_object"]


def is_object(value: JsonValue) -> TypeGuard[JsonObject]:
    """Whether the value is a JSON object."""
    return isinstance(value, dict)


def is_array(value: JsonValue) -> TypeGuard[list[JsonValue]]:
    """Whether the value is a JSON array."""
    return isinstance(value, list)

"""Environment values. They are given to the constructor and cannot be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.commands.base import Commands

if TYPE_CHECKING:
    from conductor_async.models import JsonObject

__all__ = ["EnvironmentCommands"]


class EnvironmentCommands(Commands):
    """Environment values. They are given to the constructor and cannot be changed."""

    def get_all(self) -> list[JsonObject]:
        """Returns all values: `[{"name", "value"}]`, sorted by name."""
        return [{"name": name, "value": value} for name, value in sorted(self.core.environment.items())]

    def get(self, key: str) -> str | None:
        """Returns one value, or None if there is none of that name."""
        return self.core.environment.get(key)

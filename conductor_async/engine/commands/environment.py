"""Environment values and secrets. They are given to the constructor and cannot be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.commands.base import Commands

if TYPE_CHECKING:
    from conductor_async.models import JsonObject

__all__ = ["EnvironmentQueries"]


class EnvironmentQueries(Commands):
    """Environment values and secrets. They are given to the constructor and cannot be changed."""

    def get_environment(self) -> list[JsonObject]:
        """All values: `[{"name", "value"}]`."""
        return [{"name": name, "value": value} for name, value in sorted(self.core.environment.items())]

    def get_environment_value(self, key: str) -> str | None:
        """One value."""
        return self.core.environment.get(key)

    def get_secret_names(self) -> list[str]:
        """The names of all secrets."""
        return sorted(self.core.secrets)

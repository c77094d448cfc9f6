"""Environment values and secrets. They are given to the constructor and cannot be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conductor_async.models import JsonObject

__all__ = ["EnvironmentQueries"]


class EnvironmentQueries:
    """Environment values and secrets. They are given to the constructor and cannot be changed."""

    def get_environment(self) -> list[JsonObject]:
        """All values: `[{"name", "value"}]`."""
        raise NotImplementedError

    def get_environment_value(self, key: str) -> str | None:
        """One value."""
        raise NotImplementedError

    def get_secret_names(self) -> list[str]:
        """The names of all secrets."""
        raise NotImplementedError

"""Commands on secrets."""

from __future__ import annotations

from conductor_async.engine.commands.base import Commands

__all__ = ["SecretCommands"]


class SecretCommands(Commands):
    """Commands on secrets. They are given to the constructor and cannot be changed."""

    def get_names(self) -> list[str]:
        """Returns the names of all secrets, sorted."""
        return sorted(self.core.secrets)

    def get(self, key: str) -> str | None:
        """Returns the value of a secret, or None if there is none of that name."""
        return self.core.secrets.get(key)

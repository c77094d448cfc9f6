"""Event handlers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conductor_async.models import JsonObject

__all__ = ["EventCommands"]


from conductor_async.engine.commands.base import Commands


class EventCommands(Commands):
    """Event handlers."""

    def add_event_handler(self, handler: JsonObject) -> None:
        """Keep a new handler."""
        raise NotImplementedError

    def update_event_handler(self, handler: JsonObject) -> None:
        """Replace a handler."""
        raise NotImplementedError

    def remove_event_handler(self, name: str) -> None:
        """Forget a handler."""
        raise NotImplementedError

    def get_event_handlers(self, event: str | None = None, active_only: bool = True) -> list[JsonObject]:
        """All handlers, or those of an event."""
        raise NotImplementedError

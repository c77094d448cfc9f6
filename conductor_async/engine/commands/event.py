"""Commands on event handlers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.engine.commands.base import Commands, command
from conductor_async.engine.definitions.checks import check_event_handler
from conductor_async.engine.definitions.requests import read_event_handler
from conductor_async.engine.errors import Refused

if TYPE_CHECKING:
    from conductor_async.models import JsonObject

__all__ = ["EventCommands"]


class EventCommands(Commands):
    """Commands on event handlers."""

    @command
    def add_handler(self, handler: JsonObject) -> None:
        """Adds a handler."""
        wire = _checked(handler, "addEventHandler")
        if wire["name"] in self.core.handlers:
            msg = f"EventHandler with name {wire['name']} already exists!"
            raise Refused(msg)
        self.core.handlers[wire["name"]] = wire

    @command
    def update_handler(self, handler: JsonObject) -> None:
        """Replaces a handler."""
        wire = _checked(handler, "updateEventHandler")
        self._check_known(wire["name"])
        self.core.handlers[wire["name"]] = wire

    @command
    def remove_handler(self, name: str) -> None:
        """Removes a handler."""
        self._check_known(name)
        del self.core.handlers[name]

    def get_handlers(self, event: str | None = None, active_only: bool = True) -> list[JsonObject]:
        """Returns all handlers, or those of an event."""
        handlers = list(self.core.handlers.values())
        if event is None:
            return handlers
        return [wire for wire in handlers if wire["event"] == event and (wire["active"] or not active_only)]

    def _check_known(self, name: str) -> None:
        if name not in self.core.handlers:
            msg = f"EventHandler with name {name} not found!"
            raise Refused(msg)


def _checked(handler: JsonObject, method: str) -> JsonObject:
    """Returns a valid handler in the server's form."""
    wire = read_event_handler(handler)
    check_event_handler({**wire, **_null_actions(handler)}, f"{method}.arg0")
    return wire


def _null_actions(handler: JsonObject) -> JsonObject:
    return {"actions": None} if "actions" in handler and handler["actions"] is None else {}

"""Emits a host's events to its listeners."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conductor_async.worker.events import Listener, WorkerEvent

logger = logging.getLogger("conductor_async")


class Listeners:
    """Emits events to listeners. False without any: then the caller need not create the event.

    Args:
        listeners: The listeners, in the order in which they are called.
    """

    __slots__ = ("_listeners",)

    def __init__(self, listeners: Iterable[Listener] = ()) -> None:
        self._listeners = tuple(listeners)

    def __bool__(self) -> bool:
        return bool(self._listeners)

    def emit(self, event: WorkerEvent) -> None:
        """Calls every listener with an event."""
        for listener in self._listeners:
            try:
                listener(event)
            except BaseException:
                logger.exception("Listener %r failed on %s: ignored", listener, type(event).__name__)

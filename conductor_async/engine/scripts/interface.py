"""What the engine needs to run JavaScript and jq. The engine decides what to run; an object given to it runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from conductor_async.engine.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conductor_async.models import JsonObject, JsonValue

__all__ = ["ScriptError", "Scripts"]


class ScriptError(EngineError):
    """A script failed, took too long, or there is nothing to run it with.

    Attributes:
        may_succeed_later: Whether it is worth another try: it took too long.
    """

    def __init__(self, message: str, *, may_succeed_later: bool = False) -> None:
        super().__init__(message)
        self.may_succeed_later = may_succeed_later


class Scripts(Protocol):
    """Runs scripts: `conductor_async.engine.scripts.runners` has the one that is used by default."""

    def javascript(self, source: str, bindings: Mapping[str, JsonValue]) -> JsonValue:
        """The value of a script, with the bindings as its global names. Raises `ScriptError`."""
        ...

    def check_javascript(self, source: str) -> str | None:
        """What is wrong with a script's syntax, without running it. None: nothing."""
        ...

    def jq(self, query: str, data: JsonObject) -> list[JsonValue]:
        """All results of a jq query. Raises `ScriptError`."""
        ...

"""What the engine needs to run JavaScript and jq. It does no such work itself: an object that it is given does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from conductor_async.engine.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conductor_async.models import JsonObject, JsonValue

__all__ = ["ScriptError", "Scripts"]


class ScriptError(EngineError):
    """A script failed, took too long, or nothing is installed that runs it.

    Attributes:
        may_succeed_later: Whether a retry may help: the script took too long.
    """

    def __init__(self, message: str, *, may_succeed_later: bool = False) -> None:
        super().__init__(message)
        self.may_succeed_later = may_succeed_later


class Scripts(Protocol):
    """Runs scripts. The default implementation is `conductor_async.engine.scripts.runners.DefaultScripts`.

    All methods wait for the result, up to `timeout` seconds. Then they raise `JobPending`, and a call with the same
    arguments after the end of that job returns its result.
    """

    def javascript(self, source: str, bindings: Mapping[str, JsonValue], *, timeout: float | None = None) -> JsonValue:
        """Returns the value of a script, with the bindings as its global names. Raises `ScriptError`."""
        ...

    def check_javascript(self, source: str, *, timeout: float | None = None) -> str | None:
        """Returns what is wrong with a script's syntax, without running it; None if nothing is."""
        ...

    def jq(self, query: str, data: JsonObject, *, timeout: float | None = None) -> list[JsonValue]:
        """Returns all results of a jq query. Raises `ScriptError`."""
        ...

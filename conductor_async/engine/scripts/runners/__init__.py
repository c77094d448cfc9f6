"""Runs JavaScript in V8 (mini-racer) and jq in libjq (jq). Both come with the extra `[embedded]`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from conductor_async.engine.scripts.runners.javascript import JavaScript
from conductor_async.engine.scripts.runners.jq_queries import run_query

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conductor_async.models import JsonObject, JsonValue

__all__ = ["DefaultScripts"]


class DefaultScripts:
    """Runs scripts in isolation: nothing that one script leaves behind reaches the next.

    V8, with a thread of its own, starts with the first script and ends with `close()`.

    Args:
        time_limit: Seconds after which a script is interrupted. The server's limit is four.
    """

    def __init__(self, *, time_limit: float = 4.0) -> None:
        self._javascript = JavaScript(time_limit=time_limit)

    def javascript(self, source: str, bindings: Mapping[str, JsonValue]) -> JsonValue:
        """Returns the value of a script, with the bindings as its global names.

        Raises:
            ScriptError: It failed, took too long, or the extra is not installed.
        """
        return self._javascript.evaluate(source, bindings)

    def check_javascript(self, source: str) -> str | None:
        """Returns what is wrong with a script's syntax; None if nothing is."""
        return self._javascript.syntax_error(source)

    def jq(self, query: str, data: JsonObject) -> list[JsonValue]:
        """Returns all results of a jq query.

        Raises:
            ScriptError: It failed, or the extra is not installed.
        """
        return run_query(query, data)

    def close(self) -> None:
        """Ends V8. The next script would start it again."""
        self._javascript.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

"""What runs JavaScript and jq by default: V8 (mini-racer) and libjq (jq), from the extra `[embedded]`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from conductor_async.engine.scripts.runners.javascript import JavaScript
from conductor_async.engine.scripts.runners.jq_queries import run_query

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conductor_async.models import JsonObject, JsonValue

__all__ = ["DefaultScripts"]


class DefaultScripts:
    """Runs scripts, each on its own: nothing that one leaves behind reaches the next.

    JavaScript's machinery, with a thread of its own, is made when the first script is run, and goes with `close()`.

    Args:
        time_limit: Seconds after which a script is interrupted. The server's limit is four.
    """

    def __init__(self, *, time_limit: float = 4.0) -> None:
        self._javascript = JavaScript(time_limit=time_limit)

    def javascript(self, source: str, bindings: Mapping[str, JsonValue]) -> JsonValue:
        """The value of a script, with the bindings as its global names.

        Raises:
            ScriptError: It failed, took too long, or the extra is not installed.
        """
        return self._javascript.evaluate(source, bindings)

    def check_javascript(self, source: str) -> str | None:
        """What is wrong with the script's syntax, None if nothing."""
        return self._javascript.syntax_error(source)

    def jq(self, query: str, data: JsonObject) -> list[JsonValue]:
        """All results of a jq query.

        Raises:
            ScriptError: It failed, or the extra is not installed.
        """
        return run_query(query, data)

    def close(self) -> None:
        """End what the scripts run in. The next script would start it again."""
        self._javascript.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

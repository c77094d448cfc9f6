"""Runs JavaScript in V8 (mini-racer) and jq in libjq (jq). Both come with the extra `[embedded]`.

Both run in child processes: see `conductor_async.engine.sandbox`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from conductor_async.engine.scripts.runners.javascript import JavaScript
from conductor_async.engine.scripts.runners.jobs import Jobs
from conductor_async.engine.scripts.runners.jq_queries import JqQueries

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conductor_async.models import JsonObject, JsonValue

__all__ = ["DefaultScripts"]


class DefaultScripts:
    """Runs scripts in isolation: without environment, files and network, and without what an earlier script left.

    The child processes start with the first script. All instances share them, and they end with this process.

    Args:
        time_limit: Seconds after which a script is interrupted. The server's limit is four.
    """

    def __init__(self, *, time_limit: float = 4.0) -> None:
        self._jobs = Jobs(time_limit)
        self._javascript = JavaScript(self._jobs)
        self._jq = JqQueries(self._jobs)

    def javascript(self, source: str, bindings: Mapping[str, JsonValue], *, timeout: float | None = None) -> JsonValue:
        """Returns the value of a script, with the bindings as its global names.

        Args:
            source: The script.
            bindings: Its global names.
            timeout: Seconds to wait for the value. By default, it waits until the script ends.

        Raises:
            ScriptError: It failed, took too long, or the extra is not installed.
            JobPending: It has not ended yet.
        """
        return self._javascript.evaluate(source, bindings, timeout)

    def check_javascript(self, source: str, *, timeout: float | None = None) -> str | None:
        """Returns what is wrong with a script's syntax; None if nothing is. Raises `JobPending`."""
        return self._javascript.syntax_error(source, timeout)

    def jq(self, query: str, data: JsonObject, *, timeout: float | None = None) -> list[JsonValue]:
        """Returns all results of a jq query.

        Raises:
            ScriptError: It failed, took too long, or the extra is not installed.
            JobPending: It has not ended yet.
        """
        return self._jq.run(query, data, timeout)

    def close(self) -> None:
        """Ends the scripts that still run."""
        self._jobs.cancel_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

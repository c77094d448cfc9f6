"""Evaluates the scripts of definitions, by the evaluator that they name.

If a script has not ended within the time slice of the command, all raise `JobPending`: the task stays as it is, and is
continued when the script has ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async._language.task_rules import RuleContext
from conductor_async.engine.scripts.interface import ScriptError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conductor_async.engine.core import Core
    from conductor_async.models import JsonObject, JsonValue

__all__ = ["evaluate_script", "known_evaluator", "rule_context", "run_javascript", "run_jq", "truth"]

_JAVASCRIPT = frozenset({"javascript", "graaljs"})


def known_evaluator(evaluator: str | None) -> bool:
    """Whether the server has an evaluator of that name."""
    return evaluator in _JAVASCRIPT or evaluator in {"value-param", "python"}


def evaluate_script(core: Core, evaluator: str | None, expression: str | None, task_input: JsonObject) -> JsonValue:
    """Returns the value of a script over a task's input. Raises `ScriptError`."""
    if evaluator == "value-param":
        return task_input.get(expression or "")
    if evaluator in _JAVASCRIPT:
        return run_javascript(core, expression or "", task_input)
    msg = f"The embedded engine has no evaluator {evaluator!r}: run this on a real Conductor server, or mock the task."
    raise ScriptError(msg)


def run_javascript(core: Core, source: str, task_input: Mapping[str, JsonValue]) -> JsonValue:
    """Returns the value of a script that sees the input as `$`. Raises `ScriptError`."""
    if core.scripts is None:
        msg = "There is nothing to run JavaScript with: pip install 'conductor-async[embedded]'."
        raise ScriptError(msg)
    return core.scripts.javascript(source, {"$": task_input}, timeout=core.slice.timeout())


def run_jq(core: Core, query: str, task_input: JsonObject) -> list[JsonValue]:
    """Returns all results of a jq query over the input. Raises `ScriptError`."""
    if core.scripts is None:
        msg = "There is nothing to run jq with: pip install 'conductor-async[embedded]'."
        raise ScriptError(msg)
    return core.scripts.jq(query, task_input, timeout=core.slice.timeout())


def rule_context(core: Core) -> RuleContext:
    """Returns what definitions are checked against: the registered task definitions, and the syntax of scripts."""
    scripts = core.scripts
    script_error: Callable[[str], str | None] | None = (
        None if scripts is None else lambda source: scripts.check_javascript(source, timeout=core.slice.timeout())
    )
    return RuleContext(find_task_def=core.metadata.tasks.get, script_error=script_error)


def truth(value: JsonValue) -> bool:
    """Whether the server takes a script's value for true: `true`, and numbers above zero."""
    if isinstance(value, bool):
        return value
    return isinstance(value, (int, float)) and value > 0

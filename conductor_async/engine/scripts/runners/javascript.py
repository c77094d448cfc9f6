"""Runs JavaScript in V8, with the results and error messages of the server's GraalJS."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from conductor_async.engine.expressions.java_values import hash_order
from conductor_async.engine.json_kinds import is_array, is_object
from conductor_async.engine.sandbox.job import ComputationFailedError, LimitExceededError, SandboxUnavailableError
from conductor_async.engine.sandbox.pool import Pool
from conductor_async.engine.scripts.interface import ScriptError
from conductor_async.engine.scripts.runners.harness import HARNESS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conductor_async.engine.scripts.runners.jobs import Jobs
    from conductor_async.models import JsonValue

__all__ = ["JavaScript"]

# A script with one of these may change more than its own variables. No other script runs in the same V8 after it.
_MAY_CHANGE_BUILT_INS = re.compile(
    r"\b(prototype|__proto__|globalThis|defineProperty|defineProperties|setPrototypeOf)\b"
)


_POOL = Pool("javascript", {"harness": HARNESS, "heap_bytes": 256 * 1024 * 1024})


class JavaScript:
    """Evaluates scripts, one after the other in a V8 that stays warm.

    Args:
        jobs: Runs them.
    """

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def evaluate(self, source: str, bindings: Mapping[str, JsonValue], timeout: float | None) -> JsonValue:
        """Returns the value of the last statement, with the bindings as global names.

        Raises:
            ScriptError: It failed, or took too long.
            JobPending: It has not ended yet.
        """
        call = f"__conductor({json.dumps(source)},{json.dumps(json.dumps(dict(bindings)))})"
        changes_builtins = _MAY_CHANGE_BUILT_INS.search(source) is not None
        return self._result(
            self._run(call, timeout, data=[source, dict(bindings)], changes_builtins=changes_builtins), source, timeout
        )

    def syntax_error(self, source: str, timeout: float | None) -> str | None:
        """Returns what is wrong with a script's syntax, in the server's form but V8's words; None if nothing is."""
        reads = self._run(f"__conductor_reads({json.dumps(source)})", timeout)
        return None if reads == "True" else self._syntax(source, timeout)[0]

    def _run(self, text: str, timeout: float | None, *, data: JsonValue = None, changes_builtins: bool = False) -> str:
        try:
            value: str = self._jobs.run(_POOL, timeout, text, data=data, changes_builtins=changes_builtins)
        except LimitExceededError as error:
            if error.resource == "time":
                message = f"Script not evaluated within {self._jobs.time_limit:g} seconds, interrupted."
                raise ScriptError(message, may_succeed_later=True) from None
            raise ScriptError("Error evaluating the script `RangeError: out of memory`") from None
        except SandboxUnavailableError as error:
            library = "JavaScript needs mini-racer: pip install 'conductor-async[embedded]'."
            raise ScriptError(library if error.is_library_missing else str(error)) from error
        except ComputationFailedError as error:
            raise ScriptError(f"Error evaluating the script `{error}`") from error
        return value

    def _result(self, response: str, source: str, timeout: float | None) -> JsonValue:
        kind, content = response[0], response[1:]
        if kind == "v":
            return _hash_ordered(json.loads(content))
        message, frames = json.loads(content)
        line: int | None
        if kind == "s":
            message, line = self._syntax(source, timeout)
        else:
            line = _line_of(kind, message, frames, source)
        where = "" if line is None else f" at line {line}"
        raise ScriptError(f"Error evaluating the script `{_in_graal_words(message)}`{where}")

    def _syntax(self, source: str, timeout: float | None) -> tuple[str, int]:
        """Returns message and line of a syntax error. V8 only says the position when it runs the script itself."""
        found = _PARSE_ERROR.match(self._run(source, timeout))
        if found:
            number = int(found["line"])
            line = source.splitlines()[number - 1] if number <= len(source.splitlines()) else ""
            column = found["caret"].find("^") if found["caret"] else 0
            message = f"SyntaxError: inline:{number}:{max(column, 0)} {found['message']}\n{line}\n"
            return f"{message}{' ' * max(column, 0)}^\n", number
        return "SyntaxError: the script cannot be read", 1


_PARSE_ERROR = re.compile(
    r"<anonymous>:(?P<line>\d+): SyntaxError: (?P<message>[^\n]*)(?:\n[^\n]*\n(?P<caret>[ ^]*))?", re.DOTALL
)


def _hash_ordered(value: JsonValue) -> JsonValue:
    """Returns the value with keys in the order of a Java `HashMap`, into which the server converts objects."""
    if is_object(value):
        return {key: _hash_ordered(value[key]) for key in hash_order(value)}
    if is_array(value):
        return [_hash_ordered(item) for item in value]
    return value


def _line_of(kind: str, message: str, frames: str, source: str) -> int | None:
    """Returns the line that the server names; None for what built-in functions and `new Error` throw."""
    if kind == "t":  # a value that is no error
        return source.count("\n", 0, max(source.find("throw"), 0)) + 1
    is_builtin_error = message.startswith(("ReferenceError", "TypeError", "RangeError"))
    first = frames.partition("\n")[0]
    if not is_builtin_error or ("throw" in source and not message.endswith("is not defined")):
        return None
    if first.endswith("(<anonymous>)") and "eval at" not in first and "invalid array length" not in message.lower():
        return None
    found = _FRAME.search(frames)
    return int(found[1]) if found else 1


_FRAME = re.compile(r", <anonymous>:(\d+):\d+\)")


def _in_graal_words(message: str) -> str:
    for pattern, replacement in _GRAAL_WORDS:
        message, count = pattern.subn(replacement, message)
        if count:
            break
    return message


_GRAAL_WORDS = (
    (
        re.compile(r"^TypeError: Cannot read properties of (\w+) \(reading '(.*)'\)$", re.DOTALL),
        r"TypeError: Cannot read property '\2' of \1",
    ),
    (
        re.compile(r"^TypeError: Cannot set properties of (\w+) \(setting '(.*)'\)$", re.DOTALL),
        r"TypeError: Cannot set property '\2' of \1",
    ),
)

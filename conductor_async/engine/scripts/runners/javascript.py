"""Runs JavaScript in V8, with the results and error messages of the server's GraalJS."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from conductor_async.engine.expressions.java_values import hash_order
from conductor_async.engine.json_kinds import is_array, is_object
from conductor_async.engine.scripts.interface import ScriptError
from conductor_async.engine.scripts.runners.harness import HARNESS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from py_mini_racer import MiniRacer

    from conductor_async.models import JsonValue

__all__ = ["JavaScript"]

_MEMORY_LIMIT = 256 * 1024 * 1024

# A script with one of these may change more than its own variables. No other script runs in the same V8 after it.
_MAY_CHANGE_BUILT_INS = re.compile(
    r"\b(prototype|__proto__|globalThis|defineProperty|defineProperties|setPrototypeOf)\b"
)


class JavaScript:
    """Evaluates scripts, one after the other, in one V8 that starts when it is first needed.

    Args:
        time_limit: Seconds after which a script is interrupted.
    """

    def __init__(self, *, time_limit: float) -> None:
        self.time_limit = time_limit
        self._racer: MiniRacer | None = None

    def evaluate(self, source: str, bindings: Mapping[str, JsonValue]) -> JsonValue:
        """Returns the value of the last statement, with the bindings as global names.

        Raises:
            ScriptError: It failed, or took too long.
        """
        racer = self._running_racer()
        from py_mini_racer import JSOOMException, JSTimeoutException

        call = f"__conductor({json.dumps(source)},{json.dumps(json.dumps(dict(bindings)))})"
        try:
            response = racer.eval(call, timeout_sec=self.time_limit)
        except JSTimeoutException:
            limit = f"{self.time_limit:g}"
            message = f"Script not evaluated within {limit} seconds, interrupted."
            raise ScriptError(message, may_succeed_later=True) from None
        except JSOOMException:
            self.close()
            raise ScriptError("Error evaluating the script `RangeError: out of memory`") from None
        if _MAY_CHANGE_BUILT_INS.search(source):
            self.close()
        return self._result(str(response), source)

    def syntax_error(self, source: str) -> str | None:
        """Returns what is wrong with a script's syntax, in the server's form but V8's words; None if nothing is."""
        reads = self._running_racer().eval(f"__conductor_reads({json.dumps(source)})")
        return None if reads else self._syntax(source)[0]

    def close(self) -> None:
        """Frees V8 and ends its thread."""
        if self._racer is not None:
            self._racer.close()
            self._racer = None

    def _running_racer(self) -> MiniRacer:
        if self._racer is None:
            self._racer = _new_racer()
            self._racer.set_hard_memory_limit(_MEMORY_LIMIT)
            self._racer.eval(HARNESS)
        return self._racer

    def _result(self, response: str, source: str) -> JsonValue:
        kind, content = response[0], response[1:]
        if kind == "v":
            return _hash_ordered(json.loads(content))
        message, frames = json.loads(content)
        line: int | None
        if kind == "s":
            message, line = self._syntax(source)
        else:
            line = _line_of(kind, message, frames, source)
        where = "" if line is None else f" at line {line}"
        raise ScriptError(f"Error evaluating the script `{_in_graal_words(message)}`{where}")

    def _syntax(self, source: str) -> tuple[str, int]:
        """Returns message and line of a syntax error. V8 only says the position when it runs the script itself."""
        from py_mini_racer import JSParseException

        try:
            self._running_racer().eval(source)
        except JSParseException as error:
            found = _PARSE_ERROR.match(str(error))
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


def _new_racer() -> MiniRacer:
    try:
        from py_mini_racer import MiniRacer, init_mini_racer
    except ImportError as error:
        msg = "JavaScript needs mini-racer: pip install 'conductor-async[embedded]'."
        raise ScriptError(msg) from error
    # With its memory keys, V8 crashes in threads that are older than its first use.
    init_mini_racer(flags=("--single-threaded", "--no-memory-protection-keys"), ignore_duplicate_init=True)
    # In a thread of its own: created where an event loop runs, it attaches to that loop, and no script can then be
    # interrupted.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(MiniRacer).result()


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

"""Runs jq queries in libjq, without what the server's jq (jackson-jq 0.0.13) does not have.

A query that names a function that jackson-jq lacks fails with the server's message. That reads the query's text, and a
text can hide a name. So the sandbox overrides these functions too, and has neither environment nor files.
"""

from __future__ import annotations

import json
import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from conductor_async.engine.json_kinds import is_array, is_object
from conductor_async.engine.sandbox.job import ComputationFailedError, LimitExceededError, SandboxUnavailableError
from conductor_async.engine.sandbox.pool import Pool
from conductor_async.engine.scripts.interface import ScriptError

if TYPE_CHECKING:
    from conductor_async.engine.scripts.runners.jobs import Jobs
    from conductor_async.models import JsonObject, JsonValue

__all__ = ["JqQueries"]

# Functions that libjq has and jackson-jq has not.
_ABSENT_NAMES = (
    "IN INDEX JOIN abs acos acosh asin asinh atan2 atanh bsearch builtins cbrt ceil copysign cosh debug "
    "delpaths drem env erf erfc exp exp10 exp2 expm1 fabs fdim finites fma fmax fmin fmod format frexp "
    "fromdate fromdateiso8601 fromstream gamma get_jq_origin get_prog_origin get_search_list getpath gmtime "
    "halt halt_error have_decnum have_literal_numbers hypot input input_filename input_line_number inputs "
    "isempty isfinite isnormal j0 j1 jn ldexp lgamma lgamma_r localtime log log10 log1p logb ltrim mktime modf "
    "modulemeta nearbyint nextafter nexttoward normals now path pick remainder repeat rint round rtrim scalb "
    "scalbln setpath significand sinh skip stderr strflocaltime strftime strptime tan tanh tgamma toboolean "
    "todate todateiso8601 tostream trim trimstr trunc truncate_stream y0 y1 yn"
)
_ABSENT = frozenset(_ABSENT_NAMES.split())


# `@csv` and strings with `\\(…)` call `format` of the place where they are.
_POOL = Pool("jq", {"absent": sorted(_ABSENT - {"format"})})


class JqQueries:
    """Runs jq queries.

    Args:
        jobs: Runs them.
    """

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def run(self, query: str, data: JsonObject, timeout: float | None) -> list[JsonValue]:
        """Returns all results of a query on the data.

        Raises:
            ScriptError: The query is malformed, or it failed or took too long.
            JobPending: It has not ended yet.
        """
        _refuse_absent(query)
        if not _COMMENT.sub("", query).strip():
            raise ScriptError("Top-level program not given")
        try:
            results: list[JsonValue] = self._jobs.run(_POOL, timeout, query, json.dumps(data), data=[query, data])
        except ComputationFailedError as error:
            raise ScriptError(_server_message(str(error))) from error
        except LimitExceededError as error:
            is_late = error.resource == "time"
            why = f"within {self._jobs.time_limit:g} seconds" if is_late else "within its limit of memory"
            raise ScriptError(f"Query not evaluated {why}, interrupted.", may_succeed_later=is_late) from None
        except SandboxUnavailableError as error:
            library = "JSON_JQ_TRANSFORM needs jq: pip install 'conductor-async[embedded]'."
            raise ScriptError(library if error.is_library_missing else str(error)) from error
        return [_as_stored(result) for result in results]


def _server_message(message: str) -> str:
    if undefined := _UNDEFINED.match(message):
        name = undefined[1]
        return f"Undefined variable: {name}" if name.startswith("$") else f"Function {name} does not exist"
    if message.startswith("jq: error: "):
        return _LINE.sub(_user_line, message.removeprefix("jq: error: "))
    return _WRONG_INDEX.sub(_without_number, message)


# With the sandbox's prelude before it, a query without a program would be no error of libjq's.
_COMMENT = re.compile(r"#[^\n]*")

_UNDEFINED = re.compile(r"jq: error: (\S+) is not defined")
_LINE = re.compile(r"(?<=, line )\d+")


def _user_line(found: re.Match[str]) -> str:
    """Returns a line number of the query, before which the sandbox puts a line of its own."""
    return str(max(int(found[0]) - 1, 1))


_WRONG_INDEX = re.compile(
    r'^(Cannot index \w+ with )(?:(?P<number>number) \(.*\)|(?:string )?\(?(?P<key>".*?")\)?)$', re.DOTALL
)
"""The message differs between versions of libjq: some name the number, some have parentheses."""


def _without_number(found: re.Match[str]) -> str:
    return found[1] + (found["number"] or f"string {found['key']}")


@lru_cache(maxsize=1024)
def _refuse_absent(query: str) -> None:
    defined: set[str] = set()
    previous = ""
    for found in _TOKEN.finditer(query):
        word = found[0]
        if word[0] == '"':
            for inner in _INTERPOLATED.finditer(word):
                _refuse_absent(inner[1])
        elif previous == "def":
            defined.add(word)
        elif word in ("$ENV", "$__loc__", "$__prog_args"):
            raise ScriptError(f"Undefined variable: {word}")
        elif word == "@base64d":
            raise ScriptError("Formatting operator @base64d does not exist")
        elif word in _ABSENT and word not in defined and not _is_key(query, found.end()):
            raise ScriptError(f"Function {word}/{_arity(query, found.end())} does not exist")
        elif word == "error" and not query[found.end() :].lstrip().startswith("(") and not _is_key(query, found.end()):
            raise ScriptError("Function error/0 does not exist")
        previous = word


_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|(?<![.\w$])[@$]?[A-Za-z_]\w*', re.DOTALL)
_INTERPOLATED = re.compile(r"\\\((.*?)\)", re.DOTALL)


def _is_key(query: str, end: int) -> bool:
    """Whether the word that ends there names a field: `{path: 1}`."""
    return query[end:].lstrip().startswith(":")


def _arity(query: str, end: int) -> int:
    rest = query[end:].lstrip()
    if not rest.startswith("("):
        return 0
    depth = count = 0
    for character in rest:
        depth += (character in "([{") - (character in ")]}")
        count += character == ";" and depth == 1
        if depth == 0:
            break
    return count + 1


def _as_stored(value: JsonValue) -> JsonValue:
    """Returns the value as the server stores it: numbers that JSON has not become strings."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if is_object(value):
        return {key: _as_stored(item) for key, item in value.items()}
    if is_array(value):
        return [_as_stored(item) for item in value]
    return value

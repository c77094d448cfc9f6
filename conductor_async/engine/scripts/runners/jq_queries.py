"""Runs jq queries in libjq, without what the server's jq (jackson-jq 0.0.13) does not have."""

from __future__ import annotations

import json
import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, cast

from conductor_async.engine.json_kinds import is_array, is_object
from conductor_async.engine.scripts.interface import ScriptError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conductor_async.models import JsonObject, JsonValue

__all__ = ["run_query"]

# Functions that libjq has and jackson-jq has not. Some of them would also expose this machine to a definition.
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


class _Program(Protocol):
    def input_text(self, text: str) -> Iterable[JsonValue]: ...


def run_query(query: str, data: JsonObject) -> list[JsonValue]:
    """Returns all results of a query on the data.

    Raises:
        ScriptError: The query is malformed, or it failed.
    """
    _refuse_absent(query)
    program = _compiled(query)
    try:
        return [_as_stored(result) for result in program.input_text(json.dumps(data))]
    except ValueError as error:
        raise ScriptError(_WRONG_INDEX.sub(_without_number, str(error))) from error


_WRONG_INDEX = re.compile(
    r'^(Cannot index \w+ with )(?:(?P<number>number) \(.*\)|(?:string )?\(?(?P<key>".*?")\)?)$', re.DOTALL
)
"""The message differs between versions of libjq: some name the number, some have parentheses."""


def _without_number(found: re.Match[str]) -> str:
    return found[1] + (found["number"] or f"string {found['key']}")


@lru_cache(maxsize=1024)
def _compiled(query: str) -> _Program:
    try:
        import jq
    except ImportError as error:
        raise ScriptError("JSON_JQ_TRANSFORM needs jq: pip install 'conductor-async[embedded]'.") from error
    try:
        return cast("_Program", cast("Any", jq).compile(query))
    except ValueError as error:
        message = str(error)
        if undefined := _UNDEFINED.search(message):
            name = undefined[1]
            text = f"Undefined variable: {name}" if name.startswith("$") else f"Function {name} does not exist"
            raise ScriptError(text) from error
        raise ScriptError(message.removeprefix("jq: error: ")) from error


_UNDEFINED = re.compile(r"jq: error: (\S+) is not defined")


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

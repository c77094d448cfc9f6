"""JavaScript and jq: tables that the engine and the real server run alike; no script affects the next."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from conductor_async.engine.sandbox.job import JobPending
from conductor_async.engine.scripts.interface import ScriptError
from conductor_async.engine.scripts.runners import DefaultScripts
from tests.engine.real_server import execute

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

INPUT: dict[str, Any] = {
    "i": 7,
    "f": 2.0,
    "s": "abc",
    "b": True,
    "n": None,
    "l": [1, 2, 3],
    "o": {"a": 1, "b": {"c": 2}},
    "people": [{"name": "Ann", "age": 20}],
}

JAVASCRIPT: dict[str, Any] = {
    "1+2": 3,
    "1/3": 1 / 3,
    "4.0": 4,
    "$.f": 2,
    "$.i + 1": 8,
    "$.i > 3 && $.b": True,
    "$.s.toUpperCase()": "ABC",
    '"a" + $.i': "a7",
    "$.n === null": True,
    "$.nope": None,
    "undefined": None,
    "2**60": 1152921504606846976,
    "2**63": 9.223372036854776e18,
    "1e20": 1e20,
    "-0": -0.0,
    "0/0": "NaN",
    "[1/0]": ["Infinity"],
    "10n": 10,
    "new Date(0)": {},
    "(x) => 1": {},
    "new Map([['a', 1]])": {"a": 1},
    "new Set([1])": {},
    "new String('a')": "a",
    "[1,,2]": [1, None, 2],
    "({a: undefined, b: {d: 1, c: 2}})": {"a": None, "b": {"c": 2, "d": 1}},
    "(function(){ return {x: $.o, l: [1, {c: null}]} })()": {"x": INPUT["o"], "l": [1, {"c": None}]},
    "const f = (x) => x + 1; f($.i)": 8,
    "if ($.i > 3) { 'large' } else { 'small' }": "large",
    "function e() { if ($.i > 3) { return 'x'; } else { return 'y'; } } e();": "x",
    "var sum = 0; for (const each of $.l) sum += each; sum": 6,
    "$.l.filter(x => x > 1).map(x => x * 2)": [4, 6],
    "$.people.find(p => p.age > 18).name": "Ann",
    "$.o.z = 5; $.o": {"a": 1, "b": {"c": 2}, "z": 5},
    "$.l.push(4); $.l.length": 4,
    "`${$.s}!`": "abc!",
    "JSON.stringify({a: $.i})": '{"a":7}',
}

BROKEN: dict[str, str] = {
    "nope.x": "Error evaluating the script `ReferenceError: nope is not defined` at line 1",
    "1;\n\nnope": "Error evaluating the script `ReferenceError: nope is not defined` at line 3",
    "$.nope.x": "Error evaluating the script `TypeError: Cannot read property 'x' of undefined` at line 1",
    "$.n.x": "Error evaluating the script `TypeError: Cannot read property 'x' of null` at line 1",
    "throw new Error('boom')": "Error evaluating the script `Error: boom`",
    "throw 'x'": "Error evaluating the script `x` at line 1",
    "throw {a: 1}": "Error evaluating the script `Error` at line 1",
    "[].reduce((a, b) => a)": "Error evaluating the script `TypeError: Reduce of empty array with no initial value`",
    "console.log('x')": "Error evaluating the script `ReferenceError: console is not defined` at line 1",
    "null()": "Error evaluating the script `TypeError: null is not a function` at line 1",
}

JQ: dict[str, list[Any]] = {
    ".l": [[1, 2, 3]],
    ".l[]": [1, 2, 3],
    ".nope": [None],
    "empty": [],
    ".l | map(.+1)": [[2, 3, 4]],
    "{x: .l[0], y: .s}": [{"x": 1, "y": "abc"}],
    "[.people[] | select(.age > 18) | .name]": [["Ann"]],
    ".o | to_entries | map(.key)": [["a", "b"]],
    "1/3": [1 / 3],
    ".s | ascii_upcase": ["ABC"],
    "reduce .l[] as $x (0; . + $x)": [6],
    "def twice(x): x * 2; twice(3)": [6],
    ".l | @csv": ["1,2,3"],
    '"\\(.s)!"': ["abc!"],
    "{path: 1, now: 2}": [{"path": 1, "now": 2}],
}

BROKEN_JQ: dict[str, str] = {
    'error("boom")': "boom",
    ".s + 1": 'string ("abc") and number (1) cannot be added',
    ".i.a": 'Cannot index number with string "a"',
    '.i["a(b)"]': 'Cannot index number with string "a(b)"',
    ".o[0]": "Cannot index object with number",
    "now": "Function now/0 does not exist",
    "input": "Function input/0 does not exist",
    "env.HOME": "Function env/0 does not exist",
    '"\\(env)"': "Function env/0 does not exist",
    "$ENV": "Undefined variable: $ENV",
    "$x": "Undefined variable: $x",
    'getpath(["a", 0])': "Function getpath/1 does not exist",
    "setpath([]; 1)": "Function setpath/2 does not exist",
    "foo(1)": "Function foo/1 does not exist",
}


@pytest.fixture(scope="module")
def scripts() -> Iterator[DefaultScripts]:
    with DefaultScripts() as scripts:
        yield scripts


@pytest.mark.parametrize("source", JAVASCRIPT)
def test_scripts_have_the_values_of_the_table(source: str, scripts: DefaultScripts) -> None:
    assert _written(scripts.javascript(source, {"$": INPUT})) == _written(JAVASCRIPT[source])


@pytest.mark.parametrize("source", BROKEN)
def test_scripts_fail_with_the_messages_of_the_table(source: str, scripts: DefaultScripts) -> None:
    with pytest.raises(ScriptError) as caught:
        scripts.javascript(source, {"$": INPUT})
    assert str(caught.value) == BROKEN[source]


@pytest.mark.server
def test_scripts_have_the_same_values_on_the_server(server_url: str, new_name: Callable[[str], str]) -> None:
    found = _inline(server_url, new_name("scripts"), list(JAVASCRIPT))
    assert {source: _written(each["result"]) for source, each in found.items()} == {
        source: _written(value) for source, value in JAVASCRIPT.items()
    }


@pytest.mark.server
def test_scripts_fail_with_the_same_messages_on_the_server(server_url: str, new_name: Callable[[str], str]) -> None:
    found = _inline(server_url, new_name("broken"), list(BROKEN))
    assert {source: each["error"] for source, each in found.items()} == BROKEN


@pytest.mark.parametrize("query", JQ)
def test_queries_have_the_results_of_the_table(query: str, scripts: DefaultScripts) -> None:
    assert scripts.jq(query, INPUT) == JQ[query]


@pytest.mark.parametrize("query", BROKEN_JQ)
def test_queries_fail_with_the_messages_of_the_table(query: str, scripts: DefaultScripts) -> None:
    with pytest.raises(ScriptError) as caught:
        scripts.jq(query, INPUT)
    assert str(caught.value) == BROKEN_JQ[query]


def test_a_malformed_query_fails(scripts: DefaultScripts) -> None:
    with pytest.raises(ScriptError, match="syntax error"):
        scripts.jq(".a[", INPUT)


@pytest.mark.server
def test_queries_have_the_same_results_on_the_server(server_url: str, new_name: Callable[[str], str]) -> None:
    tasks = [
        {
            "name": "jq",
            "taskReferenceName": f"r{number}",
            "type": "JSON_JQ_TRANSFORM",
            "inputParameters": {**INPUT, "queryExpression": query},
        }
        for number, query in enumerate([*JQ, *BROKEN_JQ])
    ]
    found = {each["inputData"]["queryExpression"]: each for each in _in_branches(server_url, new_name("jq"), tasks)}
    assert {query: found[query]["outputData"].get("resultList") for query in JQ} == JQ
    assert {query: found[query]["reasonForIncompletion"] for query in BROKEN_JQ} == BROKEN_JQ


def test_syntax_is_checked_without_running_the_script(scripts: DefaultScripts) -> None:
    assert scripts.check_javascript("let a = 1; nope(); while (true) {}") is None
    assert scripts.check_javascript("let a = 1") is None
    assert scripts.check_javascript("1 +* 2") == "SyntaxError: inline:1:3 Unexpected token '*'\n1 +* 2\n   ^\n"
    assert (scripts.check_javascript("return 5") or "").startswith("SyntaxError: inline:1:0 ")


def test_a_syntax_error_names_line_and_column(scripts: DefaultScripts) -> None:
    with pytest.raises(ScriptError) as caught:
        scripts.javascript("\n\n1 +* 2", {})
    assert str(caught.value) == (
        "Error evaluating the script `SyntaxError: inline:3:3 Unexpected token '*'\n1 +* 2\n   ^\n` at line 3"
    )


@pytest.mark.parametrize(
    "first",
    [
        "x = 5; var y = 6; let z = 7; function f() {}",
        "globalThis.x = 5",
        "Array.prototype.x = 5; Object.prototype.y = 6",
        "JSON.__proto__.z = 1",
        "$.x = 5",
    ],
)
def test_a_script_does_not_see_what_another_left_behind(first: str, scripts: DefaultScripts) -> None:
    data = {"o": {}}
    scripts.javascript(first, {"$": data, "x": 1})
    left = scripts.javascript("[typeof x, typeof y, typeof z, typeof f, [].x, ({}).y, JSON.z, $.x]", {"$": data})
    assert left == ["undefined"] * 4 + [None] * 4
    assert data == {"o": {}}


def test_a_script_that_takes_too_long_is_interrupted_and_the_next_runs() -> None:
    with DefaultScripts(time_limit=0.2) as scripts:
        with pytest.raises(ScriptError, match=r"Script not evaluated within 0.2 seconds, interrupted\.") as caught:
            scripts.javascript("x = 5; while (true) {}", {})
        assert caught.value.may_succeed_later
        assert scripts.javascript("typeof x", {}) == "undefined"


def test_scripts_can_be_used_after_closing() -> None:
    scripts = DefaultScripts()
    assert scripts.javascript("1", {}) == 1
    scripts.close()
    scripts.close()
    assert scripts.javascript("2", {}) == 2
    scripts.close()


def test_a_script_that_has_not_ended_is_found_again(scripts: DefaultScripts) -> None:
    source = "const end = Date.now() + 300; while (Date.now() < end); $.a"
    with pytest.raises(JobPending) as pending:
        scripts.javascript(source, {"$": {"a": 1}}, timeout=0)
    with pytest.raises(JobPending) as again:
        scripts.javascript(source, {"$": {"a": 1}}, timeout=0)
    assert again.value.job is pending.value.job
    pending.value.job.wait()
    assert scripts.javascript(source, {"$": {"a": 1}}, timeout=0) == 1


def test_bindings_are_global_names(scripts: DefaultScripts) -> None:
    assert scripts.javascript("a + $.b", {"a": 1, "$": {"b": 2}}) == 3
    assert scripts.javascript("$['__proto__'].x", {"$": {"__proto__": {"x": 1}}}) == 1


def test_a_circular_result_is_an_error(scripts: DefaultScripts) -> None:
    with pytest.raises(ScriptError, match="Maximum call stack size exceeded"):
        scripts.javascript("const a = {}; a.a = a; a", {})


def test_any_text_goes_in_and_out_unchanged(scripts: DefaultScripts) -> None:
    text = "é中😀\u2028\u0000'\"\\`${}"
    assert scripts.javascript("$.t", {"$": {"t": text}}) == text


def _inline(server_url: str, name: str, sources: list[str]) -> dict[str, Any]:
    tasks = [
        {
            "name": "inline",
            "taskReferenceName": f"r{number}",
            "type": "INLINE",
            "inputParameters": {**INPUT, "evaluatorType": "graaljs", "expression": source},
        }
        for number, source in enumerate(_escaped(source) for source in sources)
    ]
    rows = _in_branches(server_url, name, tasks)
    return {each["inputData"]["expression"]: each["outputData"] for each in rows}


def _escaped(source: str) -> str:
    return source.replace("${", "$${")


def _in_branches(server_url: str, name: str, tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The tasks' rows, each in a workflow of its own if it fails, so that it stops no other."""
    optional = [{**task, "optional": True} for task in tasks]
    return execute(server_url, name, optional, {})["tasks"]


def _written(value: Any) -> str:
    return json.dumps(value, sort_keys=True)

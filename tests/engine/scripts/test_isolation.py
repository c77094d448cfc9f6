"""What scripts must not reach, and what must not go on for ever."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from conductor_async.engine.scripts.interface import ScriptError
from conductor_async.engine.scripts.runners import DefaultScripts

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "query",
    [
        "$ENV",
        "env",
        '# "\n$ENV # "',
        '# "\nenv # "',
        '"\\("\\($ENV)")"',
        "[$__prog_args]",
        "input_filename",
        '# "\ninput_filename #"',
        '# "\n"creds" | modulemeta #"',
        '# "\nget_search_list #"',
        '# "\ninput #"',
        '# "\n[inputs] #"',
        '# "\nhalt #"',
        '# "\ndebug #"',
        '# "\nstderr #"',
    ],
)
def test_queries_see_nothing_of_the_machine(query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOMETHING_SECRET", "leaked")
    with DefaultScripts() as scripts:
        try:
            results = scripts.jq(query, {"own": 1})
        except ScriptError:
            return
    assert "leaked" not in json.dumps(results)
    assert results in ([None], ["null"], [[None]])


@pytest.mark.parametrize("statement", ["import", "include"])
@pytest.mark.parametrize("prefix", ["", '# "\n', "# x\n"])
def test_queries_read_no_modules(statement: str, prefix: str, tmp_path: Path) -> None:
    (tmp_path / "creds.json").write_text('{"key": "leaked"}')
    (tmp_path / "creds.jq").write_text('def key: "leaked";')
    rest = "as $c " if statement == "import" else ""
    query = f'{prefix}{statement} "creds" {rest}{{search: "{tmp_path}"}}; .'
    with DefaultScripts() as scripts, pytest.raises(ScriptError, match="syntax error"):
        scripts.jq(query, {})


@pytest.mark.parametrize(
    "query", ["def f: f; f", "[limit(1e9; 0 | recurse(. + 1))] | length", "[range(1e10)] | length"]
)
def test_queries_that_do_not_end_are_interrupted(query: str) -> None:
    with DefaultScripts(time_limit=0.5) as scripts:
        with pytest.raises(ScriptError, match="interrupted"):
            scripts.jq(query, {})
        assert scripts.jq(".a", {"a": 1}) == [1]


@pytest.mark.parametrize(
    "script",
    [
        "/^(a+)+$/.test('a'.repeat(40) + 'b')",
        "const l = []; for (;;) l.push(new Uint8Array(1 << 26).fill(1))",
        "decodeURI('%41'.repeat(1 << 20)).repeat(1 << 9)",
        "let s = 'x'; for (;;) s += s",
        "const l = []; for (;;) l.push('x'.repeat(1000) + l.length)",
    ],
)
def test_scripts_end_within_time_and_memory(script: str) -> None:
    with DefaultScripts(time_limit=0.5) as scripts:
        with pytest.raises(ScriptError):
            scripts.javascript(script, {})
        assert scripts.javascript("1 + 1", {}) == 2

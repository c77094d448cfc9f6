"""Generates templates, valid and malformed, over the input of `cases`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

_STARTS = [
    *(
        f"workflow.input{rest}"
        for rest in ("", ".l", ".o", ".people", ".nums", ".s", ".n", ".nothing", ".o.a", ".slash")
    ),
    *("workflow.variables.v", "before.output", "before.input", "nobody.output", "before.status"),
]
_NAMES = ["s", "i", "l", "o", "k", "a", "b", "c", "name", "age", "tags", "nope", "dash-key", "input", "v"]
_INDEXES = [
    "0",
    "1",
    "-1",
    "9",
    "0,1",
    "-9",
    "0:2",
    "1:",
    "-2:",
    ":1",
    ":-1",
    "-2:-1",
    "*",
    " 0 ",
    "x",
    "",
    "'s'",
    "'name','age'",
]
_FUNCTIONS = [
    "length()",
    "size()",
    "sum()",
    "avg()",
    "min()",
    "stddev()",
    "concat()",
    "keys()",
    "first()",
    "last()",
    "index(1)",
]
_CONDITIONS = [
    "@.k",
    "!@.k",
    "@.age > 18",
    "@.age>=17 && @.name=='Bob'",
    "@.name == 'Ann' || @.age < 18",
    "@.name =~ /a.*/i",
    "@.tags empty true",
    "@.name in ['Ann','Cid']",
    "@.tags contains 'a'",
    "@ > 1",
    "@ == 'two'",
    "@.age === 30",
    "!(@.age > 18)",
    "@.k[0] == 10",
    "@.age = 3",
]


def generate_templates(choose: random.Random, count: int) -> list[str]:
    """Templates: mostly one expression, sometimes several with text between, sometimes nested or broken."""
    return [_text(choose) for _ in range(count)]


def _text(choose: random.Random) -> str:
    if choose.random() < 0.7:
        return _expression(choose)
    pieces = ["a", "$", "$$", "{", "}", " ", "\n", "$${x}", "${}", _expression(choose), _expression(choose)]
    return "".join(choose.choice(pieces) for _ in range(choose.randint(1, 5)))


def _expression(choose: random.Random, depth: int = 0) -> str:
    path = choose.choice(_STARTS) + "".join(_step(choose) for _ in range(choose.choice([0, 1, 1, 1, 2, 2, 3])))
    if depth < 2 and choose.random() < 0.1:
        path += "." + _expression(choose, depth + 1)
    return "${" + path + "}"


def _step(choose: random.Random) -> str:
    """No wildcard after a scan: what the server gives for these depends on what it has evaluated before."""
    kind = choose.random()
    if kind < 0.5:
        return "." + choose.choice(_NAMES)
    if kind < 0.7:
        return f"[{choose.choice(_INDEXES)}]"
    if kind < 0.8:
        return "." + choose.choice(_FUNCTIONS)
    if kind < 0.97:
        return f"[?({choose.choice(_CONDITIONS)})]"
    return choose.choice(["..", " ", "[", "]", "'", ".", "(", "@", "$"])

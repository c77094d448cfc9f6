"""JSON of any depth is read, and what is not JSON is refused, by the reader for what the fast parsers do not take."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import pytest

from conductor_async._http.json_reader import _DeepReader, read_json
from tests.fakes.cases import each_case


def deep(levels: int, *, inside: str = "1") -> str:
    """Lists and objects in turn, with members around what is nested."""
    half = levels // 2
    return '[0,{"b":[],"a": ' * half + inside + ' ,"c":"x"} , null]' * half


@each_case("levels", [2, 198, 300, 1_000, 1_100, 20_000])
def test_any_depth_is_read(levels: int) -> None:
    value = read_json(deep(levels).encode())
    for _ in range(levels // 2):
        zero, inner, null = value
        assert (zero, null, inner["b"], inner["c"]) == (0, None, [], "x")
        value = inner["a"]
    assert value == 1


@each_case("inside", ["", "{", "[1,]", "1 2", '"a', "{1:2}", '{"a" 1}', '{"a":}', "[,1]", "nul", "'a'", "]", "\x00"])
@each_case("levels", [0, 2, 2_000])
def test_what_is_not_json_is_refused_at_any_depth(inside: str, levels: int) -> None:
    with pytest.raises(ValueError, match=r"line 1 column"):
        read_json(deep(levels, inside=inside).encode())


def test_truncated_json_is_refused_wherever_it_ends() -> None:
    text = json.dumps([{"a": [1, {"b": 'ü\\"x'}, [], {}], "c": None}, True, 1.5e3]) + " "
    for end in range(len(text) - 1):
        with pytest.raises(ValueError, match="line 1 column"):
            _DeepReader(text[:end]).read()


def random_value(choose: random.Random, depth: int) -> Any:
    kind = choose.randrange(9 if depth else 6)
    if kind < 6:
        return choose.choice([None, True, -0.5, 10**30, math.pi, "", 'a"\\\n', "ünï", "🚀", "\udc80"])
    if kind == 6:
        return {str(number): random_value(choose, depth - 1) for number in range(choose.randrange(4))}
    return [random_value(choose, depth - 1) for _ in range(choose.randrange(4))]


def test_the_deep_reader_reads_what_the_standard_library_reads() -> None:
    choose = random.Random(7)
    for _ in range(2_000):
        text = json.dumps(random_value(choose, 6), indent=choose.choice([None, 1]), ensure_ascii=choose.random() < 0.5)
        spaced = f"\r\n\t {text} \n"
        assert _DeepReader(spaced).read() == json.loads(spaced)


def test_bytes_that_are_no_utf8_are_kept_apart() -> None:
    assert read_json(b'\xef\xbb\xbf["a\xffb", "\xc3\xbc"]') == ["a\udcffb", "ü"]

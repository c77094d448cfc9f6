"""The grammar of `${…}`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conductor_async._language.expressions import Expression, expressions_in, is_blank, keys_after


@pytest.mark.parametrize(
    ("text", "contents"),
    [
        ("", []),
        ("${a}", ["a"]),
        ("x ${a.b} y ${c}", ["a.b", "c"]),
        ("${a.${b}.c}", ["a.${b}.c", "b"]),
        ("$${a} $$${b} ${c}", ["c"]),
        ("${a", [None]),
        ("{${a}}", ["a"]),
        ("${a{b}c}", ["a{b}c"]),
        ("$ {a} $a {b}", []),
    ],
)
def test_outer_expressions_come_before_inner_ones(text: str, contents: list[str | None]):
    assert [found.content for found in expressions_in(text)] == contents


@given(st.text(st.sampled_from("${}a. ")))
def test_expressions_are_parts_of_their_text(text: str):
    for found in expressions_in(text):
        assert found.text in text
        assert found.content is None or found.text == f"${{{found.content}}}"


def test_expressions_within_an_escaped_one_are_found_and_nothing_after_an_unclosed_one():
    assert [found.content for found in expressions_in("$${a ${b}} ${c ${d}")] == ["b", None]


def test_the_root_comes_before_the_first_dot_and_is_empty_if_an_inner_expression_gives_it():
    assert [Expression(content, "").root for content in ("a.output", "workflow", "${b}.output", None)] == [
        "a",
        "workflow",
        "",
        "",
    ]


def test_keys_are_read_up_to_the_first_filter_index_or_function():
    assert list(keys_after("a.output.b['c d'].e[0].f", "a.output")) == ["b", "c d", "e"]
    assert list(keys_after("a.output.length()", "a.output")) == []


def test_blank_is_what_java_takes_for_white_space():
    assert [is_blank(text) for text in ("", " \t", "\u2003", "\xa0", "a")] == [True, True, True, False, False]

from __future__ import annotations

import pytest

from conductor_async.devserver.exchange import Request, as_json
from conductor_async.engine.errors import Refused


def ask(query: str = "", body: bytes = b"", kind: str = "application/json") -> Request:
    return Request("GET", "/api/x", query, kind, body)


@pytest.mark.parametrize(("given", "value"), [("true", True), ("YES", True), ("1", True), ("off", False), ("", True)])
def test_flags_are_read_as_the_server_reads_them(given: str, value: bool) -> None:
    assert ask(f"includeTasks={given}").flag("includeTasks", True) is value


def test_a_flag_that_is_none_is_refused() -> None:
    with pytest.raises(Refused, match=r"Invalid boolean value \[maybe\]"):
        ask("includeTasks=maybe").flag("includeTasks")


@pytest.mark.parametrize("given", ["abc", "1.0", "--1", "²", " 1"])
def test_a_number_that_is_none_is_refused_in_the_servers_words(given: str) -> None:
    with pytest.raises(Refused, match="Method parameter 'count': Failed to convert value of type"):
        ask(f"count={given}").number_or("count", 1)


def test_numbers_may_have_signs_and_may_be_missing() -> None:
    assert ask("count=-1").number_or("count", 1) == -1
    assert ask("count=%2B2").number_or("count", 1) == 2
    assert ask("count=").number_or("count", 1) == 1
    assert ask().number("version") is None
    assert ask("size=2&size=9").number_or("size", 100) == 2


def test_a_parameter_may_be_repeated_or_have_commas() -> None:
    assert ask("status=A&status=B").texts("status") == ["A", "B"]
    assert ask("status=A,B").texts("status") == ["A", "B"]
    assert ask().texts("status") == []


def test_what_is_required_has_to_be_there() -> None:
    with pytest.raises(Refused, match="Required request parameter 'path' for method parameter type String"):
        ask("operation=READ").required("path")


@pytest.mark.parametrize(
    ("body", "kind", "complaint"),
    [
        (b"", "application/json", "Required request body is missing"),
        (b"null", "application/json", "Required request body is missing"),
        (b"{bad", "application/json", "JSON parse error"),
        (b'{"a": NaN}', "application/json", "JSON parse error"),
        (b"[]", "application/json", r"from Array value \(token `JsonToken.START_ARRAY`\)"),
        (b"true", "application/json", r"from Boolean value \(token `JsonToken.VALUE_TRUE`\)"),
        (b'"x"', "application/json", r"deserialize from String value \('x'\)"),
        (b"{}", "text/plain;charset=UTF-8", "Content-Type 'text/plain;charset=UTF-8' is not supported"),
        (b"{}", "", "Content-Type 'application/octet-stream' is not supported"),
    ],
)
def test_a_body_that_is_no_object_is_refused_in_the_servers_words(body: bytes, kind: str, complaint: str) -> None:
    with pytest.raises(Refused, match=complaint):
        ask(body=body, kind=kind).object()


def test_lists_are_lists_of_objects() -> None:
    assert ask(body=b'[{"a": 1}]').objects("Thing") == [{"a": 1}]
    with pytest.raises(Refused, match=r"`java\.util\.ArrayList<Thing>` from Object value"):
        ask(body=b"{}").objects("Thing")
    with pytest.raises(Refused, match="from Integer value"):
        ask(body=b"[1]").objects("Thing")


def test_ids_may_be_given_as_numbers() -> None:
    assert ask(body=b'["a", 1]').strings() == ["a", "1"]


def test_numbers_that_json_lacks_are_written_as_strings() -> None:
    assert as_json({"a": float("nan"), "b": float("inf"), "c": 10**30}).body == (
        b'{"a":"NaN","b":"Infinity","c":1000000000000000000000000000000}'
    )

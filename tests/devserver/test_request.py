from __future__ import annotations

import pytest

from conductor_async.devserver.request import Request
from conductor_async.devserver.response import json_response
from conductor_async.engine.errors import Refused


def request(query: str = "", body: bytes = b"", kind: str = "application/json") -> Request:
    return Request("GET", "/api/x", query, kind, body)


@pytest.mark.parametrize(("given", "value"), [("true", True), ("YES", True), ("1", True), ("off", False), ("", True)])
def test_flags_are_read_as_the_server_reads_them(given: str, value: bool) -> None:
    assert request(f"includeTasks={given}").flag("includeTasks", True) is value


def test_a_flag_that_is_not_a_boolean_is_rejected() -> None:
    with pytest.raises(Refused, match=r"Invalid boolean value \[maybe\]"):
        request("includeTasks=maybe").flag("includeTasks")


@pytest.mark.parametrize("given", ["abc", "1.0", "--1", "²", " 1"])
def test_a_value_that_is_not_a_whole_number_is_rejected_with_the_servers_message(given: str) -> None:
    with pytest.raises(Refused, match="Method parameter 'count': Failed to convert value of type"):
        request(f"count={given}").number_or("count", 1)


def test_numbers_can_have_signs_and_be_missing() -> None:
    assert request("count=-1").number_or("count", 1) == -1
    assert request("count=%2B2").number_or("count", 1) == 2
    assert request("count=").number_or("count", 1) == 1
    assert request().number("version") is None
    assert request("size=2&size=9").number_or("size", 100) == 2


def test_a_parameter_can_be_repeated_or_have_commas() -> None:
    assert request("status=A&status=B").texts("status") == ["A", "B"]
    assert request("status=A,B").texts("status") == ["A", "B"]
    assert request().texts("status") == []


def test_a_missing_required_parameter_is_rejected() -> None:
    with pytest.raises(Refused, match="Required request parameter 'path' for method parameter type String"):
        request("operation=READ").required("path")


@pytest.mark.parametrize(
    ("body", "kind", "message"),
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
def test_a_body_that_is_not_an_object_is_rejected_with_the_servers_message(
    body: bytes, kind: str, message: str
) -> None:
    with pytest.raises(Refused, match=message):
        request(body=body, kind=kind).json_object()


def test_a_list_must_hold_objects() -> None:
    assert request(body=b'[{"a": 1}]').json_objects("Thing") == [{"a": 1}]
    with pytest.raises(Refused, match=r"`java\.util\.ArrayList<Thing>` from Object value"):
        request(body=b"{}").json_objects("Thing")
    with pytest.raises(Refused, match="from Integer value"):
        request(body=b"[1]").json_objects("Thing")


def test_ids_can_be_numbers() -> None:
    assert request(body=b'["a", 1]').json_strings() == ["a", "1"]


def test_nan_and_infinity_are_written_as_strings() -> None:
    assert json_response({"a": float("nan"), "b": float("inf"), "c": 10**30}).body == (
        b'{"a":"NaN","b":"Infinity","c":1000000000000000000000000000000}'
    )

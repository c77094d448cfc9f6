"""The output of an execution as the type that the caller asks for."""

from __future__ import annotations

import dataclasses

import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

from conductor_async import ConfigurationError
from conductor_async.errors import ResponseDecodeError
from conductor_async.execution._outputs import output_validator


class Line(BaseModel):
    price: float


class Order(BaseModel):
    total: float
    lines: list[Line] = []


@dataclasses.dataclass
class Bill:
    total: float


class Receipt(TypedDict):
    total: float


@pytest.mark.parametrize(
    ("output", "kind", "result"),
    [
        ({"total": 5, "lines": [{"price": 1}]}, Order, Order(total=5, lines=[Line(price=1)])),
        ({"total": "5.5"}, Bill, Bill(total=5.5)),
        ({"total": 5}, Receipt, {"total": 5}),
        ({"total": 5}, dict[str, int], {"total": 5}),
        ({"total": 5}, Order | None, Order(total=5)),
        ({"result": 5}, int, 5),
        ({"result": [{"price": 1}]}, list[Line], [Line(price=1)]),
        ({"result": 5}, dict[str, int], {"result": 5}),
        ({"result": None}, str | None, None),
    ],
)
def test_the_output_is_validated_as_the_type_asked_for(output, kind, result):
    found = output_validator(kind)(output, "workflow id-1")
    assert found == result
    assert type(found) is type(result)


@pytest.mark.parametrize(
    ("output", "kind", "text"),
    [
        ({"total": "canary"}, Order, "is not a valid Order: total: Input should be a valid number"),
        ({"total": 1, "lines": [{}]}, Order, r"is not a valid Order: lines\[0\]\.price: Field required"),
        ({"other": 5}, int, "is not a valid int: as a whole: Input should be a valid integer"),
        ({"result": "canary"}, int, "is not a valid int: as a whole: Input should be a valid integer"),
        ({"result": 1, "more": 2}, list[int], r"is not a valid list\[int\]: as a whole"),
        ({"result": [*"canary" * 3]}, list[int], r"\[9\]: .*; and 8 more\.$"),
    ],
)
def test_an_invalid_output_is_described_place_by_place_and_never_shown(output, kind, text):
    with pytest.raises(ResponseDecodeError, match=text) as caught:
        output_validator(kind)(output, "workflow id-1")
    assert "workflow id-1" in str(caught.value)
    assert "canary" not in str(caught.value)


def test_what_is_not_a_type_is_rejected():
    with pytest.raises(ConfigurationError, match="type=60 is not a type that pydantic can validate"):
        output_validator(60)

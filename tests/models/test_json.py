"""Values to JSON: what is taken, what is refused, and where."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import json
import math
import uuid
from collections import OrderedDict, deque, namedtuple
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field
from pydantic import dataclasses as pydantic_dataclasses

from conductor_async.errors import PayloadError
from conductor_async.models import StartWorkflowRequest, TaskDef, TaskResult, WorkflowDef, WorkflowTask, encode_json
from tests.fakes.cases import each_case


class Colour(enum.Enum):
    RED = "red"
    BOTH = ("red", "blue")


class Level(enum.IntEnum):
    HIGH = 3


class Word(enum.StrEnum):
    YES = "yes"


class Reference(str):
    """Text that knows more than its text."""

    __slots__ = ()


@dataclasses.dataclass
class Line:
    price: Any
    _hidden: str = "shown: it is a field"


class Customer(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    full_name: str = Field(alias="fullName")
    tags: set[str] = set()
    born: dt.date | None = None


@pydantic_dataclasses.dataclass
class Shipment:
    weight_grams: int = Field(serialization_alias="weightGrams")


Point = namedtuple("Point", "x y")  # noqa: PYI024 - the plain one is meant


@each_case(
    ("value", "expected"),
    [
        ({"a": [1, 2.5, None, True, "é\n\"'"]}, {"a": [1, 2.5, None, True, "é\n\"'"]}),
        ((1, (2, 3)), [1, [2, 3]]),
        ({"b", "a", "c"}, ["a", "b", "c"]),
        (frozenset({2, 1}), [1, 2]),
        (deque([1, 2]), [1, 2]),
        (Point(1, 2), [1, 2]),
        (OrderedDict(b=1), {"b": 1}),
        (MappingProxyType({"a": (1,)}), {"a": [1]}),
        (Colour.RED, "red"),
        (Colour.BOTH, ["red", "blue"]),
        ({Level.HIGH: Level.HIGH, Word.YES: Word.YES}, {"3": 3, "yes": "yes"}),
        ({7: "a", None: "b", True: "c", 2.5: "d"}, {"7": "a", "null": "b", "true": "c", "2.5": "d"}),
        ({Colour.RED: 1, uuid.UUID(int=1): {"x": {2}}}, {"red": 1, str(uuid.UUID(int=1)): {"x": [2]}}),
        (Reference("${workflow.input.a}"), "${workflow.input.a}"),
        (dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC), "2026-01-02T03:04:05Z"),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (dt.timedelta(minutes=1), "PT1M"),
        (decimal.Decimal("1.10"), "1.10"),
        (uuid.UUID(int=7), str(uuid.UUID(int=7))),
        (PurePosixPath("/a/b"), "/a/b"),
        (Line(price=decimal.Decimal(1)), {"price": "1", "_hidden": "shown: it is a field"}),
        ({"lines": [Line(price={1})]}, {"lines": [{"price": [1], "_hidden": "shown: it is a field"}]}),
        (Customer(full_name="Ada"), {"fullName": "Ada", "tags": [], "born": None}),
        ([Shipment(weight_grams=3)], [{"weightGrams": 3}]),
        ({"task": WorkflowTask(name="a")}, {"task": {"name": "a"}}),
        ([TaskDef(name="a"), TaskDef(name="b", description=None)], [{"name": "a"}, {"name": "b", "description": None}]),
        (10**30, 10**30),
        ("", ""),
        (None, None),
    ],
)
def test_values_are_converted_to_json(value: Any, expected: Any) -> None:
    assert json.loads(encode_json(value)) == expected


def test_the_encoding_is_compact_utf8() -> None:
    assert encode_json({"a": ["é", 1]}) == '{"a":["é",1]}'.encode()


def cycle() -> Any:
    loop: dict[str, Any] = {"a": [1]}
    loop["a"].append({"back": loop})
    return loop


def deep() -> Any:
    value: Any = 1
    for _ in range(100_000):
        value = {"d": value}
    return value


class Broken(BaseModel):
    value: Any = None
    number: float = 0


@each_case(
    ("value", "path", "message"),
    [
        ({"order": {"lines": [1, 2, {"price": math.nan}]}}, "body.order.lines[2].price", "nan"),
        ([math.inf], "body[0]", "inf"),
        (-math.inf, "body", "inf"),
        ({"a": {(1, 2): "x"}}, "body.a", r"the key \(1, 2\)"),
        ({"a": {math.nan: "x"}}, "body.a", "the key nan"),
        ({"a": [b"bytes"]}, "body.a[0]", "base64"),
        ({"a": bytearray(b"x")}, "body.a", "base64"),
        ({"a": object()}, "body.a", "it is an object"),
        ({"a": {"b": test_the_encoding_is_compact_utf8}}, "body.a.b", "function"),
        ({"a": (each for each in "ab")}, "body.a", "generator"),
        ({"a": 1j}, "body.a", "it is a complex"),
        ({"a": Line}, "body.a", "type"),
        ({"a": ["ok", "bad \ud800"]}, "body.a[1]", "surrogate"),
        ({"bad \ud800": 1}, "body", "surrogate"),
        ({"a": 10**5000}, "body", "digits"),
        (cycle(), "body.a[1].back", "part of itself"),
        (deep(), "body.d.d.d.d.d.d.d…", "nested too deeply"),
        ({"a": Line(price=[math.nan])}, "body.a.price[0]", "nan"),
        ({"a": Broken(value=object())}, "body.a", "pydantic"),
        ({"a": Broken(number=math.nan)}, "body.a.number", "nan"),
        ({"a": {"x": {1, b"y"}}}, "body.a.x", "base64"),
        (StartWorkflowRequest(name="w", input={"a": [math.nan]}), "input.a[0]", "nan"),
        (WorkflowDef(tasks=[WorkflowTask(input_parameters={"p": object()})]), "tasks[0].inputParameters.p", "object"),
        (TaskResult(output_data={("k",): 1}), "outputData", "key"),
        ([TaskDef(input_template={"t": {b"k": 1}})], "body[0].inputTemplate.t", "key"),
    ],
)
def test_a_value_that_json_cannot_hold_is_an_error_with_its_path(value: Any, path: str, message: str) -> None:
    with pytest.raises(PayloadError, match=message) as caught:
        encode_json(value)
    assert caught.value.path.startswith(path) if "x" in path.split(".")[-1] else caught.value.path == path
    assert path.split("[")[0] in str(caught.value)


def test_the_error_names_value_path_and_remedy() -> None:
    with pytest.raises(PayloadError) as caught:
        encode_json(StartWorkflowRequest(name="w", input={"order": {"total": math.nan}}))
    assert str(caught.value) == (
        "input.order.total cannot be sent as JSON: it is nan, and JSON has no such number. Send None."
    )


def test_the_root_can_be_named() -> None:
    with pytest.raises(PayloadError) as caught:
        encode_json({"total": math.nan}, root="output")
    assert caught.value.path == "output.total"


def test_enums_sets_and_objects() -> None:
    result = TaskResult(task_id="t", output_data={"colour": Colour.RED, "seen": {1, 2}, "none": None})
    assert json.loads(encode_json(result)) == {
        "taskId": "t",
        "outputData": {"colour": "red", "seen": [1, 2], "none": None},
    }
    with pytest.raises(PayloadError):
        encode_json({"object": object()})


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=30,
)


@given(PLAIN)
def test_json_survives_a_round_trip(value: Any) -> None:
    assert json.loads(encode_json(value)) == value
    assert encode_json(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@given(PLAIN)
def test_payloads_survive_a_round_trip(value: Any) -> None:
    request = StartWorkflowRequest(name="w", input={"value": value})
    parsed = StartWorkflowRequest.model_validate_json(encode_json(request))
    assert parsed == request
    assert parsed.input["value"] == value


ODD = st.sampled_from([math.nan, math.inf, b"x", object(), 1j, "\ud800", {(1,): 2}])


def put(value: Any, odd: Any, steps: list[int]) -> tuple[Any, str]:
    """The odd value inside a structure, and the path to it."""
    path = "body"
    for step in steps:
        path += f"[{step}]" if step < 3 else f".k{step}"
    for step in reversed(steps):
        odd = [value] * step + [odd] if step < 3 else {"a": value, f"k{step}": odd}
    return odd, path


@settings(max_examples=60)
@given(value=PLAIN, odd=ODD, steps=st.lists(st.integers(0, 6), max_size=6))
def test_an_invalid_value_is_found_at_any_path(value: Any, odd: Any, steps: list[int]) -> None:
    structure, path = put(value, odd, steps)
    with pytest.raises(PayloadError) as caught:
        encode_json(structure)
    assert caught.value.path == path

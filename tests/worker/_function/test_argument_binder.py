"""The arguments that a worker function is called with. All annotations here are strings, by the `__future__` import."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Optional

import pytest
from pydantic import BaseModel, Field, field_validator
from typing_extensions import TypedDict

from conductor_async.errors import ConfigurationError
from conductor_async.models import Task
from conductor_async.worker._function.argument_binder import ArgumentBinder
from conductor_async.worker._function.input_validator import InputValidationError
from conductor_async.worker.context import TaskContext

if TYPE_CHECKING:
    from decimal import Decimal  # on purpose: missing at run time


class Colour(Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    y: int


@dataclass
class Box:
    corner: Point
    label: str = "box"


class Line(BaseModel):
    sku: str
    price: float


class Order(BaseModel):
    order_id: str = Field(alias="orderId")
    lines: list[Line]


class Address(TypedDict):
    street: str
    number: int


def bound(function: Any, given: dict[str, Any], **options: Any) -> dict[str, Any]:
    task = Task(task_id="t", task_def_name="f", input_data=given)
    return ArgumentBinder("f", function, **options).bind(task, TaskContext(task))


def rejected(function: Any, given: dict[str, Any], **options: Any) -> str:
    with pytest.raises(InputValidationError) as caught:
        bound(function, given, **options)
    return str(caught.value)


class TestTypes:
    def test_values_are_coerced_to_the_annotated_types(self):
        def f(
            n: int,
            when: datetime,
            colour: Colour,
            box: Box,
            order: Order,
            address: Address,
            table: dict[str, Line],
            plain: list,
            maybe: int | None,
        ): ...

        assert bound(
            f,
            {
                "n": "3",
                "when": "2026-01-02T03:04:05Z",
                "colour": "red",
                "box": {"corner": {"x": 1, "y": 2}},
                "order": {"orderId": "A", "lines": [{"sku": "s", "price": 1}]},
                "address": {"street": "s", "number": 4},
                "table": {"a": {"sku": "s", "price": 2}},
                "plain": [1, "b"],
                "maybe": None,
            },
        ) == {
            "n": 3,
            "when": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
            "colour": Colour.RED,
            "box": Box(Point(1, 2)),
            "order": Order(orderId="A", lines=[Line(sku="s", price=1)]),
            "address": {"street": "s", "number": 4},
            "table": {"a": Line(sku="s", price=2)},
            "plain": [1, "b"],
            "maybe": None,
        }

    def test_a_parameter_without_annotation_gets_the_value_unchanged(self):
        def f(payload, other): ...

        assert bound(f, {"payload": {"a": [1]}, "other": 2}) == {"payload": {"a": [1]}, "other": 2}

    def test_constraints_are_validated(self):
        def f(n: Annotated[int, Field(ge=1)]): ...

        assert "n: Input should be greater than or equal to 1" in rejected(f, {"n": 0})

    def test_parameters_may_have_names_that_pydantic_models_reserve(self):
        def f(model_config: str, copy: str, _hidden: int, schema: str = "s"): ...

        given = {"model_config": "m", "copy": "c", "_hidden": 1}
        assert bound(f, given) == given

    def test_annotations_may_name_classes_of_the_given_namespace(self):
        class Local(BaseModel):
            a: int

        def f(local: Local): ...

        assert bound(f, {"local": {"a": 1}}, namespace={"Local": Local}) == {"local": Local(a=1)}

    def test_the_return_annotation_is_not_resolved(self):
        def f(n: int) -> Decimal: ...

        assert bound(f, {"n": 1}) == {"n": 1}


class TestInjection:
    def test_task_and_context_are_injected_by_annotation(self):
        def f(task: Task, n: int, *, context: TaskContext): ...

        arguments = bound(f, {"n": 1, "task": "not this", "context": "nor this"})
        assert arguments["task"].input_data["task"] == "not this"
        assert arguments["context"].task is arguments["task"]
        assert arguments["n"] == 1

    def test_parameters_named_task_or_context_are_ordinary_inputs(self):
        def f(task: str, context): ...

        assert bound(f, {"task": "a", "context": "b"}) == {"task": "a", "context": "b"}

    def test_injected_parameters_may_be_optional(self):
        def f(n: int, context: TaskContext | None = None, *, task: Optional[Task] = None): ...  # noqa: UP045

        arguments = bound(f, {"n": 1, "context": "not this"})
        assert arguments["context"].task is arguments["task"]
        assert list(ArgumentBinder("f", f).signature().parameters) == ["n"]

    def test_a_union_of_the_context_and_another_type_is_an_error(self):
        def f(context: TaskContext | int): ...

        with pytest.raises(ConfigurationError, match="TaskContext"):
            bound(f, {"context": 1})

    def test_injected_parameters_are_not_in_the_signature(self):
        def f(task: Task, n: int): ...

        assert list(ArgumentBinder("f", f).signature().parameters) == ["n"]


class TestMissingInputs:
    def test_a_missing_input_is_an_error(self):
        def f(n: int, m): ...

        message = rejected(f, {})
        assert "n: Field required" in message
        assert "m: Field required" in message

    def test_the_error_names_worker_and_path_of_the_field(self):
        def f(order: Order): ...

        message = rejected(
            f, {"order": {"orderId": "A", "lines": [{"sku": "s", "price": 1}, {"sku": "s", "price": "x"}]}}
        )
        assert "order.lines[1].price: Input should be a valid number" in message
        assert "worker 'f'" in message

    def test_a_missing_field_of_a_dataclass_is_an_error(self):
        def f(box: Box): ...

        assert "box.corner.y: Field required" in rejected(f, {"box": {"corner": {"x": 1}}})

    def test_a_missing_input_leaves_the_default(self):
        def f(a: int = 1, b: str = "b"): ...

        assert bound(f, {"a": 5}) == {"a": 5}

    def test_null_leaves_the_default_where_the_type_does_not_allow_null(self):
        def f(a: int = 1, b: int | None = 2): ...

        assert bound(f, {"a": None, "b": None}) == {"b": None}

    def test_null_without_a_default_is_an_error(self):
        def f(a: int, b: int = 1): ...

        message = rejected(f, {"a": None, "b": None})
        assert "a: Input should be a valid integer" in message
        assert "b:" not in message


class TestInputsWithoutParameter:
    def test_kwargs_receive_them(self):
        def f(a: int, **others): ...

        assert bound(f, {"a": 1, "b": 2, "c": None}) == {"a": 1, "b": 2, "c": None}

    def test_kwargs_are_validated(self):
        def f(**others: int): ...

        assert bound(f, {"b": "2"}) == {"b": 2}
        assert "c: Input should be a valid integer" in rejected(f, {"c": "x"})

    def test_without_kwargs_they_are_ignored(self):
        def f(a: int): ...

        assert bound(f, {"a": 1, "b": 2}) == {"a": 1}

    def test_strict_rejects_them(self):
        def f(a: int): ...

        assert "b: Extra inputs are not permitted" in rejected(f, {"a": 1, "b": 2}, strict=True)


class TestKindsOfCallables:
    def test_partials_methods_and_callable_objects(self):
        class Greeter:
            def greet(self, name: str, times: int): ...

            def __call__(self, name: str): ...

        assert bound(functools.partial(Greeter().greet, times=2), {"name": "Ada"}) == {"name": "Ada"}
        assert bound(Greeter().greet, {"name": "Ada", "times": "2"}) == {"name": "Ada", "times": 2}
        assert bound(Greeter(), {"name": "Ada"}) == {"name": "Ada"}

    def test_a_wrapped_function_is_unwrapped(self):
        def logged(function):
            @functools.wraps(function)
            def inner(*args, **kwargs):
                return function(*args, **kwargs)

            return inner

        @logged
        def f(when: datetime): ...

        assert bound(f, {"when": "2026-01-02T00:00:00Z"})["when"].year == 2026

    def test_positional_only_parameters_are_an_error(self):
        def f(a, /): ...

        with pytest.raises(ConfigurationError, match="'a' is positional-only"):
            ArgumentBinder("f", f)

    def test_an_annotation_that_cannot_be_resolved_is_named(self):
        def f(n: Decimal): ...

        with pytest.raises(ConfigurationError, match=r"'Decimal' is not defined.*TYPE_CHECKING"):
            ArgumentBinder("f", f).resolve()

    def test_a_type_that_pydantic_does_not_support_is_an_error(self):
        class Opaque: ...

        def f(n: Opaque): ...

        with pytest.raises(ConfigurationError, match="pydantic does not support a type"):
            ArgumentBinder("f", f, namespace={"Opaque": Opaque}).resolve()


def test_an_exception_of_a_validator_propagates():
    class Odd(BaseModel):
        n: int

        @field_validator("n")
        @classmethod
        def broken(cls, value: int) -> int:
            raise KeyError(value)

    def f(odd: Odd): ...

    with pytest.raises(KeyError):
        bound(f, {"odd": {"n": 1}}, namespace={"Odd": Odd})

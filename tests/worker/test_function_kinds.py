"""Functions of all kinds as workers: their parameters, their results, what they raise."""

from __future__ import annotations

import asyncio
import functools
import time
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - workers' annotations are read at run time
from enum import Enum
from typing import Any

import anyio
import pytest
from pydantic import BaseModel, Field

from conductor_async.models import Task  # noqa: TC001
from conductor_async.worker import get_task_context, worker_task
from tests.worker.fake_conductor import FakeConductor
from tests.worker.hosting import anyio_backend, echo, hosting, only_with_a_mock_clock, worker  # noqa: F401

pytestmark = pytest.mark.anyio


class Color(Enum):
    RED = "red"


@dataclass
class Line:
    sku: str
    count: int


class Order(BaseModel):
    order_id: str = Field(alias="orderId")
    lines: list[Line] = []


async def result_of(function: Any, **given: Any) -> dict[str, Any]:
    """What the server gets for one task with this input."""
    server = FakeConductor()
    server.put(1, **given)
    async with hosting(server, worker(function), poll_timeout=0.05):
        await server.until(lambda: server.results)
    return server.results[0]


async def test_an_async_worker_gets_the_task():
    async def job(task: Task) -> str:
        return task.task_id

    assert (await result_of(job))["outputData"] == {"result": "t1"}


async def test_an_object_with_an_async_call():
    class Counter:
        def __init__(self) -> None:
            self.calls = 0

        async def __call__(self) -> int:
            self.calls += 1
            return self.calls

        async def execute(self) -> int:
            return await self()

    counter = Counter()
    assert (await result_of(counter))["outputData"] == {"result": 1}
    assert (await result_of(counter.execute))["outputData"] == {"result": 2}


@pytest.mark.parametrize("value", [float("nan"), {("a", 1): 2}, {"deep": [1, {"x": float("inf")}]}], ids=repr)
async def test_what_cannot_be_json_fails_for_good_before_any_request(value: Any):
    async def job() -> Any:
        return value

    result = await result_of(job)
    assert result["status"] == "FAILED_WITH_TERMINAL_ERROR"
    assert "outputData" in result["reasonForIncompletion"]


async def test_a_set_is_a_list():
    async def job() -> set[int]:
        return {1}

    assert (await result_of(job))["outputData"] == {"result": [1]}


async def test_an_enum_in_a_dict_is_its_value():
    async def job() -> dict[str, Any]:
        return {"color": Color.RED}

    assert (await result_of(job))["outputData"] == {"color": "red"}


async def test_a_cancelled_error_of_the_workers_own_is_a_failure():
    async def job() -> None:
        raise anyio.get_cancelled_exc_class()() if anyio.get_cancelled_exc_class().__name__ != "Cancelled" else OSError

    assert (await result_of(job))["status"] == "FAILED"


async def test_set_output_has_an_effect():
    async def job() -> dict[str, int]:
        get_task_context().set_output({"a": 1, "b": 1})
        return {"b": 2}

    assert (await result_of(job))["outputData"] == {"a": 1, "b": 2}


async def test_log_lines_are_stamped_in_milliseconds():
    async def job() -> None:
        raise ValueError("no")

    before = time.time() * 1000
    [line] = (await result_of(job))["logs"]
    assert before - 1000 <= line["createdTime"] <= before + 60_000


@pytest.mark.parametrize(
    ("given", "place"),
    [({}, "order: Field required"), ({"order": {"lines": []}}, "order.orderId: Field required")],
)
async def test_a_missing_input_fails_for_good_with_its_path(given: dict[str, Any], place: str):
    async def job(order: Order) -> None: ...

    result = await result_of(job, **given)
    assert result["status"] == "FAILED_WITH_TERMINAL_ERROR"
    assert place in result["reasonForIncompletion"]


async def test_annotations_of_every_kind():
    async def job(
        order: Order,
        color: Color,
        when: datetime,
        names: list,
        by_sku: dict[str, Line],
        maybe: int | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        return {
            "kinds": [type(each).__name__ for each in (order, order.lines[0], color, when, by_sku["a"])],
            "names": names,
            "maybe": maybe,
            "more": more,
        }

    line = {"sku": "a", "count": 1}
    result = await result_of(
        job,
        order={"orderId": "A", "lines": [line]},
        color="red",
        when="2026-01-02T03:04:05Z",
        names=["x"],
        by_sku={"a": line},
        extra=1,
    )
    assert result["outputData"] == {
        "kinds": ["Order", "Line", "Color", "datetime", "Line"],
        "names": ["x"],
        "maybe": None,
        "more": {"extra": 1},
    }


async def test_a_model_is_returned_by_its_aliases_and_one_bare_parameter_gets_the_task():
    async def model() -> Order:
        return Order(orderId="A")

    async def bare(task) -> Any:  # type: ignore[no-untyped-def]
        return task.input_data["name"]

    assert (await result_of(model))["outputData"] == {"orderId": "A", "lines": []}
    assert (await result_of(bare, name="Ada"))["outputData"] == {"result": "Ada"}


@pytest.mark.parametrize("error", [ValueError(), KeyError(("x", 1))], ids=repr)
async def test_the_reason_is_always_a_text(error: Exception):
    async def job() -> None:
        raise error

    reason = (await result_of(job))["reasonForIncompletion"]
    assert isinstance(reason, str)
    assert reason.startswith(type(error).__name__)


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_a_partial_and_a_bound_method_are_workers():
    def add(first: int, second: int) -> int:
        return first + second

    assert (await result_of(functools.partial(add, second=2), first=1))["outputData"] == {"result": 3}


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_a_cancelled_error_of_its_own_is_a_failure():
    server = FakeConductor()
    server.put(2)

    async def job() -> None:
        other = asyncio.create_task(asyncio.sleep(10))
        await asyncio.sleep(0)
        other.cancel("not needed")
        await other

    async with hosting(server, worker(job)):
        await server.until(lambda: len(server.results) == 2)
    assert server.statuses() == ["FAILED", "FAILED"]
    assert server.results[0]["reasonForIncompletion"] == "CancelledError: not needed"


async def test_a_validator_that_breaks_is_a_failure():
    from typing import Annotated

    from pydantic import AfterValidator

    server = FakeConductor()
    server.put(n=1)

    def broken(value: int) -> int:
        raise KeyError(value)

    @worker_task("job")  # here, where what its annotations name is local
    async def job(n: Annotated[int, AfterValidator(broken)]) -> None: ...

    async with hosting(server, job):
        await server.until(lambda: server.results)
    assert server.statuses() == ["FAILED"]
    assert server.results[0]["reasonForIncompletion"] == "KeyError: 1"


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"], indirect=True)
async def test_a_function_that_returns_an_awaitable_is_awaited():
    server = FakeConductor()
    server.put()

    async def inner() -> str:
        return "awaited"

    def job() -> Any:
        return inner()

    async with hosting(server, worker(job)):
        await server.until(lambda: server.results)
    assert server.results[0]["outputData"] == {"result": "awaited"}

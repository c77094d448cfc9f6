"""What a decorated function declares: its task's definition, its inputs, its names in other places."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import pydantic
import pytest
from pydantic import BaseModel, Field

from conductor_async import ConductorWorkflow, WorkerHost, worker_task
from conductor_async.embedded import EmbeddedConductor
from conductor_async.errors import ConfigurationError
from conductor_async.models import Task, TaskDef, TaskResult
from conductor_async.worker import TaskContext
from conductor_async.worker._function.input_validator import InputValidationError

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Order(BaseModel):
    order_id: str = Field(serialization_alias="orderId")
    total: float = Field(validation_alias="sum")
    parts: list[Order] = []


class Money(BaseModel):
    cents: int

    @pydantic.model_serializer
    def text(self) -> str:
        return str(self.cents)


# -- the task's definition -----------------------------------------------------------------------------


def test_fields_of_the_definition_as_keywords():
    @worker_task("x", retry_count=5, retry_delay=timedelta(seconds=1.5), retry_logic="LINEAR_BACKOFF", timeout=90)
    async def job(n: int) -> None: ...

    definition = job.task_def()
    assert (definition.name, definition.retry_count, definition.retry_delay_seconds) == ("x", 5, 2)
    assert (definition.retry_logic, definition.timeout_seconds) == ("LINEAR_BACKOFF", 90)
    assert definition.response_timeout_seconds == 90  # the default of an hour would be refused
    assert job.options.register_task_def


def test_they_complete_a_definition_and_may_be_kept_from_the_server():
    given = TaskDef(description="A job", response_timeout_seconds=30)

    @worker_task("x", task_def=given, retry_count=0, timeout=60, register_task_def=False)
    async def job(n: int) -> None: ...

    definition = job.task_def()
    assert (definition.description, definition.retry_count, definition.response_timeout_seconds) == ("A job", 0, 30)
    assert not job.options.register_task_def
    assert "retry_count" not in given.model_fields_set


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"retry_count": -1}, "retry_count"),
        ({"retry_count": True}, "retry_count"),
        ({"retry_logic": "SOMETIMES"}, "retry_logic"),
        ({"timeout": -1}, "timeout"),
        ({"retry_count": 1, "task_def": TaskDef(retry_count=2)}, "give it once"),
    ],
)
def test_invalid_fields_are_refused(options: dict[str, Any], problem: str):
    with pytest.raises(ConfigurationError, match=problem):
        worker_task("x", **options)


async def test_the_definition_is_registered_when_the_host_starts():
    @worker_task("job_with_retries", retry_count=7)
    async def job(n: int) -> None: ...

    async with EmbeddedConductor() as conductor, WorkerHost(conductor.client, [job]):
        assert (await conductor.client.metadata.get_task_def("job_with_retries")).retry_count == 7


# -- aliases -------------------------------------------------------------------------------------------


@worker_task("aliased")
async def aliased(
    order_id: Annotated[str, Field(alias="orderId")], n: int = Field(3, alias="count"), **rest: int
) -> Any:
    return [order_id, n, rest]


async def test_an_alias_is_the_inputs_name_everywhere():
    assert list(aliased.input_schema()["properties"]) == ["orderId", "count"]
    assert aliased.input_schema()["required"] == ["orderId"]
    assert aliased.task_def().input_keys == ["orderId", "count"]
    assert aliased.task("r", order_id="x", more=1).to_workflow_task().input_parameters == {"orderId": "x", "more": 1}
    assert aliased(task_ref_name="r", order_id="x").to_workflow_task().input_parameters == {"orderId": "x"}  # type: ignore[call-arg]


async def test_a_field_as_default_stands_for_its_default_in_direct_calls_too():
    assert await aliased("x") == ["x", 3, {}]

    @worker_task("required")
    def required(n: int = Field(ge=1)) -> int:
        return n

    assert required(2) == 2
    with pytest.raises(TypeError, match="'n'"):
        required()
    with pytest.raises(TypeError, match="'n'"):
        required.task("r")


async def test_what_a_worker_returns_can_be_read_by_the_next_one_and_by_the_caller():
    @worker_task("priced")
    async def price() -> Order:
        return Order(order_id="1", sum=2, parts=[Order(order_id="2", sum=3)])

    @worker_task("shipped")
    async def ship(order: Order, orders: dict[str, list[Order]]) -> Order:
        assert orders["all"] == order.parts
        return order

    async with EmbeddedConductor() as conductor, WorkerHost(conductor.client, [price, ship]):
        workflow = ConductorWorkflow(executor=conductor.client.executor, name="ordering", version=1)
        priced = price.task("p")
        workflow >> priced >> ship.task("s", order=priced.result, orders={"all": priced.result.parts})  # type: ignore[dict-item]
        handle = await workflow.start({})
        order = await handle.result(Order, timeout=10)
    assert (order.order_id, order.total, order.parts[0].order_id) == ("1", 2.0, "2")


# -- where things are ----------------------------------------------------------------------------------


def test_a_model_that_serializes_to_text_is_the_result_in_references_and_schemas():
    @worker_task("money")
    async def money(n: int) -> Money: ...  # type: ignore[empty-body]

    assert str(money.task("m", n=1).result) == "${m.output.result}"
    assert money.task_def().output_keys == ["result"]
    assert money.output_schema()["properties"]["result"]["type"] == "string"


def test_a_task_of_a_worker_that_takes_the_task_has_any_inputs():
    @worker_task("whole")
    def whole(task): ...  # type: ignore[no-untyped-def]

    assert whole.task("w", a=1).to_workflow_task().input_parameters == {"a": 1}


# -- what errors say -----------------------------------------------------------------------------------


def problem(function: Any, **given: Any) -> str:
    worker = worker_task("job")(function)
    expressions = {"user_id": "${workflow.input.user}", "n": 1}
    task = Task(input_data=given, workflow_task={"name": "job", "inputParameters": expressions})
    with pytest.raises(InputValidationError) as caught:
        worker.binder.bind(task, TaskContext(task))
    return str(caught.value)


def test_an_invalid_input_names_the_expression_that_gave_it():
    def job(user_id: str, n: int) -> None: ...

    text = problem(job, user_id=None, n="x")
    assert "user_id: Input should be a valid string (it is null, from ${workflow.input.user})" in text
    assert "n: Input should be a valid integer, unable to parse string as an integer" in text
    assert "user_id: Field required (missing: there is only 'n', from ${workflow.input.user})" in problem(job, n=1)


def test_names_around_a_function_resolve_its_annotations():
    class Outer(BaseModel):
        n: int

    def make() -> Any:
        def decorate(function: Any) -> Any:
            return worker_task("job")(function)

        @decorate
        def job(value: Outer, other: int = 0) -> None: ...

        return job

    assert make().input_schema()["required"] == ["value"]


@pytest.mark.parametrize("annotation", ["bytes", "Iterator[int]", "AsyncIterator[int]", "dict[str, int] | bytes"])
async def test_a_return_type_that_json_cannot_hold_is_refused_at_start(annotation: str):
    from collections.abc import AsyncIterator, Iterator

    def job(n: int) -> Any: ...

    kinds = {"Iterator": Iterator, "AsyncIterator": AsyncIterator}
    job.__annotations__["return"] = eval(annotation, kinds)
    async with EmbeddedConductor() as conductor:
        with pytest.raises(ConfigurationError, match="the result of a task is JSON"):
            async with WorkerHost(conductor.client, [worker_task("job")(job)]):
                pass


def test_a_classmethod_below_the_decorator_is_bound_and_one_above_is_refused():
    class Service:
        @classmethod
        @worker_task("job")
        def wrong(cls, n: int) -> int:
            return n

    with pytest.raises((ConfigurationError, AttributeError)):
        WorkerHost(None, [Service.wrong])  # type: ignore[arg-type, list-item]


def test_log_lines_may_be_texts():
    assert TaskResult(logs=["one"]).logs[0].log == "one"


@pytest.mark.parametrize("kind", ["struct", "v1"])
async def test_classes_of_other_libraries_go_in_and_come_out(kind: str):
    if kind == "struct":
        msgspec = pytest.importorskip("msgspec")
        made = msgspec.defstruct("Made", [("first_name", str)], rename="camel")
    else:
        v1 = pytest.importorskip("pydantic.v1")
        made = v1.create_model("Made", first_name=(str, v1.Field(alias="firstName")))

    async def job(value):  # type: ignore[no-untyped-def]
        assert isinstance(value, made)
        return value

    job.__annotations__.update(value=made, **{"return": made})
    worker = worker_task("job")(job)
    assert str(worker.task("j", value={}).result) == "${j.output}"
    async with EmbeddedConductor() as conductor, WorkerHost(conductor.client, [worker]):
        workflow = ConductorWorkflow(executor=conductor.client.executor, name="others", version=1)
        workflow >> worker.task("j", value={"firstName": "Ada"})
        assert (await workflow.execute({}, timeout=10)).output == {"firstName": "Ada"}
        run = await ConductorWorkflow(executor=conductor.client.executor, name="wrong", version=1).add(
            worker.task("j", value={})
        ).execute({}, timeout=10)  # fmt: skip
        assert "value" in (run.reason_for_incompletion or "")

"""Task definitions and JSON Schemas derived from worker functions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, Field

from conductor_async import (
    ConductorClient,
    ConfigurationError,
    TaskContext,
    TaskDef,
    TaskInProgress,
    WorkerHost,
    worker_task,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from elsewhere import Missing


class Line(BaseModel):
    unit_price: float = Field(alias="unitPrice")


@dataclass
class Total:
    total: float
    lines: list[Line]


@worker_task("derived_price")
async def price(
    context: TaskContext, lines: list[Line], discount: float = 0.5, within: timedelta = timedelta(seconds=1)
) -> Total | TaskInProgress:
    """Adds up an order.

    All of it.
    """
    raise NotImplementedError


@worker_task("derived_count")
def count(**numbers: int) -> int:
    return len(numbers)


@worker_task("derived_missing")
def missing(a: int) -> Missing:
    raise NotImplementedError


@worker_task("derived_nothing")
def nothing(a: int, b: str = "x") -> None: ...


class TestTaskDef:
    def test_names_and_description_come_from_the_function(self):
        assert price.task_def().to_wire() == {
            "name": "derived_price",
            "description": "Adds up an order.",
            "inputKeys": ["lines", "discount", "within"],
            "outputKeys": ["total", "lines"],
        }
        assert count.task_def().to_wire() == {"name": "derived_count", "outputKeys": ["result"]}
        assert nothing.task_def().to_wire() == {"name": "derived_nothing", "inputKeys": ["a", "b"]}

    def test_given_fields_replace_derived_ones(self):
        definition = price.task_def(retry_count=5, description="mine", response_timeout_seconds=60)
        assert (definition.retry_count, definition.description, definition.input_keys[0]) == (5, "mine", "lines")

    def test_the_decorators_task_def_is_completed_and_not_modified(self):
        given = TaskDef(retry_count=1, output_keys=["mine"], newField="kept")  # type: ignore[call-arg]
        worker = worker_task("based", task_def=given)(price.function)
        definition = worker.task_def(retry_delay_seconds=7)
        assert definition.to_wire() == {
            "name": "based",
            "description": "Adds up an order.",
            "retryCount": 1,
            "retryDelaySeconds": 7,
            "inputKeys": ["lines", "discount", "within"],
            "outputKeys": ["mine"],
            "newField": "kept",
        }
        assert worker.task_def(retry_count=2).retry_count == 2
        assert given.to_wire() == {"retryCount": 1, "outputKeys": ["mine"], "newField": "kept"}

    def test_a_task_def_of_another_name_is_an_error(self):
        worker = worker_task("derived", task_def=TaskDef(name="other"))(price.function)
        with pytest.raises(ConfigurationError, match="a task_def of another name, 'other'"):
            worker.task_def()

    def test_a_misspelt_field_is_an_error(self):
        with pytest.raises(TypeError, match="TaskDef has no field 'retry_cuont': did you mean 'retry_count'"):
            price.task_def(retry_cuont=5)

    def test_a_return_type_that_cannot_be_imported_gives_no_output_keys(self):
        assert missing.task_def().to_wire() == {"name": "derived_missing", "inputKeys": ["a"]}

    @pytest.mark.server
    @pytest.mark.anyio
    async def test_a_host_registers_it(self, server_url: str, new_name: Callable[[str], str]):
        name = new_name("derived")
        worker = worker_task(name, register_task_def=True, task_def=TaskDef(retry_count=1))(price.function)
        async with ConductorClient(server_url) as conductor:
            async with WorkerHost(conductor, [worker]):
                held = await conductor.metadata.get_task_def(name)
            await conductor.metadata.unregister_task_def(name)
        assert (held.input_keys, held.output_keys, held.retry_count, held.description) == (
            ["lines", "discount", "within"],
            ["total", "lines"],
            1,
            "Adds up an order.",
        )


class TestSchemas:
    def test_input(self):
        schema = price.input_schema()
        assert schema["title"] == "derived_price"
        assert schema["required"] == ["lines"]
        assert list(schema["properties"]) == ["lines", "discount", "within"]
        assert schema["properties"]["lines"]["items"] == {"$ref": "#/$defs/Line"}
        assert schema["properties"]["discount"] == {"default": 0.5, "title": "Discount", "type": "number"}
        assert schema["properties"]["within"]["default"] == "PT1S"
        assert list(schema["$defs"]["Line"]["properties"]) == ["unitPrice"]

    def test_inputs_without_parameter(self):
        assert count.input_schema()["additionalProperties"] == {"type": "integer"}
        assert "additionalProperties" not in price.input_schema()
        assert (
            worker_task("strict", strict_schema=True)(nothing.function).input_schema()["additionalProperties"] is False
        )

    def test_output_of_an_object(self):
        schema = price.output_schema()
        assert schema["title"] == "Total"
        assert schema["required"] == ["total", "lines"]
        assert list(schema["$defs"]["Line"]["properties"]) == ["unitPrice"]

    def test_output_of_a_scalar(self):
        assert count.output_schema() == {
            "type": "object",
            "title": "derived_count",
            "properties": {"result": {"type": "integer"}},
            "required": ["result"],
        }

    def test_output_of_a_list_has_its_definitions_at_the_root(self):
        @worker_task("lines")
        def lines() -> list[Line]:
            raise NotImplementedError

        schema = lines.output_schema()
        assert schema["properties"]["result"] == {"type": "array", "items": {"$ref": "#/$defs/Line"}}
        assert "Line" in schema["$defs"]

    def test_output_of_none_or_of_any_type(self):
        @worker_task("anything")
        def anything() -> Any: ...

        assert nothing.output_schema() == {"type": "object", "title": "derived_nothing"}
        assert anything.output_schema() == {"type": "object", "title": "anything"}

    def test_the_error_names_a_worker_without_a_schema(self):
        @worker_task("odd")
        def odd() -> list[Odd]:
            raise NotImplementedError

        with pytest.raises(ConfigurationError, match="worker 'odd'"):
            odd.output_schema()
        with pytest.raises(ConfigurationError, match="Missing"):
            missing.output_schema()


class Odd:
    pass

"""References to results of a known type."""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import enum
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, NamedTuple, NewType, Optional, TypeVar

import pytest
from pydantic import BaseModel, ConfigDict, Field, RootModel, computed_field
from pydantic.dataclasses import dataclass as pydantic_dataclass
from typing_extensions import TypeAliasType, TypedDict

from conductor_async import (
    ConductorClient,
    ConductorWorkflow,
    ConfigurationError,
    SimpleTask,
    TaskDef,
    TaskInProgress,
    TaskResult,
    WorkerHost,
    worker_task,
)
from conductor_async.workflow import Reference

if TYPE_CHECKING:
    from collections.abc import Callable

    from elsewhere import Missing


class Line(BaseModel):
    unit_price: float = Field(alias="unitPrice")
    count: int = 1


class Order(BaseModel):
    order_id: str = Field(serialization_alias="orderId")
    total: float = 0.0
    lines: list[Line] = []
    by_name: dict[str, Line] = {}
    first: Line | None = None
    next: Order | None = None
    hidden: str = Field("", exclude=True)
    anything: Any = None
    pair: tuple[int, Line] | None = None

    @computed_field(alias="isBig")
    @property
    def is_big(self) -> bool:
        return self.total > 100


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    known: int = 0


class Lines(RootModel[list[Line]]):
    pass


@dataclasses.dataclass
class Bill:
    total: float
    order: Order


@pydantic_dataclass
class Aliased:
    total: float = Field(alias="theTotal")


class Receipt(TypedDict):
    total: float
    order: Order


class Point(NamedTuple):
    x: int
    y: Line


class Colour(enum.Enum):
    RED = "red"


T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    items: list[T]


OrderId = NewType("OrderId", str)
AliasOfOrder = TypeAliasType("AliasOfOrder", Order)


def result(kind: Any) -> Any:
    return SimpleTask[kind]("t", "t").result


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Order, "${t.output}"),
        (Bill, "${t.output}"),
        (Aliased, "${t.output}"),
        (Receipt, "${t.output}"),
        (TaskDef, "${t.output}"),
        (dict, "${t.output}"),
        (dict[str, int], "${t.output}"),
        (Mapping[str, int], "${t.output}"),
        (
            Optional[Order],  # noqa: UP045 - it is another object than the next
            "${t.output}",
        ),
        (Order | Bill, "${t.output}"),
        (Annotated[Order, "note"], "${t.output}"),
        (AliasOfOrder, "${t.output}"),
        (Page[Line], "${t.output}"),
        (int, "${t.output.result}"),
        (str | None, "${t.output.result}"),
        (int | str, "${t.output.result}"),
        (OrderId, "${t.output.result}"),
        (Literal["a", "b"], "${t.output.result}"),
        (Colour, "${t.output.result}"),
        (dt.datetime, "${t.output.result}"),
        (list[Line], "${t.output.result}"),
        (Sequence[int], "${t.output.result}"),
        (Point, "${t.output.result}"),
        (Lines, "${t.output.result}"),
    ],
    ids=str,
)
def test_the_return_type_determines_the_path_of_the_result(kind, text):
    assert str(result(kind)) == text


@pytest.mark.parametrize("kind", [Any, object, None, TaskResult, Order | int, "Order"], ids=str)
def test_a_type_that_does_not_determine_the_path_is_an_error(kind):
    with pytest.raises(ConfigurationError, match=r"use t\.output instead of \.result"):
        result(kind)


def test_a_task_without_a_type_has_no_result():
    with pytest.raises(ConfigurationError, match=r"t\.output"):
        _ = SimpleTask("t").result


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        (result(Order).total, "${t.output.total}"),
        (result(Order).order_id, "${t.output.orderId}"),
        (result(Order).lines[0].unit_price, "${t.output.lines[0].unitPrice}"),
        (result(Order).lines[1:][0].unit_price, "${t.output.lines[1:][0].unitPrice}"),
        (result(Order).by_name["a b"].unit_price, "${t.output.by_name['a b'].unitPrice}"),
        (result(Order).first.unit_price, "${t.output.first.unitPrice}"),
        (result(Order).next.next.order_id, "${t.output.next.next.orderId}"),
        (result(Order).is_big, "${t.output.isBig}"),
        (result(Order).anything.at.all[3], "${t.output.anything.at.all[3]}"),
        (result(Order).pair[1].unit_price, "${t.output.pair[1].unitPrice}"),
        (result(Bill).order.order_id, "${t.output.order.orderId}"),
        (result(Aliased).total, "${t.output.theTotal}"),
        (result(Receipt)["order"].order_id, "${t.output.order.orderId}"),
        (result(TaskDef).retry_count, "${t.output.retryCount}"),
        (result(Point).y.unit_price, "${t.output.result[1].unitPrice}"),
        (result(Point)[1].unit_price, "${t.output.result[1].unitPrice}"),
        (result(Lines).root[0].unit_price, "${t.output.result[0].unitPrice}"),
        (result(Open).known, "${t.output.known}"),
        (result(Open).unknown, "${t.output.unknown}"),
        (result(dict)["a"].b, "${t.output.a.b}"),
        (result(Order | Bill).total, "${t.output.total}"),
        (result(list)[0].a, "${t.output.result[0].a}"),
        (result(Order)("lines[0].x"), "${t.output.lines[0].x}"),
        (f"{result(Order).total} EUR", "${t.output.total} EUR"),
        ("Hello, " + result(str), "Hello, ${t.output.result}"),
    ],
    ids=str,
)
def test_fields_and_items_become_paths(reference, text):
    assert str(reference) == text


@pytest.mark.parametrize(
    ("refused", "text"),
    [
        (lambda: result(Order).totl, "Order has no field 'totl': did you mean 'total'?"),
        (lambda: result(Order).lines[0].price, "Line has no field 'price': did you mean 'unit_price'?"),
        (lambda: result(Order).hidden, "Order has no field 'hidden'"),
        (lambda: result(Order)["orderId"], "Order has no field 'orderId': did you mean 'order_id'?"),
        (lambda: result(Order).total.real, "of type float, which has no field 'real'"),
        (lambda: result(Order).lines[0].xyz, "Line has no field 'xyz'. It has unit_price, count."),
        (lambda: result(Order).lines.append, "it has no methods here"),
        (lambda: result(dict[str, int]).items, "use […] for a key"),
        (lambda: result(Receipt).total, "use […] for a key"),
        (lambda: result(Receipt)["totl"], "Receipt has no field 'totl': did you mean 'total'?"),
        (lambda: result(str).upper(), "no field 'upper'"),
        (lambda: result(Point).z, "Point has no field 'z'. It has x, y."),
        (lambda: result(Bill).order.totl, "did you mean 'total'?"),
    ],
)
def test_missing_fields_are_errors(refused, text):
    with pytest.raises(AttributeError) as caught:
        refused()
    assert text in str(caught.value)


def test_a_result_has_no_truth_value():
    with pytest.raises(TypeError, match="use a SwitchTask"):
        bool(result(Order).is_big)
    with pytest.raises(TypeError):
        _ = result(Order).total > 100
    with pytest.raises(TypeError):
        iter(result(Order).lines)


# -- from workers --------------------------------------------------------------------------------------


@worker_task("typed_price")
async def price(order_id: str) -> Order | TaskInProgress:
    return Order(order_id=order_id, total=120, lines=[Line(unitPrice=60, count=2)])


@worker_task("typed_double")
def double(number: float) -> float:
    return number * 2


@worker_task("typed_missing")
def missing() -> Missing:
    raise NotImplementedError


@worker_task("typed_untyped")
def untyped(a):
    return a


def test_the_task_of_a_worker_function_knows_its_return_type():
    assert str(price.task("p", order_id="1").result.order_id) == "${p.output.orderId}"
    assert str(double.task("d", number=1).result) == "${d.output.result}"
    with pytest.raises(ConfigurationError, match=r"use u\.output"):
        _ = untyped.task("u", a=1).result


def test_a_type_under_type_checking_is_an_error_only_when_result_is_used():
    task = missing.task("m")
    assert str(task.output.x) == "${m.output.x}"
    with pytest.raises(ConfigurationError, match="name 'Missing' is not defined"):
        _ = task.result


def test_a_return_type_local_to_a_function_is_resolved():
    class Local(BaseModel):
        total: int

    @worker_task("local")
    def local() -> Local:
        raise NotImplementedError

    assert str(local.task("l").result.total) == "${l.output.total}"


def test_tasks_with_typed_results_can_be_copied():
    first = copy.deepcopy(price.task("p", order_id="1"))
    workflow = ConductorWorkflow(name="w") >> first >> double.task("d", number=first.result.total)
    workflow.output_parameters({"lines": first.result.lines, "whole": first.result})
    definition = copy.deepcopy(workflow).to_workflow_def()
    assert definition.tasks[1].input_parameters == {"number": "${p.output.total}"}
    assert json.loads(json.dumps(definition.to_wire()))["outputParameters"] == {
        "lines": "${p.output.lines}",
        "whole": "${p.output}",
    }
    assert isinstance(first.result, Reference)


@pytest.mark.server
@pytest.mark.anyio
async def test_results_flow_from_task_to_task_on_the_real_server(server_url: str, new_name: Callable[[str], str]):
    async with ConductorClient(server_url) as conductor:
        priced = worker_task(new_name("price"))(price.function)
        doubled = worker_task(new_name("double"))(double.function)
        first = priced.task("p", order_id="A-1")
        second = doubled.task("d", number=first.result.lines[0].unit_price)
        workflow = ConductorWorkflow(conductor.executor, new_name("typed"), 1) >> first >> second
        workflow.output_parameters({"id": first.result.order_id, "big": first.result.is_big, "double": second.result})
        async with WorkerHost(conductor, [priced, doubled]):
            run = await workflow.execute(timeout=60)
    assert run.output == {"id": "A-1", "big": True, "double": 120}

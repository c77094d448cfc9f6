"""Verified defects of conductor-python 2.0's workers, by their numbers: here each is done right."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - workers' annotations are read at run time
from enum import Enum
from typing import Any

import anyio
import httpx
import pytest
from pydantic import BaseModel, Field

from conductor_async.models import Task  # noqa: TC001
from conductor_async.worker import TaskContext, WorkerHost, get_task_context, worker_task
from conductor_async.worker.events import ResultDelivered, WorkerEvent
from tests.worker.fake_conductor import NO_WORKFLOW, V2_MISSING, FakeConductor
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


async def test_d1_a_server_without_update_v2_gets_every_result_of_an_async_worker():
    server = FakeConductor()
    server.always["v2"] = httpx.Response(404, json=V2_MISSING)
    server.put(5)
    async with hosting(server, echo):
        await server.until(lambda: len(server.results) == 5)
    assert server.statuses() == ["COMPLETED"] * 5


@only_with_a_mock_clock
async def test_d1_a_refused_key_is_waited_out():
    server = FakeConductor()
    server.faults["poll"] = [httpx.Response(401, json={"message": "who?"})] * 5
    server.put()
    async with hosting(server, echo):
        await anyio.sleep(3)
        assert len(server.polls) <= 4
        await server.until(lambda: server.results, within=100)


async def test_d2_an_async_worker_gets_the_task():
    async def job(task: Task) -> str:
        return task.task_id

    assert (await result_of(job))["outputData"] == {"result": "t1"}


async def test_d3_an_object_with_an_async_call():
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


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_d4_sigterm_ends_what_runs_and_delivers_it():
    server = FakeConductor()
    server.put()

    async def job() -> str:
        os.kill(os.getpid(), signal.SIGTERM)
        await anyio.sleep(0.1)
        return "done"

    await WorkerHost(server.client(), [worker(job)], poll_timeout=0.1).run(signals=True)
    assert server.results[0]["outputData"] == {"result": "done"}


async def test_d5_a_task_that_a_result_brings_at_shutdown_is_handed_back():
    server = FakeConductor()
    server.v2_time = 0.3
    server.put()
    async with anyio.create_task_group() as group, hosting(server, echo):
        await server.until(lambda: server.results)

        async def later() -> None:
            await anyio.sleep(0.1)
            server.put()

        group.start_soon(later)
    assert server.tasks["t2"]["status"] == "SCHEDULED"


async def test_d7_no_such_workflow_is_not_no_such_endpoint():
    server = FakeConductor()
    server.faults = {"v2": [httpx.Response(404, json=NO_WORKFLOW)], "v1": [httpx.Response(404, json=NO_WORKFLOW)]}
    server.put(2)
    async with hosting(server, echo):
        await server.until(lambda: server.results)
    assert server.results[0]["via"] == "v2"


@pytest.mark.parametrize("value", [float("nan"), {("a", 1): 2}, {1, 2}, {"deep": [1, {"x": float("inf")}]}], ids=repr)
async def test_d8_what_cannot_be_json_fails_for_good_before_any_request(value: Any):
    async def job() -> Any:
        return value

    result = await result_of(job)
    assert result["status"] == "FAILED_WITH_TERMINAL_ERROR"
    assert "outputData" in result["reasonForIncompletion"]


async def test_d8_an_enum_in_a_dict_is_its_value():
    async def job() -> dict[str, Any]:
        return {"color": Color.RED}

    assert (await result_of(job))["outputData"] == {"color": "red"}


async def test_d9_a_cancelled_error_of_the_workers_own_is_a_failure():
    async def job() -> None:
        raise anyio.get_cancelled_exc_class()() if anyio.get_cancelled_exc_class().__name__ != "Cancelled" else OSError

    assert (await result_of(job))["status"] == "FAILED"


@only_with_a_mock_clock
async def test_d10_poll_timeout_is_sent():
    server = FakeConductor()
    async with hosting(server, worker(echo, poll_timeout=3)):
        await anyio.sleep(10)
    assert {poll["timeout"] for poll in server.polls} == {"3000"}


@only_with_a_mock_clock
async def test_d11_poll_interval_is_kept_however_long():
    server = FakeConductor()
    async with hosting(server, worker(echo, poll_interval=10, poll_timeout=0.1)):
        await anyio.sleep(35)
    assert len(server.polls) == 4


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_d12_at_capacity_it_costs_nothing():
    server = FakeConductor()
    server.put()

    async def job() -> None:
        await anyio.sleep(0.6)

    async with hosting(server, worker(job)):
        await server.until(lambda: server.polls and not server.queue)
        cpu = time.process_time()
        await anyio.sleep(0.5)
        assert time.process_time() - cpu < 0.1


def test_d14_importing_changes_nothing_of_the_process():
    code = (
        "import multiprocessing, os, logging, threading\n"
        "before = dict(os.environ), logging.getLevelNamesMapping()\n"
        "import conductor_async\n"
        "assert multiprocessing.get_start_method(allow_none=True) is None\n"
        "assert (dict(os.environ), logging.getLevelNamesMapping()) == before\n"
        "assert not hasattr(logging.Logger, 'trace') and threading.active_count() == 1\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_d15_the_process_ends_when_the_host_does():
    code = (
        "import anyio\n"
        "from tests.worker.fake_conductor import FakeConductor\n"
        "from tests.worker.hosting import hosting, worker\n"
        "async def main():\n"
        "    server = FakeConductor(); server.put()\n"
        "    def job(): return 1\n"
        "    async with hosting(server, worker(job)): await server.until(lambda: server.results)\n"
        "anyio.run(main)\n"
    )
    root = os.fspath(anyio.Path(__file__).parents[2])
    done = subprocess.run([sys.executable, "-c", code], check=True, timeout=60, cwd=root)
    assert done.returncode == 0


async def test_d16_set_output_has_an_effect():
    async def job() -> dict[str, int]:
        get_task_context().set_output({"a": 1, "b": 1})
        return {"b": 2}

    assert (await result_of(job))["outputData"] == {"a": 1, "b": 2}


async def test_d17_log_lines_are_stamped_in_milliseconds():
    async def job() -> None:
        raise ValueError("no")

    before = time.time() * 1000
    [line] = (await result_of(job))["logs"]
    assert before - 1000 <= line["createdTime"] <= before + 60_000


@pytest.mark.parametrize(
    ("given", "place"),
    [({}, "order: Field required"), ({"order": {"lines": []}}, "order.orderId: Field required")],
)
async def test_d18_a_missing_input_fails_for_good_with_its_path(given: dict[str, Any], place: str):
    async def job(order: Order) -> None: ...

    result = await result_of(job, **given)
    assert result["status"] == "FAILED_WITH_TERMINAL_ERROR"
    assert place in result["reasonForIncompletion"]


async def test_d19_annotations_of_every_kind():
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


async def test_d19_a_model_is_returned_by_its_aliases_and_one_bare_parameter_gets_its_value():
    async def model() -> Order:
        return Order(orderId="A")

    async def bare(name) -> Any:  # type: ignore[no-untyped-def]
        return name

    assert (await result_of(model))["outputData"] == {"orderId": "A", "lines": []}
    assert (await result_of(bare, name="Ada"))["outputData"] == {"result": "Ada"}


@pytest.mark.parametrize("error", [ValueError(), KeyError(("x", 1))], ids=repr)
async def test_d20_the_reason_is_always_a_text(error: Exception):
    async def job() -> None:
        raise error

    reason = (await result_of(job))["reasonForIncompletion"]
    assert isinstance(reason, str)
    assert reason.startswith(type(error).__name__)


async def test_d21_the_size_of_a_result_is_that_of_its_json():
    server, events = FakeConductor(), list[WorkerEvent]()
    server.put(1, text="x" * 5000)
    async with hosting(server, echo, listeners=[events.append]):
        await server.until(lambda: server.results)
    [delivered] = [event for event in events if isinstance(event, ResultDelivered)]
    assert 5000 < delivered.size < 5500


async def test_d22_the_documented_environment_variable_is_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("conductor.worker.all.poll_interval_millis", "2500")
    host = WorkerHost(FakeConductor().client(), [echo])
    assert host.workers[0].options.poll_interval == 2.5


@only_with_a_mock_clock
async def test_d23_the_lease_is_extended_until_the_result_is_acknowledged():
    server = FakeConductor()
    server.response_timeout = 9
    server.put()

    async def only_leases() -> None:
        if not server.tried[-1][1].get("extendLease"):
            raise httpx.ReadError("reset")

    server.always = {"v2": httpx.Response(429), "v1": only_leases}

    async def extensions() -> int:
        return len([result for result in server.results if result.get("extendLease")])

    async with hosting(server, echo):
        await server.until(lambda: server.tried)
        await anyio.sleep(30)
        assert await extensions() >= 8
        server.always = {}
        await server.until(lambda: "COMPLETED" in server.statuses(), within=60)
        so_far = await extensions()
        await anyio.sleep(30)
        assert await extensions() == so_far


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_a_partial_and_a_bound_method_are_workers():
    def add(first: int, second: int) -> int:
        return first + second

    assert (await result_of(functools.partial(add, second=2), first=1))["outputData"] == {"result": 3}


def test_nothing_is_registered_anywhere():
    @worker_task("unheard_of")
    async def unheard_of(context: TaskContext) -> None: ...

    host = WorkerHost(FakeConductor().client(), [echo])
    assert [each.task_definition_name for each in host.workers] == ["job"]

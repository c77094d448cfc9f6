"""What the server is told when a function returned, or raised."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel, Field, RootModel, field_serializer
from pydantic.dataclasses import dataclass as pydantic_dataclass

from conductor_async.errors import ConfigurationError, NonRetryableException, PayloadError, TaskError
from conductor_async.models import Task, TaskResult, TaskResultStatus, encode_json
from conductor_async.worker import TaskContext, TaskInProgress, get_task_context
from conductor_async.worker._function.outcome import failure_of, hand_back, reason_of, result_of

TASK = Task(
    task_id="t1", workflow_instance_id="w1", task_def_name="f", poll_count=2, retry_count=1, input_data={"a": 1}
)


class Receipt(BaseModel):
    total_price: float = Field(alias="totalPrice")


@dataclass
class Point:
    x: int


@pydantic_dataclass
class Aliased:
    total: int = Field(serialization_alias="theTotal")


class Pair(NamedTuple):
    a: int
    b: int


class Colour(Enum):
    RED = "red"


def result(value: Any, context: TaskContext | None = None) -> dict[str, Any]:
    return json.loads(encode_json(result_of(value, context or TaskContext(TASK), "me")))


class TestReturning:
    @pytest.mark.parametrize(
        ("value", "output"),
        [
            ({"a": 1}, {"a": 1}),
            (None, {}),
            ("x", {"result": "x"}),
            (0, {"result": 0}),
            (False, {"result": False}),
            ([1, 2], {"result": [1, 2]}),
            ((1, 2), {"result": [1, 2]}),
            (Colour.RED, {"result": "red"}),
            ({"c": Colour.RED, "d": timedelta(seconds=1)}, {"c": "red", "d": "PT1S"}),
            (Receipt(totalPrice=2), {"totalPrice": 2.0}),
            (Point(1), {"x": 1}),
            (Aliased(3), {"theTotal": 3}),
            ([Point(1)], {"result": [{"x": 1}]}),
            (RootModel[list[int]]([1]), {"result": [1]}),
            (Pair(1, 2), {"result": [1, 2]}),
        ],
    )
    def test_what_becomes_the_output(self, value, output):
        sent = result(value)
        assert sent.get("outputData", {}) == output
        assert sent["status"] == "COMPLETED"
        assert (sent["taskId"], sent["workflowInstanceId"], sent["workerId"]) == ("t1", "w1", "me")

    def test_a_task_result_is_taken_with_its_ids_filled_in(self):
        given = TaskResult.failed("no stock").add_output_data("left", 0)
        sent = result(given)
        assert (sent["status"], sent["reasonForIncompletion"]) == ("FAILED", "no stock")
        assert (sent["taskId"], sent["workflowInstanceId"], sent["outputData"]) == ("t1", "w1", {"left": 0})
        assert given.task_id == ""

    def test_a_task_result_without_status_is_complete(self):
        assert result(TaskResult(output_data={"a": 1}))["status"] == "COMPLETED"

    def test_task_in_progress_gives_it_back(self):
        sent = result(TaskInProgress(timedelta(seconds=1.2), {"done": 50}))
        assert (sent["status"], sent["callbackAfterSeconds"], sent["outputData"]) == ("IN_PROGRESS", 2, {"done": 50})

    def test_task_in_progress_waits_a_minute_by_default(self):
        assert result(TaskInProgress())["callbackAfterSeconds"] == 60

    @pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
    def test_task_in_progress_refuses_what_is_no_time(self, seconds):
        with pytest.raises(ConfigurationError):
            TaskInProgress(seconds)

    @pytest.mark.parametrize(
        ("value", "path"),
        [
            ({"a": [float("nan")]}, "outputData.a[0]"),
            ({("k",): 1}, "outputData"),
            (object(), "outputData.result"),
            ({"deep": {"er": b"bytes"}}, "outputData.deep.er"),
        ],
    )
    def test_what_cannot_be_json_has_a_path(self, value, path):
        with pytest.raises(PayloadError) as caught:
            result(value)
        assert caught.value.path == path

    def test_a_models_own_serialiser_that_breaks(self):
        class Odd(BaseModel):
            n: int = 1

            @field_serializer("n")
            def broken(self, value: int) -> int:
                raise KeyError(value)

        with pytest.raises(PayloadError, match="the Odd cannot be serialised"):
            result_of(Odd(), TaskContext(TASK), "me")


class TestRaising:
    def failure(self, error: BaseException) -> TaskResult:
        try:
            raise error
        except BaseException as raised:  # noqa: BLE001
            return failure_of(raised, TaskContext(TASK), "me")

    def test_it_fails_the_task_with_type_and_message(self):
        failed = self.failure(ValueError("no such card"))
        assert failed.status == TaskResultStatus.FAILED
        assert failed.reason_for_incompletion == "ValueError: no such card"

    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            (ValueError(), "ValueError"),
            (KeyError(("x", 1)), "KeyError: ('x', 1)"),
            (ValueError("half \ud800"), "ValueError: half \\ud800"),
            (SystemExit(2), "SystemExit: 2"),
        ],
    )
    def test_the_reason_is_always_text(self, error, reason):
        failed = self.failure(error)
        assert failed.reason_for_incompletion == reason
        encode_json(failed)

    def test_even_if_the_error_cannot_be_shown(self):
        class OddError(Exception):
            def __str__(self):
                raise RuntimeError

        assert reason_of(OddError()) == "OddError: (its text cannot be had: RuntimeError)"
        encode_json(self.failure(OddError()))

    def test_for_good(self):
        assert self.failure(NonRetryableException("x")).status == TaskResultStatus.FAILED_WITH_TERMINAL_ERROR

    def test_the_traceback_is_in_the_log_with_the_time_in_milliseconds(self):
        [line] = self.failure(ValueError("x")).logs
        assert "ValueError: x" in line.log
        assert "test_outcome.py" in line.log
        assert abs(line.created_time - time.time() * 1000) < 60_000
        assert line.task_id == "t1"

    def test_a_long_reason_is_cut(self):
        assert len(self.failure(ValueError("x" * 10_000)).reason_for_incompletion or "") == 4_000


def test_handing_back_keeps_the_output():
    back = hand_back(Task(task_id="t", output_data={"done": 50}), "me")
    assert (back.status, back.callback_after_seconds, back.output_data) == ("IN_PROGRESS", 0, {"done": 50})


class TestContext:
    def test_what_the_task_is(self):
        context = TaskContext(TASK)
        assert (context.task_id, context.workflow_instance_id, context.task_def_name) == ("t1", "w1", "f")
        assert (context.retry_count, context.poll_count, context.input) == (1, 2, {"a": 1})

    def test_as_conductor_python_spells_it(self):
        context = TaskContext(TASK)
        assert (context.get_task_id(), context.get_workflow_instance_id(), context.get_task_def_name()) == (
            "t1",
            "w1",
            "f",
        )
        assert (context.get_retry_count(), context.get_poll_count(), context.get_input()) == (1, 2, {"a": 1})
        context.set_callback_after(3)
        assert context.get_callback_after_seconds() == 3
        context.add_log("x")
        assert context.get_workflow_task_type() == ""

    def test_log_lines_come_first_and_stamped_in_milliseconds(self):
        context = TaskContext(TASK)
        context.log("one")
        sent = result(TaskResult.complete().log("two"), context)
        assert [line["log"] for line in sent["logs"]] == ["one", "two"]
        assert abs(sent["logs"][0]["createdTime"] - time.time() * 1000) < 60_000

    def test_output_beside_what_is_returned(self):
        context = TaskContext(TASK)
        context.set_output({"progress": 50, "status": "going"})
        assert result({"status": "done"}, context)["outputData"] == {"progress": 50, "status": "done"}
        assert result(None, context)["outputData"] == {"progress": 50, "status": "going"}

    def test_callback_after_gives_the_task_back(self):
        context = TaskContext(TASK)
        context.callback_after(5)
        sent = result({"status": "pending"}, context)
        assert (sent["status"], sent["callbackAfterSeconds"]) == ("IN_PROGRESS", 5)

    def test_there_is_none_outside_of_a_task(self):
        with pytest.raises(TaskError, match="outside of a task"):
            get_task_context()

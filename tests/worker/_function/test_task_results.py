"""Results made from what a function returned or raised."""

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

from conductor_async.errors import ConfigurationError, NonRetryableException, PayloadError
from conductor_async.models import Task, TaskResult, TaskResultStatus, encode_json
from conductor_async.worker import TaskContext, TaskInProgress
from conductor_async.worker._function.task_results import (
    describe,
    result_from_exception,
    result_from_return_value,
)

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
    return json.loads(encode_json(result_from_return_value(value, context or TaskContext(TASK), "me")))


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
    def test_the_return_value_becomes_the_output(self, value, output):
        sent = result(value)
        assert sent.get("outputData", {}) == output
        assert sent["status"] == "COMPLETED"
        assert (sent["taskId"], sent["workflowInstanceId"], sent["workerId"]) == ("t1", "w1", "me")

    def test_a_task_result_is_used_with_its_ids_filled_in(self):
        given = TaskResult.failed("no stock").add_output_data("left", 0)
        sent = result(given)
        assert (sent["status"], sent["reasonForIncompletion"]) == ("FAILED", "no stock")
        assert (sent["taskId"], sent["workflowInstanceId"], sent["outputData"]) == ("t1", "w1", {"left": 0})
        assert given.task_id == ""

    def test_a_task_result_without_status_is_completed(self):
        assert result(TaskResult(output_data={"a": 1}))["status"] == "COMPLETED"

    def test_task_in_progress_hands_the_task_back(self):
        sent = result(TaskInProgress(timedelta(seconds=1.2), {"done": 50}))
        assert (sent["status"], sent["callbackAfterSeconds"], sent["outputData"]) == ("IN_PROGRESS", 2, {"done": 50})

    def test_task_in_progress_calls_back_after_a_minute_by_default(self):
        assert result(TaskInProgress())["callbackAfterSeconds"] == 60

    @pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
    def test_task_in_progress_rejects_invalid_durations(self, seconds):
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
    def test_a_value_that_is_not_json_is_an_error_with_its_path(self, value, path):
        with pytest.raises(PayloadError) as caught:
            result(value)
        assert caught.value.path == path

    def test_an_exception_of_a_models_serializer_is_a_payload_error(self):
        class Odd(BaseModel):
            n: int = 1

            @field_serializer("n")
            def broken(self, value: int) -> int:
                raise KeyError(value)

        with pytest.raises(PayloadError, match="the Odd cannot be serialized"):
            result_from_return_value(Odd(), TaskContext(TASK), "me")


class TestRaising:
    def failure(self, error: BaseException) -> TaskResult:
        try:
            raise error
        except BaseException as raised:  # noqa: BLE001
            return result_from_exception(raised, TaskContext(TASK), "me")

    def test_an_exception_fails_the_task_with_its_type_and_message(self):
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
    def test_the_reason_is_valid_text(self, error, reason):
        failed = self.failure(error)
        assert failed.reason_for_incompletion == reason
        encode_json(failed)

    def test_an_exception_whose_str_raises_has_a_reason_too(self):
        class OddError(Exception):
            def __str__(self):
                raise RuntimeError

        assert describe(OddError()) == "OddError: (its message is unavailable: str() raised RuntimeError)"
        encode_json(self.failure(OddError()))

    def test_non_retryable_exceptions_are_terminal(self):
        assert self.failure(NonRetryableException("x")).status == TaskResultStatus.FAILED_WITH_TERMINAL_ERROR

    def test_the_log_has_the_traceback_with_its_time_in_milliseconds(self):
        [line] = self.failure(ValueError("x")).logs
        assert "ValueError: x" in line.log
        assert "test_task_results.py" in line.log
        assert abs(line.created_time - time.time() * 1000) < 60_000
        assert line.task_id == "t1"

    def test_a_long_reason_is_truncated(self):
        assert len(self.failure(ValueError("x" * 10_000)).reason_for_incompletion or "") == 4_000


class TestWhatTheContextReported:
    def test_log_lines_come_before_those_of_the_returned_result(self):
        context = TaskContext(TASK)
        context.log("one")
        sent = result(TaskResult.complete().log("two"), context)
        assert [line["log"] for line in sent["logs"]] == ["one", "two"]
        assert abs(sent["logs"][0]["createdTime"] - time.time() * 1000) < 60_000

    def test_output_is_merged_with_the_returned_value(self):
        context = TaskContext(TASK)
        context.set_output({"progress": 50, "status": "going"})
        assert result({"status": "done"}, context)["outputData"] == {"progress": 50, "status": "done"}
        assert result(None, context)["outputData"] == {"progress": 50, "status": "going"}

    def test_callback_after_hands_the_task_back(self):
        context = TaskContext(TASK)
        context.callback_after(5)
        sent = result({"status": "pending"}, context)
        assert (sent["status"], sent["callbackAfterSeconds"]) == ("IN_PROGRESS", 5)

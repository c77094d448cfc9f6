"""Task results, search results, bulk responses."""

from __future__ import annotations

import time

from conductor_async.models import (
    BulkResponse,
    SearchResult,
    TaskResult,
    TaskResultStatus,
    Workflow,
    WorkflowSummary,
)


def test_results_are_built_in_a_chain() -> None:
    result = TaskResult.complete().add_output_data("total", 3).add_output_data("none", None).log("added up")
    sent = result.to_wire()
    assert (sent["status"], sent["outputData"]) == ("COMPLETED", {"total": 3, "none": None})
    assert [line["log"] for line in sent["logs"]] == ["added up"]


def test_log_lines_are_stamped_in_epoch_milliseconds() -> None:
    before = time.time() * 1000
    line = TaskResult().log("now").logs[0]
    assert before - 1000 < line.created_time < time.time() * 1000 + 1000


def test_failed_and_in_progress() -> None:
    assert TaskResult.failed("no").to_wire() == {"status": "FAILED", "reasonForIncompletion": "no"}
    assert TaskResult.failed().to_wire() == {"status": "FAILED"}
    assert TaskResult.in_progress().status is TaskResultStatus.IN_PROGRESS


def test_two_results_share_no_output() -> None:
    TaskResult.complete().add_output_data("a", 1)
    assert TaskResult.complete().output_data == {}


def test_search_results_have_a_total() -> None:
    found = SearchResult[WorkflowSummary].model_validate_json(
        '{"totalHits": 1234, "results": [{"workflowId": "w", "status": "FAILED", "startTime": "2026-11-23T07:17:15Z"}]}'
    )
    assert found.total_hits == 1234
    assert found.results[0].is_completed()
    assert found.results[0].start_time == "2026-11-23T07:17:15Z"
    assert SearchResult[Workflow].model_validate_json('{"totalHits": 0, "results": null}').results == []


def test_summaries_accept_times_as_numbers() -> None:
    assert WorkflowSummary.model_validate({"startTime": 1795417540645}).start_time == "1795417540645"


def test_bulk_responses_map_ids_to_messages() -> None:
    answer = BulkResponse.model_validate({"bulkErrorResults": {"a": "gone"}, "bulkSuccessfulResults": ["b", "b"]})
    assert answer.bulk_error_results == {"a": "gone"}
    assert answer.bulk_successful_results == ["b", "b"]

"""What a safe start decides, without any I/O."""

from __future__ import annotations

import pytest

from conductor_async import ConfigurationError, IdempotencyStrategy, StartWorkflowRequest, Workflow
from conductor_async.execution.start_request import delay_before_look, may_start_again, started_with, with_dedupe_key
from conductor_async.execution.unconfirmed_starts import UnconfirmedStart, UnconfirmedStarts


def test_the_key_is_the_correlation_id_and_the_idempotency_key():
    request = StartWorkflowRequest(name="w", input={"a": 1})
    assert with_dedupe_key(request, "order-42").to_wire() == {
        "name": "w",
        "input": {"a": 1},
        "correlationId": "order-42",
        "idempotencyKey": "order-42",
        "idempotencyStrategy": "RETURN_EXISTING",
    }
    assert request.to_wire() == {"name": "w", "input": {"a": 1}}


def test_an_idempotency_key_of_ones_own_is_kept():
    request = StartWorkflowRequest(name="w", idempotency_key="mine", idempotency_strategy=IdempotencyStrategy.FAIL)
    marked = with_dedupe_key(request, "order-42")
    assert (marked.idempotency_key, marked.idempotency_strategy) == ("mine", "FAIL")


def test_another_correlation_id_is_refused():
    with pytest.raises(ConfigurationError, match="leave out correlation_id='c'"):
        with_dedupe_key(StartWorkflowRequest(name="w", correlation_id="c"), "order-42")
    assert with_dedupe_key(StartWorkflowRequest(name="w", correlation_id="k"), "k").correlation_id == "k"


@pytest.mark.parametrize("key", ["", " ", 42, None])
def test_a_key_is_text(key):
    with pytest.raises(ConfigurationError, match="dedupe_key"):
        with_dedupe_key(StartWorkflowRequest(name="w"), key)


def execution(workflow_id: str, create_time: int, parent: str | None = None) -> Workflow:
    return Workflow(workflow_id=workflow_id, create_time=create_time, parent_workflow_id=parent)


def test_the_oldest_comes_first_and_children_do_not_count():
    found = [execution("b", 2), execution("child", 0, "parent"), execution("a", 1), execution("c", 1)]
    assert [each.workflow_id for each in started_with(found)] == ["a", "c", "b"]
    assert started_with([execution("child", 0, "parent")]) == []


def looks_in(window: float, *, each_takes: float = 0.0) -> list[float]:
    at: list[float] = []
    now = 0.0
    while (delay := delay_before_look(len(at), now, window)) is not None:
        now += delay
        at.append(round(now, 6))
        now += each_takes
    return at


def test_it_looks_at_once_then_ever_more_seldom_and_last_when_the_window_ends():
    assert looks_in(10) == [0, 0.05, 0.15, 0.35, 0.75, 1.55, 3.15, 5.15, 7.15, 9.15, 10]
    assert looks_in(0.1) == [0, 0.05, 0.1]
    assert looks_in(0) == [0]
    assert looks_in(10, each_takes=6) == [0, 6.05]


def test_a_look_in_a_very_long_window_is_never_more_than_two_seconds_away():
    assert delay_before_look(5000, 100, 3600) == 2


@pytest.mark.parametrize(("starts", "answered", "again"), [(1, True, True), (1, False, False), (2, True, False)])
def test_it_starts_once_more_only_if_the_server_said_that_there_is_nothing(starts, answered, again):
    assert may_start_again(starts, sure_of_none=answered) is again


def test_a_doubt_ends_with_the_window_or_after_ten_times_the_slowest_look():
    doubt = UnconfirmedStart(since=100, window=10)
    assert doubt.ends == 110
    doubt.slowest = 0.9
    assert doubt.ends == 110
    doubt.slowest = 4
    assert doubt.ends == 140


def test_doubts_that_have_ended_are_forgotten():
    doubts = UnconfirmedStarts()
    for number in range(3):
        doubts.add(("w", f"order-{number}"), now=number * 6, window=10)
    assert [doubts.of(("w", f"order-{number}")) is None for number in range(3)] == [True, False, False]
    doubts.resolve(("w", "order-1"))
    assert len(doubts) == 1

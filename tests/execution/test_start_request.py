"""The requests that start an execution, without any I/O."""

from __future__ import annotations

import pytest

from conductor_async import ConfigurationError, StartWorkflowRequest
from conductor_async.execution._start_request import with_dedupe_key
from conductor_async.models import IdempotencyStrategy


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


def test_an_idempotency_key_in_the_request_is_kept():
    request = StartWorkflowRequest(name="w", idempotency_key="mine", idempotency_strategy=IdempotencyStrategy.FAIL)
    marked = with_dedupe_key(request, "order-42")
    assert (marked.idempotency_key, marked.idempotency_strategy) == ("mine", "FAIL")


def test_a_correlation_id_other_than_the_key_is_rejected():
    with pytest.raises(ConfigurationError, match="leave out correlation_id='c'"):
        with_dedupe_key(StartWorkflowRequest(name="w", correlation_id="c"), "order-42")
    assert with_dedupe_key(StartWorkflowRequest(name="w", correlation_id="k"), "k").correlation_id == "k"


@pytest.mark.parametrize("key", ["", " ", 42, None])
def test_a_key_must_be_a_non_empty_string(key):
    with pytest.raises(ConfigurationError, match="dedupe_key"):
        with_dedupe_key(StartWorkflowRequest(name="w"), key)

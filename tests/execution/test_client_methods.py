"""The executor's methods that forward to a client."""

from __future__ import annotations

import inspect

import pytest

from conductor_async.execution import WorkflowExecutor
from conductor_async.resources import TaskClient, WorkflowClient
from tests.fakes.clients import client_of
from tests.fakes.http_server import respond, serve


@pytest.mark.parametrize(
    ("forwarding", "method"),
    [
        (WorkflowExecutor.search, WorkflowClient.search),
        (WorkflowExecutor.pause, WorkflowClient.pause_workflow),
        (WorkflowExecutor.get_task, TaskClient.get_task),
    ],
)
def test_a_forwarding_method_has_the_signature_and_docstring_of_the_clients(forwarding, method):
    assert inspect.signature(forwarding) == inspect.signature(method)
    assert forwarding.__doc__ == method.__doc__
    assert getattr(WorkflowExecutor, forwarding.__name__) is forwarding
    assert inspect.iscoroutinefunction(forwarding)


@pytest.mark.anyio
@pytest.mark.parametrize("keyword", ["free_text", "freeText"])
async def test_keywords_are_forwarded_in_both_spellings(keyword):
    found = respond(json={"totalHits": 1, "results": [{"workflowId": "id-1"}]})
    async with serve(found) as server, client_of(server) as conductor:
        result = await conductor.executor.search(**{keyword: "tea"})
        assert "freeText=tea" in server.requests[0].target
    assert [each.workflow_id for each in result.results] == ["id-1"]

"""camelCase spellings: accepted at run time without a warning, and hidden from type checkers."""

from __future__ import annotations

import inspect
import sys
from typing import Any

import pytest

from conductor_async._camel_case import CamelCaseMixin, snake_case
from conductor_async.client import ConductorClient
from conductor_async.compat import OrkesClients
from conductor_async.resources import MetadataClient, TaskClient, WorkflowBulkClient, WorkflowClient
from tests.fakes.cases import each_case
from tests.fakes.clients import client_of
from tests.fakes.wire import answer, serve


@each_case(
    ("camel", "snake"),
    [
        ("registerWorkflowDef", "register_workflow_def"),
        ("waitUntilTaskRef", "wait_until_task_ref"),
        ("getTaskDef", "get_task_def"),
        ("searchV2", "search_v2"),
        ("updateTaskV2", "update_task_v2"),
        ("getURLOf", "get_url_of"),
        ("name", "name"),
        ("snake_case", "snake_case"),
    ],
)
def test_spelling(camel: str, snake: str) -> None:
    assert snake_case(camel) == snake


def camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


@each_case("kind", [MetadataClient, TaskClient, WorkflowBulkClient, WorkflowClient, OrkesClients])
def test_every_method_has_its_camel_case_name(kind: Any) -> None:
    thing: Any = kind.__new__(kind)
    methods = [name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")]
    assert len(methods) > 5
    for name in methods:
        assert getattr(thing, camel_case(name)) == getattr(thing, name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    client: Any = ConductorClient("http://x").workflow
    for name in ("startWorkflw", "__fooBar__", "_apiKey", "StartWorkflow_", "noSuchThing"):
        with pytest.raises(AttributeError, match=name):
            getattr(client, name)
        assert not hasattr(client, name)
    assert "startWorkflow" not in dir(client)
    # Python marks functions that return a coroutine from 3.12 on; a wrapper that awaits would cost memory in each call.
    assert inspect.iscoroutinefunction(client.startWorkflow) == (sys.version_info >= (3, 12))
    assert inspect.signature(client.startWorkflow) == inspect.signature(client.start_workflow)


@pytest.mark.anyio
async def test_keywords_in_both_spellings() -> None:
    async with serve(answer(text="execution-id-0001")) as server, client_of(server) as client:
        old: Any = client.workflow
        for start in (old.startWorkflowByName, old.start_workflow_by_name):
            await start("w", correlationId="c", priority=1)
            await start(name="w", correlation_id="c", priority=1)
        assert len({(each.target, each.body) for each in server.requests}) == 1
        with pytest.raises(TypeError, match="correlationIdd"):
            await old.startWorkflowByName("w", correlationIdd="c")
        with pytest.raises(TypeError):
            await old.startWorkflowByName("w", correlation_id="c", correlationId="d")


def test_keywords_of_users_keep_their_spelling() -> None:
    class Thing(CamelCaseMixin):
        def run(self, task_name: str, **inputs: int) -> tuple[str, dict[str, int]]:
            return task_name, inputs

    thing: Any = Thing()
    assert thing.run(taskName="t", orderId=1, order_id=2) == ("t", {"orderId": 1, "order_id": 2})

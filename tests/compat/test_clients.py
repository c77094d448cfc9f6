"""`OrkesClients`: one session for all clients, and the names that only conductor-python has."""

from __future__ import annotations

from typing import Any

import pytest

from conductor_async import Configuration
from conductor_async.client import ConductorClient
from conductor_async.compat import ConductorClients, OrkesClients
from tests.fakes.http_server import respond, serve


def test_both_factories_are_the_same_class() -> None:
    assert ConductorClients is OrkesClients


@pytest.mark.anyio
async def test_all_clients_share_one_session() -> None:
    async with serve(respond(json=[])) as server, OrkesClients(Configuration(server.url, trust_env=False)) as clients:
        await clients.get_metadata_client().get_all_task_defs()
        await clients.get_task_client().get_all_poll_data()
        await clients.get_workflow_client().get_running_workflows("w")
        assert clients.get_metadata_client() is clients.get_metadata_client()
        assert server.accepted == 1


@pytest.mark.anyio
async def test_remove_workflow_deletes_an_execution() -> None:
    async with serve(respond()) as server, OrkesClients(Configuration(server.url, trust_env=False)) as clients:
        old: Any = clients.get_workflow_client()
        await old.remove_workflow("w")
        await old.removeWorkflow("w")
        assert [(each.method, each.target) for each in server.requests] == [
            ("DELETE", "/api/workflow/w/remove?archiveWorkflow=true")
        ] * 2
    assert not hasattr(ConductorClient("http://x").workflow, "remove_workflow")

from __future__ import annotations

import asyncio
import contextvars
from typing import Any

import anyio
import httpx
import pytest

from conductor_async import ConductorWorkflow, ConfigurationError, SimpleTask, TaskDef, WorkerHost, worker_task
from conductor_async.embedded import EmbeddedConductor
from conductor_async.errors import ClientClosedError, NotFoundError

pytestmark = pytest.mark.anyio


@worker_task(task_definition_name="greet")
async def greet(name: str) -> dict[str, str]:
    return {"greeting": f"Hello, {name}"}


def greetings(embedded: EmbeddedConductor) -> ConductorWorkflow:
    workflow = ConductorWorkflow(executor=embedded.client.executor, name="greetings", version=1)
    task = SimpleTask("greet", "greet_ref")
    task.input_parameters["name"] = workflow.input("name")
    workflow >> task
    return workflow.output_parameters({"greeting": task.output("greeting")})


async def test_a_workflow_runs_with_its_worker_and_no_server(embedded: EmbeddedConductor) -> None:
    workflow = greetings(embedded)
    await workflow.register(overwrite=True)
    async with WorkerHost(embedded.client, [greet]):
        with anyio.fail_after(20):
            run = await workflow.execute({"name": "Ada"})
    assert (run.status, run.output) == ("COMPLETED", {"greeting": "Hello, Ada"})


async def test_passing_the_conductor_instead_of_its_client_is_an_error(embedded: EmbeddedConductor) -> None:
    whole: Any = embedded
    with pytest.raises(ConfigurationError, match=r"not <EmbeddedConductor.*have one as \.client"):
        WorkerHost(whole, [greet])
    workflow = ConductorWorkflow(executor=whole.client, name="greetings")
    workflow >> SimpleTask("greet", "greet_ref")
    with pytest.raises(ConfigurationError, match=r"is ConductorClient\(.*a client has one as client\.executor"):
        await workflow.execute({})


async def test_stopping_answers_open_polls_at_once() -> None:
    found: list[Any] = []
    with anyio.fail_after(4):  # a poll waits 5 seconds
        async with EmbeddedConductor() as embedded, anyio.create_task_group() as group:

            async def poll() -> None:
                found.append(await embedded.client.task.batch_poll_tasks("nobody", count=3, timeout=5))

            group.start_soon(poll)
            await anyio.wait_all_tasks_blocked()
            await embedded.stop()
    assert found == [[]]


async def test_no_task_outlives_it() -> None:
    before = asyncio.all_tasks()
    async with EmbeddedConductor() as embedded:
        await greetings(embedded).register()
    assert asyncio.all_tasks() == before


async def test_the_client_is_closed_with_it() -> None:
    async with EmbeddedConductor() as embedded:
        client = embedded.client
    with pytest.raises(ClientClosedError):
        await client.metadata.get_all_workflow_defs()
    await embedded.stop()  # again is fine


async def test_it_starts_only_once() -> None:
    async with EmbeddedConductor() as embedded:
        with pytest.raises(ConfigurationError, match="is running, and starts only once"):
            await embedded.start()
    with pytest.raises(ConfigurationError, match="is stopped"):
        await embedded.start()
    assert repr(embedded) == "<EmbeddedConductor, stopped, real time>"


@pytest.mark.asyncio
async def test_it_can_be_entered_in_one_task_and_left_in_another() -> None:
    embedded = EmbeddedConductor()
    await asyncio.create_task(embedded.start(), context=contextvars.Context())
    await asyncio.create_task(greetings(embedded).register())
    await asyncio.create_task(embedded.stop(), context=contextvars.Context())


async def test_two_conductors_share_nothing(embedded: EmbeddedConductor) -> None:
    await greetings(embedded).register()
    async with EmbeddedConductor() as other:
        with pytest.raises(NotFoundError):
            await other.client.metadata.get_workflow_def("greetings")


async def test_its_client_ignores_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONDUCTOR_SERVER_URL", "http://elsewhere.example/api")
    monkeypatch.setenv("CONDUCTOR_AUTH_KEY", "key")
    monkeypatch.setenv("CONDUCTOR_AUTH_SECRET", "secret")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with EmbeddedConductor() as embedded:
        assert await embedded.client.metadata.get_all_workflow_defs() == []
        assert embedded.client.configuration.server_api_url == embedded.url


async def test_its_transport_and_its_app_serve_other_clients(embedded: EmbeddedConductor) -> None:
    for transport in (embedded.transport, httpx.ASGITransport(embedded.app)):
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            answer = await http.post("/api/metadata/taskdefs", json=[{"name": "greet"}])
            assert (answer.status_code, answer.content) == (200, b"")
            assert "content-type" not in answer.headers
            assert (await http.get("/health")).json()["healthy"] is True
            assert (await http.get("/api/version")).text == "3.32.3"
            missing = await http.get("/api/metadata/workflow/no%20such")
            assert missing.json()["message"] == "No such workflow found by name: no such, version: null"
    assert (await embedded.client.metadata.get_task_def("greet")).name == "greet"


async def test_its_app_can_be_mounted_in_another() -> None:
    from starlette.applications import Starlette
    from starlette.routing import Mount

    async with EmbeddedConductor() as embedded:
        outer = Starlette(routes=[Mount("/conductor", app=embedded.app)])
        async with httpx.AsyncClient(transport=httpx.ASGITransport(outer), base_url="http://localhost") as http:
            assert (await http.get("/conductor/api/version")).text == "3.32.3"
            assert (await http.get("/api/version")).status_code == 404


async def test_the_same_seed_gives_the_same_ids() -> None:
    async def ids(seed: int | None) -> list[str]:
        async with EmbeddedConductor(seed=seed) as embedded:
            await embedded.client.metadata.register_task_def(TaskDef(name="greet"))
            await greetings(embedded).register()
            workflow_id = await embedded.client.workflow.start_workflow_by_name("greetings")
            execution = await embedded.client.workflow.get_workflow(workflow_id)
            return [workflow_id, execution.tasks[0].task_id]

    assert await ids(7) == await ids(7)
    assert await ids(7) != await ids(8)
    assert await ids(None) != await ids(None)


def test_an_unknown_clock_is_rejected() -> None:
    with pytest.raises(ConfigurationError, match="not 'fast'"):
        EmbeddedConductor(clock="fast")  # type: ignore[arg-type]

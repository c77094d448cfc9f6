"""An embedded Conductor on a port."""

from __future__ import annotations

import socket

import anyio
import httpx
import pytest

from conductor_async import ConductorClient, ConductorWorkflow, ConfigurationError, SimpleTask, WorkerHost, worker_task
from conductor_async.embedded import EmbeddedConductor

pytestmark = pytest.mark.asyncio


@worker_task(task_definition_name="greet")
async def greet(name: str) -> dict[str, str]:
    return {"greeting": f"Hello, {name}"}


async def test_clients_use_it_by_its_url() -> None:
    async with EmbeddedConductor() as embedded, embedded.serving() as url, ConductorClient(url) as conductor:
        workflow = ConductorWorkflow(executor=conductor.executor, name="greetings", version=1)
        workflow >> SimpleTask("greet", "greet_ref", input_parameters={"name": workflow.input.name})
        await workflow.register()
        async with WorkerHost(conductor, [greet]):
            with anyio.fail_after(20):
                run = await workflow.execute({"name": "Ada"})
        assert run.output == {"greeting": "Hello, Ada"}
        # The same executions, seen from inside.
        execution = await embedded.client.workflow.get_workflow(run.workflow_id or "")
        assert execution.output == run.output


async def test_health_head_options_and_malformed_urls() -> None:
    async with EmbeddedConductor() as embedded, embedded.serving() as url, httpx.AsyncClient(trust_env=False) as http:
        base = url.removesuffix("/api")
        assert (await http.get(f"{base}/health")).json()["healthy"] is True
        slash = await http.get(f"{url}/metadata/workflow/a%2Fb")
        assert (slash.status_code, slash.headers["content-type"]) == (400, "text/html;charset=utf-8")
        assert (await http.get(f"{url}/workflow/{'x' * 9000}")).status_code == 400
        head = await http.head(f"{url}/version")
        assert (head.status_code, head.content) == (200, b"")
        options = await http.options(f"{url}/workflow")
        assert (options.status_code, options.headers["allow"]) == (200, "POST,OPTIONS")
        patch = await http.patch(f"{url}/workflow")
        assert (patch.status_code, patch.json()["message"]) == (405, "Request method 'PATCH' is not supported")
        nothing = await http.get(f"{base}/nothing/here/")
        assert (nothing.status_code, nothing.json()["message"]) == (404, "No static resource nothing/here.")


async def test_stopping_answers_open_polls_at_once() -> None:
    async with EmbeddedConductor() as embedded, httpx.AsyncClient(trust_env=False) as http:
        answers: list[httpx.Response] = []

        async def poll(url: str) -> None:
            answers.append(await http.get(f"{url}/tasks/poll/batch/nobody?count=1&timeout=5000", timeout=10))

        with anyio.fail_after(4):
            async with anyio.create_task_group() as group, embedded.serving() as url:
                group.start_soon(poll, url)
                while not embedded.engine.tasks.get_all_poll_data():  # noqa: ASYNC110 - there is no event to wait for
                    await anyio.sleep(0.01)
        assert [(answer.status_code, answer.json()) for answer in answers] == [(200, [])]
        # It goes on without the port.
        assert await embedded.client.metadata.get_all_workflow_defs() == []


async def test_a_skipping_clock_cannot_be_served() -> None:
    async with EmbeddedConductor(clock="skipping") as embedded:
        with pytest.raises(ConfigurationError, match="cannot see the work of other processes"):
            async with embedded.serving():
                pass


async def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with EmbeddedConductor() as embedded:
            with pytest.raises(ConfigurationError, match=f"Cannot listen on port {port} of 127.0.0.1"):
                async with embedded.serving(port=port):
                    pass


async def test_an_exception_inside_is_raised_unchanged() -> None:
    async with EmbeddedConductor() as embedded:
        with pytest.raises(ZeroDivisionError):
            async with embedded.serving():
                _ = 1 / 0

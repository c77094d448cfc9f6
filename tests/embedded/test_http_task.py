"""HTTP tasks: what goes out, and what the server makes of the answer (as recorded in `task_http`)."""

from __future__ import annotations

import ssl
import threading
from typing import Any

import anyio
import httpx
import pytest

from conductor_async import ConductorWorkflow
from conductor_async.devserver import Outcome
from conductor_async.embedded import EmbeddedConductor
from conductor_async.embedded._http_task import HttpTasks
from conductor_async.tasks import HttpInput, HttpTask
from tests.fakes.http_server import respond, serve, stall, unused_port

pytestmark = pytest.mark.anyio


async def outcome(content: httpx.Response | Exception, **task_input: Any) -> tuple[Outcome, list[httpx.Request]]:
    sent: list[httpx.Request] = []

    def service(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        if isinstance(content, Exception):
            raise content
        return content

    async with httpx.AsyncClient(transport=httpx.MockTransport(service)) as client:
        task_input = {"uri": "http://service.example/x", "method": "GET", **task_input}
        return await HttpTasks(client).perform(task_input), sent


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b"[1, 2]", [1, 2]),
        (b"5", 5.0),
        (b'"s"', "s"),
        (b"true", "true"),
        (b"null", "null"),
        (b"{x", "{x"),
        (b"hello", "hello"),
        (b"", None),
    ],
)
async def test_bodies_are_read_as_the_server_reads_them(body: bytes, read: Any) -> None:
    done, _ = await outcome(httpx.Response(200, content=body))
    assert done.status == "COMPLETED"
    response = (done.output or {})["response"]
    assert (response["body"], type(response["body"])) == (read, type(read))
    assert (response["statusCode"], response["reasonPhrase"]) == (200, "OK")


async def test_headers_come_as_lists() -> None:
    done, _ = await outcome(httpx.Response(201, headers=[("X-A", "1"), ("X-A", "2"), ("X-B", "3")]))
    headers = (done.output or {})["response"]["headers"]
    assert (headers["X-A"], headers["X-B"]) == (["1", "2"], ["3"])


async def test_request_defaults_and_what_the_task_overrides() -> None:
    _, [plain] = await outcome(httpx.Response(200))
    assert (plain.headers["Content-Type"], plain.headers["Accept"]) == ("application/json", "application/json")
    assert plain.extensions["timeout"] == {"connect": 3.0, "read": 3.0, "write": None, "pool": None}
    _, [asked] = await outcome(
        httpx.Response(200),
        http_request={
            "uri": "http://service.example/y",
            "method": "PUT",
            "body": {"k": [1]},
            "headers": {"X-H": 5, "X-None": None},
            "accept": ["text/plain", "text/csv"],
            "contentType": "application/vnd.x+json",
            "connectionTimeOut": 500,
            "readTimeOut": 0,
        },
    )
    assert (asked.method, str(asked.url), asked.content) == ("PUT", "http://service.example/y", b'{"k":[1]}')
    assert (asked.headers["X-H"], asked.headers["Accept"]) == ("5", "text/plain, text/csv")
    assert "X-None" not in asked.headers
    assert (asked.extensions["timeout"]["connect"], asked.extensions["timeout"]["read"]) == (0.5, None)
    _, [text] = await outcome(httpx.Response(200), method="POST", body="raw", contentType="text/plain")
    assert (text.content, text.headers["Content-Type"]) == (b"raw", "text/plain")


@pytest.mark.parametrize(
    ("task_input", "reason"),
    [
        ({"uri": None}, "Missing HTTP URI.  See documentation for HttpTask for required input parameters"),
        ({"method": None}, "No HTTP method specified"),
        (
            {"method": "get"},
            "Failed to invoke HTTP task due to: java.lang.IllegalArgumentException: Invalid HTTP method: get",
        ),
        ({"uri": "http://service.example:port/"}, "Failed to invoke HTTP task due to: java.lang.Exception: I/O error"),
    ],
)
async def test_an_invalid_request_fails_the_task(task_input: dict[str, Any], reason: str) -> None:
    done, sent = await outcome(httpx.Response(200), **task_input)
    assert done.status == "FAILED"
    assert (done.reason or "").startswith(reason)
    assert sent == []


async def test_an_error_response_fails_the_task_with_the_servers_message() -> None:
    done, _ = await outcome(httpx.Response(500, text="oops"))
    said = 'java.lang.Exception: 500 Internal Server Error on GET request for "http://service.example/x": "oops"'
    assert done == Outcome("FAILED", {"response": said}, f"Failed to invoke HTTP task due to: {said}")
    bare, _ = await outcome(httpx.Response(404))
    assert (bare.reason or "").endswith('404 Not Found on GET request for "http://service.example/x": [no body]')


async def test_a_task_that_completes_elsewhere_stays_in_progress() -> None:
    done, _ = await outcome(httpx.Response(200, json={}), asyncComplete=True)
    assert done.status == "IN_PROGRESS"


async def test_an_unreachable_or_slow_service_fails_the_task() -> None:
    tasks = HttpTasks()
    port = await unused_port()
    refused = await tasks.perform({"uri": f"http://127.0.0.1:{port}/", "method": "GET"})
    said = f'I/O error on GET request for "http://127.0.0.1:{port}/": Connect to http://127.0.0.1:{port} failed: '
    assert said in (refused.reason or "")
    async with serve(stall) as server:
        slow = await tasks.perform({"uri": server.origin, "method": "GET", "readTimeOut": 50})
    assert f'I/O error on GET request for "{server.origin}": Read timed out' in (slow.reason or "")
    await tasks.aclose()


async def test_redirects_are_followed() -> None:
    tasks = HttpTasks()
    async with serve(respond(302, headers={"Location": "/there"}), respond(200, json={"at": "there"})) as server:
        done = await tasks.perform({"uri": f"{server.origin}/here", "method": "GET"})
        assert (done.output or {})["response"]["body"] == {"at": "there"}
        await tasks.aclose()


async def test_a_workflow_receives_the_response_of_a_service(embedded: EmbeddedConductor) -> None:
    workflow = ConductorWorkflow(executor=embedded.client.executor, name="asking", version=1)
    async with serve(respond(200, json={"net": 5})) as server:
        price = HttpTask("price", HttpInput(uri=f"{server.origin}/price"))
        workflow >> price
        workflow.output_parameters({"net": price.body.net})
        await workflow.register()
        with anyio.fail_after(20):
            run = await workflow.execute({})
    assert (run.status, run.output) == ("COMPLETED", {"net": 5})


async def test_a_workflow_can_call_its_own_server(embedded: EmbeddedConductor) -> None:
    workflow = ConductorWorkflow(executor=embedded.client.executor, name="asking", version=1)
    version = HttpTask("version", HttpInput(uri=f"{embedded.url}/version"))
    workflow >> version
    workflow.output_parameters({"version": version.body})
    await workflow.register()
    with anyio.fail_after(20):
        assert (await workflow.execute({})).output == {"version": "3.32.3"}


async def test_the_users_http_client_is_used_and_stays_open() -> None:
    def service(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"asked": request.url.host})

    async with httpx.AsyncClient(transport=httpx.MockTransport(service)) as client:
        async with EmbeddedConductor(http_client=client) as embedded:
            workflow = ConductorWorkflow(executor=embedded.client.executor, name="asking", version=1)
            price = HttpTask("price", HttpInput(uri="http://shop.example/price"))
            workflow >> price
            workflow.output_parameters({"asked": price.body.asked})
            await workflow.register()
            with anyio.fail_after(20):
                assert (await workflow.execute({})).output == {"asked": "shop.example"}
        assert not client.is_closed


async def test_certificates_are_not_loaded_on_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    load, loaders = ssl.SSLContext.load_verify_locations, set[int]()

    def loads(self: ssl.SSLContext, *args: Any, **kwargs: Any) -> None:
        loaders.add(threading.get_ident())
        load(self, *args, **kwargs)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", loads)
    tasks = HttpTasks()
    async with serve(respond(200, text="one"), respond(200, text="two")) as server, anyio.create_task_group() as group:
        for _ in range(2):
            group.start_soon(tasks.perform, {"uri": server.origin, "method": "GET"})
    await tasks.aclose()
    assert loaders
    assert threading.get_ident() not in loaders


@pytest.mark.parametrize(
    ("location", "reached"),
    [
        ("http://named.example/y", ["named.example", "named.example"]),
        ("http://with-port.example:8080/y", ["named.example", "with-port.example"]),
        ("http://with-port.example/y", ["named.example"]),
        ("http://169.254.169.254/latest", ["named.example"]),
        ("http://sub.named.example/y", ["named.example"]),
    ],
)
async def test_only_named_hosts_are_reached_redirects_included(location: str, reached: list[str]) -> None:
    hosts: list[str] = []

    def service(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        return httpx.Response(200) if request.url.path == "/y" else httpx.Response(302, headers={"Location": location})

    async with httpx.AsyncClient(transport=httpx.MockTransport(service), follow_redirects=True) as client:
        tasks = HttpTasks(client, hosts=["Named.example", "with-port.example:8080"])
        done = await tasks.perform({"uri": "http://named.example/x", "method": "GET"})
    assert hosts == reached
    assert done.status == ("COMPLETED" if len(reached) == 2 else "FAILED")
    if done.status == "FAILED":
        assert "is not in http_hosts" in (done.reason or "")


async def test_named_hosts_hold_for_the_embedded_conductor_and_its_own_api_is_one_of_them() -> None:
    async with EmbeddedConductor(http_hosts=[]) as embedded:
        workflow = ConductorWorkflow(executor=embedded.client.executor, name="reaching", version=1)
        workflow >> HttpTask("own", HttpInput(uri=f"{embedded.url}/version"))
        workflow >> HttpTask("other", HttpInput(uri="http://127.0.0.1:9/"))
        await workflow.register()
        with anyio.fail_after(20):
            run = await workflow.execute({}, wait_until_task_ref="other")
        execution = await embedded.client.workflow.get_workflow(run.workflow_id or "")
    tasks = {task.reference_task_name: task for task in execution.tasks or []}
    assert str(tasks["own"].status) == "COMPLETED"
    assert "is not in http_hosts" in (tasks["other"].reason_for_incompletion or "")

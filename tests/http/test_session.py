"""Event loops, closing, injected clients, redirects."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import aiohttp
import anyio
import httpx
import pytest
import respx

from conductor_async import APIError, Configuration, ConfigurationError, Limits, RetryPolicy, StartWorkflowRequest
from conductor_async.client import ConductorClient
from conductor_async.errors import (
    AmbiguousOutcomeError,
    ClientClosedError,
    ConnectionFailedError,
    WrongEventLoopError,
)
from tests.fakes.cases import each_case
from tests.fakes.clients import NEVER, client_of
from tests.fakes.http_server import cut, respond, serve, stall
from tests.fakes.orkes import KEY

STATUS = {"workflowId": "w", "status": "RUNNING"}
OK = respond(json=STATUS)


async def call(client: ConductorClient) -> None:
    assert (await client.workflow.get_workflow_status("w")).workflow_id == "w"


# -- loops -----------------------------------------------------------------------------------------------


def test_a_client_is_bound_to_the_loop_of_its_first_call() -> None:
    client = client_of("http://localhost:1/api", retry=RetryPolicy(max_attempts=1))  # made outside of any loop

    async def use() -> None:
        with pytest.raises(ConnectionFailedError):
            await call(client)

    async def use_again() -> None:
        with pytest.raises(WrongEventLoopError, match=r"<.*EventLoop.*> and is now used on <.*EventLoop") as caught:
            await call(client)
        assert repr(asyncio.get_running_loop()) in str(caught.value)
        await client.aclose()

    asyncio.run(use())
    asyncio.run(use_again())


def test_a_client_can_be_closed_after_its_loop_has_ended() -> None:
    client = client_of("http://localhost:1/api")

    async def use() -> None:
        async with serve(OK) as server:
            object.__setattr__(client.configuration, "server_api_url", server.url)
            await call(client)

    asyncio.run(use())
    asyncio.run(client.aclose())


@pytest.mark.anyio
async def test_a_client_can_be_entered_and_closed_in_different_tasks() -> None:
    async with serve(OK) as server:
        client = client_of(server)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.__aenter__)
        await call(client)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.aclose)
        await server.all_closed()
        await client.aclose()  # idempotent
        for each in (client, client.with_options(timeout=1)):
            with pytest.raises(ClientClosedError, match="closed"):
                await call(each)


@pytest.mark.anyio
async def test_an_unused_client_can_be_closed() -> None:
    await client_of("http://localhost:1").aclose()


@pytest.mark.anyio
@each_case("waiting", [1, 3], ids=["in flight", "waiting for a connection"])
async def test_closing_ends_the_calls_in_progress(waiting: int) -> None:
    errors: list[Exception] = []

    async def use(client: ConductorClient) -> None:
        try:
            await client.workflow.start_workflow(StartWorkflowRequest(name="w"))
        except Exception as error:  # noqa: BLE001 - looked at below
            errors.append(error)

    async with serve(stall) as server:
        client = client_of(server, limits=Limits(max_connections=1))
        with anyio.fail_after(3):
            async with anyio.create_task_group() as tasks:
                for _ in range(waiting):
                    tasks.start_soon(use, client)
                await anyio.sleep(0.05)
                await client.aclose()
        assert [type(error) for error in errors] == [ClientClosedError] * waiting
        await server.all_closed()


@pytest.mark.anyio
async def test_a_cancelled_block_leaves_no_connection_open() -> None:
    async with serve(stall) as server:
        with anyio.move_on_after(0.1) as scope:
            async with client_of(server) as client:
                await call(client)
        assert scope.cancelled_caught
        await server.all_closed()
        with pytest.raises(ClientClosedError):
            await call(client)


@pytest.mark.anyio
async def test_closing_ends_the_wait_before_a_retry() -> None:
    async with serve(cut(b"")) as server:
        client = client_of(server, retry=RetryPolicy(base_delay=0.3))
        async with anyio.create_task_group() as tasks:

            async def use() -> None:
                with pytest.raises(ClientClosedError):
                    await call(client)

            tasks.start_soon(use)
            await anyio.sleep(0.05)
            await client.aclose()
            sent = server.count()
        assert server.count() == sent >= 1


@pytest.mark.anyio
async def test_clients_of_one_factory_share_one_connection() -> None:
    async with serve(respond(json=[])) as server, client_of(server) as client:
        assert client.metadata is client.metadata
        for each in (client, client.with_options(timeout=3), client.with_options(retry=RetryPolicy())):
            await each.metadata.get_all_task_defs()
            await each.task.get_all_poll_data()
        assert server.accepted == 1


@pytest.mark.anyio
async def test_a_failing_call_does_not_affect_others() -> None:
    async def mixed(peer: Any, request: Any) -> None:
        if "bad" in request.target:
            await cut(b"", reset=True)(peer, request)
        await anyio.sleep(0.02)
        await OK(peer, request)

    async with serve(mixed) as server, client_of(server) as client:
        async with anyio.create_task_group() as tasks:

            async def fail() -> None:
                with pytest.raises(Exception, match="connection broke"):
                    await client.workflow.get_workflow_status("bad")

            for _ in range(20):
                tasks.start_soon(fail)
                tasks.start_soon(call, client)
        await call(client)


# -- injected clients ----------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_an_injected_client_is_used_unchanged_and_never_closed() -> None:
    seen: list[str] = []

    async def on_request(request: httpx.Request) -> None:
        seen.append(f"→ {request.method}")

    async def on_response(response: httpx.Response) -> None:
        await response.aread()
        seen.append(f"← {response.status_code}")

    hooks = {"request": [on_request], "response": [on_response]}
    async with serve(OK) as server:
        async with httpx.AsyncClient(
            headers={"X-Team": "blue", "User-Agent": "theirs"}, auth=("ada", "pw"), event_hooks=hooks, trust_env=False
        ) as http:
            async with ConductorClient(server.url, http_client=http) as client:
                await call(client)
            assert not http.is_closed
            await http.get(server.url)
        headers = server.requests[0].headers
        assert headers["x-team"] == "blue"
        assert headers["authorization"] == "Basic YWRhOnB3"
        assert headers["user-agent"].startswith("conductor-async/")  # once, not theirs and ours
        assert seen[:2] == ["→ GET", "← 200"]


@pytest.mark.anyio
async def test_each_header_is_sent_once() -> None:
    async with serve(OK) as server, client_of(server, headers={"user-agent": "mine", "X-Team": "blue"}) as client:
        await call(client)
        head = server.requests[0].raw_head
        names = [line.split(":")[0].lower() for line in head.splitlines()[1:]]
        assert sorted(names) == sorted(set(names))
        assert server.requests[0].headers["user-agent"] == "mine"


@pytest.mark.anyio
async def test_respx_works_with_an_injected_client() -> None:
    async with httpx.AsyncClient() as http:
        with respx.mock(assert_all_called=True) as router:
            route = router.get("http://conductor.example/api/workflow/a%20b/status").respond(json=STATUS)
            async with ConductorClient("http://conductor.example", http_client=http) as client:
                await client.workflow.get_workflow_status("a b")
            assert route.call_count == 1


@pytest.mark.anyio
async def test_errors_of_an_injected_client_are_classified() -> None:
    faults = {"refused": httpx.ConnectError("no"), "read": httpx.ReadError("lost"), "late": httpx.ReadTimeout("late")}

    def behave(request: httpx.Request) -> httpx.Response:
        raise faults[request.url.path.split("/")[3]]

    async with httpx.AsyncClient(transport=httpx.MockTransport(behave)) as http:
        configuration = Configuration("http://x", retry=RetryPolicy(max_attempts=1))
        client = ConductorClient(configuration, http_client=http)
        found = {}
        for fault in faults:
            with pytest.raises(Exception, match="POST http://x/api/workflow") as caught:
                await client.workflow.start_workflow_by_name(fault)
            found[fault] = type(caught.value).__name__
    assert found == {
        "refused": "ConnectionFailedError",
        "read": "AmbiguousOutcomeError",
        "late": "AmbiguousOutcomeError",
    }


@pytest.mark.anyio
async def test_errors_of_an_injected_client_over_aiohttp_are_classified_by_their_cause() -> None:
    """Its transport for httpx calls a connection that was lost after sending a `ConnectTimeout` as well."""
    faults = {"unreached": aiohttp.ConnectionTimeoutError("no one there"), "lost": aiohttp.ServerDisconnectedError()}

    def behave(request: httpx.Request) -> httpx.Response:
        cause = faults[request.url.path.split("/")[3]]
        raise httpx.ConnectTimeout(str(cause)) from cause

    async with httpx.AsyncClient(transport=httpx.MockTransport(behave)) as http:
        configuration = Configuration("http://x", retry=RetryPolicy(max_attempts=1))
        client = ConductorClient(configuration, http_client=http)
        with pytest.raises(ConnectionFailedError, match="Nothing was sent"):
            await client.workflow.start_workflow_by_name("unreached")
        with pytest.raises(AmbiguousOutcomeError):
            await client.workflow.start_workflow_by_name("lost")


@pytest.mark.anyio
async def test_a_closed_injected_client_is_an_error() -> None:
    http = httpx.AsyncClient()
    client = ConductorClient("http://x", http_client=http)
    await http.aclose()
    with pytest.raises(ClientClosedError, match="http_client"):
        await call(client)


@each_case(
    "setting",
    [
        {"proxy": "http://p"},
        {"cert": "c"},
        {"limits": Limits()},
        {"trust_env": False},
        {"connect_timeout": 1},
        {"verify": "/ca.pem"},
    ],
)
def test_transport_settings_beside_an_injected_client_are_rejected(setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="http_client"):
        ConductorClient(Configuration("http://x", **setting), http_client=httpx.AsyncClient())


# -- redirects --------------------------------------------------------------------------------------------------


@pytest.mark.anyio
@each_case("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_error_that_names_the_target_and_keeps_the_token(status: int) -> None:
    async def behave(peer: Any, request: Any) -> None:
        moved = respond(status, headers={"Location": f"{other.origin}/elsewhere"})
        await (respond(json={"token": "t"}) if "token" in request.target else moved)(peer, request)

    async with serve(OK) as other, serve(behave) as server:
        async with client_of(server, authentication_settings=KEY) as client:
            with pytest.raises(APIError, match=f"{other.origin}/elsewhere") as caught:
                await call(client)
        assert caught.value.status == status
        assert other.accepted == 0
        async with httpx.AsyncClient(follow_redirects=True, trust_env=False) as http:
            client = ConductorClient(Configuration(server.url, authentication_settings=KEY), http_client=http)
            with pytest.raises(APIError, match="redirect"):
                await call(client)
        assert other.accepted == 0


@pytest.mark.anyio
async def test_the_error_of_an_unreachable_server_is_short_and_keeps_its_causes() -> None:
    async with client_of("http://127.0.0.1:9/api", retry=NEVER) as client:
        with pytest.raises(ConnectionFailedError) as caught:
            await client.workflow.get_workflow("w")
    cause = caught.value.__cause__
    assert cause is not None
    while cause is not None:
        assert cause.__traceback__ is None
        cause = cause.__cause__


@pytest.mark.anyio
async def test_an_unclosed_client_is_named(caplog: pytest.LogCaptureFixture, anyio_backend_name: str) -> None:
    if anyio_backend_name == "trio":
        return  # httpx closes its connections without a word
    async with serve(respond(json={"status": "RUNNING"})) as server:
        client = client_of(server)
        await client.workflow.get_workflow("w")
        with pytest.warns(ResourceWarning, match="A ConductorClient of http.* was not closed: use `async with`"):  # noqa: PT031
            del client
            gc.collect()
        await anyio.sleep(0.05)
    assert [record.name for record in caplog.records] == ["conductor_async"]

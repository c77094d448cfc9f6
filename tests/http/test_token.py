"""The access token: one fetch for all waiting callers, refreshed in time, kept when a refresh fails, replaced once."""

from __future__ import annotations

import base64
import copy
import json
import logging
import pickle
import traceback
from typing import Any

import anyio
import pytest

from conductor_async import (
    APIError,
    AuthenticationSettings,
    ConductorError,
    Configuration,
    RetryPolicy,
    StartWorkflowRequest,
)
from conductor_async.client import ConductorClient
from conductor_async.errors import (
    AuthenticationError,
    ClientClosedError,
    ConnectionFailedError,
    PermissionDeniedError,
    RequestTimeoutError,
    ServerError,
)
from tests.fakes.cases import each_case
from tests.fakes.http_server import cut, respond, routed, serve, stall
from tests.fakes.orkes import KEY, STATUS, orkes

pytestmark = pytest.mark.anyio


async def call(client: ConductorClient) -> None:
    await client.workflow.get_workflow_status("w")


async def many(count: int, client: ConductorClient) -> list[ConductorError]:
    """Calls at once; the errors."""
    errors: list[ConductorError] = []

    async def one() -> None:
        try:
            await call(client)
        except ConductorError as error:
            errors.append(error)

    async with anyio.create_task_group() as tasks:
        for _ in range(count):
            tasks.start_soon(one)
    return errors


async def test_the_token_is_fetched_when_first_needed() -> None:
    async with orkes() as server, server.client() as client:
        assert server.tokens_asked == 0
        await call(client)
        await call(client)
        assert (server.tokens_asked, server.tokens_seen) == (1, ["token-1", "token-1"])
        assert server.server.requests[0].headers.get("x-authorization") is None


async def test_without_a_key_no_token_is_fetched() -> None:
    async with orkes(refusal=(403, "no")) as server, server.client(authentication_settings=None) as client:
        with pytest.raises(PermissionDeniedError):
            await call(client)
        assert server.tokens_asked == 0


async def test_fifty_concurrent_first_calls_fetch_one_token() -> None:
    async with orkes(token_delay=0.05) as server, server.client() as client:
        assert await many(50, client) == []
        assert server.tokens_asked == 1
        assert server.tokens_seen == ["token-1"] * 50


async def test_one_caller_refreshes_the_token_before_it_expires() -> None:
    async with orkes() as server, server.client(auth_token_ttl=0.5) as client:
        await call(client)
        await anyio.sleep(0.41)  # over 80 % of it
        server.token_delay = 0.1
        assert await many(30, client) == []
        assert server.tokens_asked == 2
        assert set(server.tokens_seen[:30]) == {"token-1"}  # the others go on with the old one meanwhile


async def test_the_lifetime_in_the_token_is_used() -> None:
    claims = base64.urlsafe_b64encode(json.dumps({"iat": 1000, "exp": 1000.4}).encode()).decode().rstrip("=")
    token = respond(json={"token": f"head.{claims}.sign"})
    async with orkes(token_fault=token) as server, server.client() as client:
        await call(client)
        await anyio.sleep(0.35)
        await call(client)
        assert server.tokens_asked == 2


@pytest.mark.parametrize("fault", [respond(503), respond(401), cut(b""), respond(text="<html>")])
async def test_the_old_token_is_kept_when_a_refresh_fails(fault: Any, caplog: pytest.LogCaptureFixture) -> None:
    async with orkes() as server, server.client(auth_token_ttl=0.05) as client:
        await call(client)
        await anyio.sleep(0.06)
        server.token_fault = fault
        assert await many(20, client) == []
        assert set(server.tokens_seen) == {"token-1"}
        assert server.tokens_asked <= 1 + 4  # one refresh with its retries, then a pause
        assert "Refreshing the access token failed" in caplog.text
        server.token_fault = None
        with anyio.fail_after(3):
            while server.tokens_seen[-1] == "token-1":
                await call(client)
                await anyio.sleep(0.02)
        assert server.tokens_seen[-1] == "token-2"


@each_case("refusal", [(401, "EXPIRED_TOKEN"), (401, "INVALID_TOKEN"), (403, "EXPIRED_TOKEN")])
async def test_a_rejected_token_is_replaced_and_the_request_sent_again(refusal: tuple[int, str]) -> None:
    async with orkes(refusal=refusal) as server, server.client() as client:
        await call(client)
        server.revoke_all()
        await client.workflow.start_workflow(StartWorkflowRequest(name="w"))  # rejected, so not processed
        assert (server.tokens_asked, server.tokens_seen) == (2, ["token-1", "token-1", "token-2"])


async def test_two_hundred_rejected_callers_share_one_refresh() -> None:
    async with orkes(token_delay=0.05) as server, server.client(timeout=30) as client:
        await call(client)
        server.revoke_all()
        assert await many(200, client) == []
        assert server.tokens_asked == 2
        assert server.tokens_seen.count("token-2") == 200


@each_case("refusal", [(401, "EXPIRED_TOKEN"), (403, "INVALID_TOKEN")])
async def test_a_second_rejection_is_an_authentication_error(refusal: tuple[int, str]) -> None:
    async with orkes(refusal=refusal, revoked={f"token-{n}" for n in range(99)}) as server, server.client() as client:
        with pytest.raises(AuthenticationError, match=r"Check the key and the secret") as caught:
            await call(client)
        assert (caught.value.status, caught.value.code) == refusal
        assert (server.tokens_asked, server.tokens_seen) == (2, ["token-1", "token-2"])


async def test_when_the_refresh_fails_too_the_rejection_is_the_error() -> None:
    async with orkes() as server, server.client() as client:
        await call(client)
        server.revoke_all()
        server.token_fault = respond(503)
        errors = await many(100, client)
        assert {type(error) for error in errors} == {AuthenticationError}
        assert len(errors) == 100
        # One refresh of four tries for all; where the machine is so busy that its failure is out of date, another one.
        assert server.tokens_asked < 1 + 4 * 10


async def test_a_plain_403_does_not_replace_the_token() -> None:
    async with orkes(refusal=(403, "FORBIDDEN")) as server, server.client() as client:
        await call(client)
        server.revoke_all()
        with pytest.raises(PermissionDeniedError, match="Token cannot be used"):
            await call(client)
        assert server.tokens_asked == 1


async def test_a_server_without_a_token_endpoint_is_asked_once() -> None:
    missing = respond(404, json={"status": 404, "message": "No static resource api/token."})
    async with serve(routed({"/api/token": missing}, respond(json=STATUS))) as server:
        async with ConductorClient(Configuration(server.url, authentication_settings=KEY)) as client:
            assert await many(20, client) == []
            await call(client)
        assert server.count("POST", "/api/token") == 1
        assert not any("x-authorization" in request.headers for request in server.requests)


# -- no token ------------------------------------------------------------------------------------------


async def test_a_wrong_key_is_an_authentication_error_after_one_request() -> None:
    wrong = AuthenticationSettings(key_id="key-1", key_secret="s3cr3t-c4n4ry-wrong")
    async with orkes() as server, server.client(authentication_settings=wrong) as client:
        errors = await many(50, client)
        assert {type(error) for error in errors} == {AuthenticationError}
        assert "POST /token returned status 401: Invalid key or secret. Check the key and the secret" in str(errors[0])
        assert server.tokens_asked == 1
        assert server.tokens_seen == []


@each_case(
    ("fault", "error"),
    [
        (respond(503), ServerError),
        (respond(429, headers={"Retry-After": "999"}), APIError),
        (cut(b""), ConductorError),
        (stall, RequestTimeoutError),
        (respond(json={"token": ""}), AuthenticationError),
        (respond(json={}), AuthenticationError),
    ],
)
async def test_a_start_without_a_token_is_not_sent_and_not_ambiguous(fault: Any, error: type[ConductorError]) -> None:
    # AmbiguousOutcomeError would be wrong: nothing was started.
    async with orkes(token_fault=fault) as server, server.client(timeout=0.2) as client:
        with pytest.raises(error, match="/token") as caught:
            await client.workflow.start_workflow(StartWorkflowRequest(name="w"))
        assert type(caught.value).__name__ != "AmbiguousOutcomeError"
        assert server.tokens_asked <= 4  # its own retries, not those of the call as well
        assert server.tokens_seen == []


async def test_an_unreachable_token_endpoint_is_retried_soon() -> None:
    async with orkes(token_fault=cut(b"")) as server, server.client(retry=RetryPolicy(max_attempts=1)) as client:
        with pytest.raises(ConductorError):
            await call(client)
        server.token_fault = None
        await anyio.sleep(0.55)
        await call(client)


# -- cancellation -----------------------------------------------------------------------------------------


@each_case("first", [True, False], ids=["first token", "refresh"])
async def test_cancelling_the_caller_that_fetches_does_not_affect_those_that_wait(first: bool) -> None:
    async with orkes(token_delay=0.1) as server, server.client() as client:
        if not first:
            await call(client)
            server.revoke_all()
        errors: list[Any] = []

        async def others() -> None:
            errors.extend(await many(10, client))

        async with anyio.create_task_group() as tasks:
            with anyio.move_on_after(0.05):
                tasks.start_soon(others)
                await call(client)
        assert errors == []
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(call, client)


# -- the secret ---------------------------------------------------------------------------------------------


async def test_the_secret_appears_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shown: list[str] = [repr(KEY), str(KEY), f"{KEY!r:>50}", repr(copy.deepcopy(KEY))]
    for fault in (None, respond(401, json={"message": "bad"}), respond(503), cut(b""), respond(text="x")):
        async with orkes(token_fault=fault) as server, server.client(debug=True) as client:
            shown += [repr(client), str(client.configuration), repr(client.workflow), repr(client.__dict__)]
            server.revoke_all()
            try:
                await call(client)
            except ConductorError as error:
                shown += [repr(error), str(error), str(vars(error)), *traceback.format_exception(error)]
                shown.append(str(pickle.dumps(error)))
            await client.aclose()
            with pytest.raises(ClientClosedError):
                await call(client)
    text = "\n".join((*shown, caplog.text))
    assert "POST /token" in text
    assert "c4n4ry" not in text
    assert "token-1" not in text


@each_case("secret", [KEY, Configuration("http://h", authentication_settings=KEY)])
async def test_secrets_cannot_be_pickled(secret: object) -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(secret)


async def test_an_unreachable_token_endpoint_is_a_failed_connection() -> None:
    configuration = Configuration(
        "http://conductor.invalid", authentication_settings=KEY, retry=RetryPolicy(max_attempts=1)
    )
    async with ConductorClient(configuration) as client:
        with pytest.raises(ConnectionFailedError, match="/api/token"):
            await call(client)

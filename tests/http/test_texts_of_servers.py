"""What a server says is cut off and escaped before it is in an error or a log line, wherever it says it."""

from __future__ import annotations

import json
import logging
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from conductor_async import AuthenticationSettings, ConductorError, WorkflowDef, WorkflowFailedError
from conductor_async.errors import AuthenticationError, BadRequestError, ConflictError, ResponseDecodeError
from conductor_async.models import Workflow
from tests.fakes.cases import each_case
from tests.fakes.clients import NEVER, client_of
from tests.fakes.http_server import cut, raw_response, respond, routed, serve

if TYPE_CHECKING:
    from conductor_async.client import ConductorClient
    from tests.fakes.http_server import Behaviour

pytestmark = pytest.mark.anyio

#: Clears the screen, forges a log line, turns the text around, and is long.
EVIL = "\x1b[2J\x07\r\n2026-11-30 CRITICAL all is lost\u202e\u2028\x9b31m" + "A" * 50_000
PAGE = f"<html><title>{EVIL}</title></html>"


async def call(client: ConductorClient) -> Any:
    return await client.workflow.get_workflow("w")


def check(text: str) -> None:
    assert len(text) < 30_000
    assert not {character for character in text if not character.isprintable()} - {"\n"}
    assert not any(line.startswith("2026-11-30") for line in text.splitlines())


RESPONSES: dict[str, Behaviour] = {
    "a message": respond(409, json={"message": EVIL}),
    "an error": respond(500, json={"error": EVIL, "code": EVIL}),
    "a text": respond(502, text=EVIL),
    "a page": respond(503, text=PAGE),
    "a page without an end": respond(503, text=f"<title>{EVIL}"),
    "text in JSON": respond(500, json=EVIL),
    "a redirect": respond(302, headers={"Location": "http://elsewhere/" + "\x1b\x9b" + "x" * 5_000}),
    "invalid fields": respond(
        400,
        json={
            "message": "invalid",
            "validationErrors": [{"path": EVIL, "message": EVIL, "invalidValue": EVIL}] * 500,
        },
    ),
    "an encoding": respond(headers={"Content-Encoding": "x\x1b" + "y" * 5_000}),
    "no HTTP at all": cut(b"\x1b[2J" * 20_000 + b"\r\n\r\n"),
    "an odd status line": cut(b"HTTP/1.1 999999 " + EVIL.encode() + b"\r\n\r\n"),
    "keys of JSON": respond(json={"taskToDomain": {EVIL: 1}}),
    "many invalid values": respond(json={"tasks": [{"taskId": 7}] * 5_000}),
    "truncated JSON": respond(body=b'{"workflowId": "' + EVIL.encode()),
}


@each_case("response", RESPONSES.values(), ids=RESPONSES.keys())
async def test_texts_of_servers_are_cut_off_and_escaped(response: Behaviour, caplog: pytest.LogCaptureFixture) -> None:
    caplog.clear()
    caplog.set_level(logging.DEBUG, logger="conductor_async")
    async with serve(response) as server, client_of(server, retry=NEVER) as client:
        with pytest.raises(ConductorError) as caught:
            await call(client)
    check(str(caught.value))
    check("".join(traceback.format_exception(caught.value)).replace(str(caught.value), ""))
    check(str(getattr(caught.value, "message", "")))
    for record in caplog.records:
        check(record.getMessage())


async def test_the_whole_text_is_in_the_body_of_the_error() -> None:
    async with serve(respond(409, json={"message": EVIL})) as server, client_of(server) as client:
        with pytest.raises(ConflictError) as caught:
            await call(client)
    assert caught.value.body == {"message": EVIL}
    assert caught.value.message.startswith(r"\x1b[2J\x07\r\n2026-11-30 CRITICAL")
    assert caught.value.message.endswith("A…")


async def test_the_first_validation_errors_are_listed_and_all_are_kept() -> None:
    problems = [{"path": f"tasks[{number}].name", "message": "must not be empty"} for number in range(50)]
    body = {"message": "invalid", "validationErrors": problems}
    async with serve(respond(400, json=body)) as server, client_of(server) as client:
        with pytest.raises(BadRequestError) as caught:
            await call(client)
    assert len(caught.value.validation_errors) == 50
    assert "tasks[19].name" in str(caught.value)
    assert "tasks[20].name" not in str(caught.value)
    assert str(caught.value).endswith("and 30 more")


async def test_a_message_of_a_bulk_response_is_cut_off() -> None:
    async with serve(respond(json={"bulkErrorResults": {EVIL: EVIL}})) as server, client_of(server) as client:
        with pytest.raises(ConductorError) as caught:
            await client.metadata.update_workflow_def(WorkflowDef(name="w"))
    check(str(caught.value))


async def test_a_reason_for_incompletion_is_cut_off() -> None:
    task = {"status": "FAILED", "referenceTaskName": "r", "reasonForIncompletion": EVIL}
    execution = {"workflowId": "w", "status": "FAILED", "reasonForIncompletion": f"r: {EVIL}", "tasks": [task]}
    with pytest.raises(WorkflowFailedError) as caught:
        Workflow.model_validate(execution).raise_for_status()
    check(str(caught.value))
    assert caught.value.execution is not None
    assert caught.value.execution.reason_for_incompletion == f"r: {EVIL}"


async def test_large_headers_are_refused() -> None:
    many = {f"X-{number}": "x" * 1_000 for number in range(80)}
    async with serve(respond(json={}, headers=many)) as server, client_of(server) as client:
        with pytest.raises(ResponseDecodeError, match="has headers that are larger than 65536 bytes") as caught:
            await call(client)
    assert caught.value.status == 200
    some = {f"X-{number}": "x" * 1_000 for number in range(40)}
    async with serve(respond(json={}, headers=some)) as server, client_of(server) as client:
        await call(client)


@each_case(
    "head",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X: aaaa\r\n" * 20_000,
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 2_000_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: aaaa\r\n" * 20_000,
    ],
    ids=["many", "one", "after the body"],
)
async def test_endless_headers_end_the_connection(head: bytes) -> None:
    async with serve(cut(head)) as server, client_of(server, retry=NEVER) as client:
        with pytest.raises(ConductorError) as caught:
            await call(client)
    check(str(caught.value))


@each_case("token", ["a\r\nX-Evil: 1", "a\x00b", "ü\x1b", "🚀"])
async def test_a_token_that_cannot_be_sent_is_refused(token: str) -> None:
    routes = {"/api/token": respond(body=json.dumps({"token": token}).encode())}
    settings = AuthenticationSettings("key", "secret")
    async with (
        serve(routed(routes, respond(json={}))) as server,
        client_of(server, authentication_settings=settings, retry=NEVER) as client,
    ):
        with pytest.raises(AuthenticationError, match="no usable token"):
            await call(client)
        assert server.count("GET") == 0


async def test_a_message_is_classified_by_its_whole_text() -> None:
    text = "No such " + "x" * 5_000
    assert raw_response(500, json={"message": text})
    async with serve(respond(500, json={"message": text})) as server, client_of(server, retry=NEVER) as client:
        with pytest.raises(ConductorError) as caught:
            await call(client)
    assert type(caught.value).__name__ == "NotFoundError"

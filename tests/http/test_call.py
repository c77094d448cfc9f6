"""Hooks around every call, logs, and what importing the package does."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import anyio
import pytest

from conductor_async import APIError, ConfigurationError, StartWorkflowRequest
from conductor_async.errors import AmbiguousOutcomeError, ResponseDecodeError
from tests.fakes.clients import client_of
from tests.fakes.http_server import cut, respond, serve, stall

if TYPE_CHECKING:
    from conductor_async.client import ConductorClient
    from conductor_async.hooks import Call

STATUS = {"workflowId": "w", "status": "RUNNING"}
OK = respond(json=STATUS)


async def call(client: ConductorClient) -> None:
    assert (await client.workflow.get_workflow_status("w")).workflow_id == "w"


# -- hooks ------------------------------------------------------------------------------------------------------


class Recorder:
    def __init__(self) -> None:
        self.seen: list[tuple[str, Call]] = []

    def on_call_start(self, call: Call) -> None:
        call.headers["traceparent"] = "00-abc"
        call.context["began"] = True
        self.seen.append(("start", call))

    def on_call_end(self, call: Call) -> None:
        self.seen.append(("end", call))


@pytest.mark.anyio
async def test_hooks_see_success_error_and_cancellation() -> None:
    recorder = Recorder()
    async with serve(respond(503), OK, respond(404), respond(text="x"), stall) as server:
        async with client_of(server, hooks=[recorder]) as client:
            await call(client)
            for error in (APIError, ResponseDecodeError):
                with pytest.raises(error):
                    await call(client)
            with anyio.move_on_after(0.05):
                await call(client)
        assert {request.headers["traceparent"] for request in server.requests} == {"00-abc"}
    ends = [call for event, call in recorder.seen if event == "end"]
    assert [event for event, _ in recorder.seen] == ["start", "end"] * 4
    assert [(each.method, each.route) for each in ends] == [("GET", "/workflow/{workflow_id}/status")] * 4
    assert [each.attempts for each in ends] == [2, 1, 1, 1]
    assert [each.status for each in ends] == [200, 404, 200, None]
    kinds = [type(each.error).__name__ for each in ends]
    assert kinds[:3] == ["NoneType", "NotFoundError", "ResponseDecodeError"]
    assert kinds[3] in ("CancelledError", "Cancelled")
    assert all(each.context["began"] and each.elapsed > 0 for each in ends)


@pytest.mark.anyio
async def test_a_failing_hook_is_logged_and_does_not_fail_the_call(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def on_call_start(self, call: Call) -> None:
            raise RuntimeError("broken start")

        def on_call_end(self, call: Call) -> None:
            raise RuntimeError("broken end")

    async with serve(OK) as server, client_of(server, hooks=[Broken(), Recorder()]) as client:
        await call(client)
        assert server.requests[0].headers["traceparent"] == "00-abc"
    assert "broken start" in caplog.text
    assert "broken end" in caplog.text


@pytest.mark.anyio
async def test_a_hook_cannot_inject_headers(caplog: pytest.LogCaptureFixture) -> None:
    class Smuggler(Recorder):
        def on_call_start(self, call: Call) -> None:
            call.headers["x"] = "a\r\nX-Authorization: b"

    async with serve(OK) as server, client_of(server, hooks=[Smuggler()]) as client:
        with pytest.raises(ConfigurationError, match="line breaks"):
            await call(client)
        assert server.count() == 0


# -- logs and imports --------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_debug_logs_name_calls_and_show_no_body_or_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.NOTSET, logger="conductor_async")
    body = {**STATUS, "output": {"card": "c4n4ry-response"}}
    async with serve(respond(503), respond(json=body)) as server:
        with_password = server.url.replace("//", "//ada:c4n4ry-basic@")
        async with client_of(with_password, debug=True, headers={"X-Key": "c4n4ry-header"}) as client:
            await client.workflow.get_workflow_status("w")
            server.behaviours = (respond(text="execution-id-0001"),)
            await client.workflow.start_workflow_by_name("greet", {"card": "c4n4ry-body"}, correlation_id="c4n4ry-q")
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name == "conductor_async")
    assert "GET /workflow/w/status → 503" in ours
    assert "attempt 1 failed (ServerError)" in ours
    assert "POST /workflow/greet → 200" in ours
    assert "c4n4ry" not in caplog.text
    logging.getLogger("conductor_async").setLevel(logging.NOTSET)


def test_importing_loads_no_http_library_and_touches_no_logger() -> None:
    code = """if True:
        import logging, os, signal, sys
        before = (list(logging.root.handlers), logging.root.level, dict(os.environ), signal.getsignal(signal.SIGTERM))
        import conductor_async, conductor_async.client
        client = conductor_async.client.ConductorClient("http://localhost")
        client.workflow
        assert not {"httpx", "aiohttp", "trio"} & set(sys.modules)
        after = (list(logging.root.handlers), logging.root.level, dict(os.environ), signal.getsignal(signal.SIGTERM))
        assert before == after
        assert logging.getLogger("conductor_async").handlers == []
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


class Correlating(Recorder):
    """Gives every start a correlation id that has none."""

    def on_call_start(self, call: Call) -> None:
        self.seen.append(("start", call))
        if call.workflow_start is not None and call.workflow_start.correlation_id is None:
            call.workflow_start.correlation_id = "by the hook"


@pytest.mark.anyio
async def test_hooks_see_a_start_and_may_set_its_correlation_id() -> None:
    hook = Correlating()
    async with serve(respond(text="execution-id-0001")) as server, client_of(server, hooks=[hook]) as client:
        request = StartWorkflowRequest(name="greet", version=2, input={"name": "Ada"})
        await client.workflow.start_workflow(request)
        await client.workflow.start_workflow_by_name("greet", {"name": "Ada"})
        await client.workflow.start_workflow_by_name("greet", correlation_id="by the caller")
        await client.workflow.start_workflow(StartWorkflowRequest(name="greet", correlation_id="by the caller"))
        sent = [each.json.get("correlationId") for each in server.requests]
        queried = [parse_qs(urlsplit(each.target).query).get("correlationId", [None])[0] for each in server.requests]
    assert [sent[0], queried[1], queried[2], sent[3]] == [
        "by the hook",
        "by the hook",
        "by the caller",
        "by the caller",
    ]
    assert request.correlation_id is None, "the caller's own object is left as it is"
    starts = [call.workflow_start for event, call in hook.seen if event == "end"]
    assert [(each.workflow_name, each.version, each.input) for each in starts if each] == [
        ("greet", 2, {"name": "Ada"}),
        ("greet", None, {"name": "Ada"}),
        ("greet", None, {}),
        ("greet", None, {}),
    ]


@pytest.mark.anyio
async def test_an_ambiguous_start_has_the_correlation_id_that_a_hook_set() -> None:
    async with serve(cut(b"")) as server, client_of(server, hooks=[Correlating()]) as client:
        with pytest.raises(AmbiguousOutcomeError) as raised:
            await client.workflow.start_workflow_by_name("greet")
    assert raised.value.correlation_id == "by the hook"

"""Tasks that call HTTP services."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from conductor_async import ConductorWorkflow, ConfigurationError
from conductor_async.tasks import HttpInput, HttpMethod, HttpPollInput, HttpPollTask, HttpTask

workflow = ConductorWorkflow(name="w")


def wire(task):
    return task.to_workflow_task().to_wire()


def request(task):
    return wire(task)["inputParameters"]["http_request"]


def test_all_fields_of_a_request_are_sent():
    task = HttpTask(
        "h",
        HttpInput(
            HttpMethod.POST,
            f"https://shop.example/{workflow.input.item}",
            {"X-Trace": [workflow.input.trace]},
            ["application/json", "text/plain"],
            "application/json",
            1.5,
            timedelta(seconds=30),
            {"price": workflow.input.price},
            vip_address="shop",
            app_name="app",
        ),
    )
    assert wire(task) == {
        "name": "h",
        "taskReferenceName": "h",
        "type": "HTTP",
        "inputParameters": {
            "http_request": {
                "method": "POST",
                "uri": "https://shop.example/${workflow.input.item}",
                "headers": {"X-Trace": ["${workflow.input.trace}"]},
                "accept": ["application/json", "text/plain"],
                "contentType": "application/json",
                "connectionTimeOut": 1500,
                "readTimeOut": 30000,
                "body": {"price": "${workflow.input.price}"},
                "vipAddress": "shop",
                "appName": "app",
            }
        },
    }


def test_a_request_can_be_a_dict():
    given = {"uri": workflow.input.uri}
    assert request(HttpTask("h", given)) == {"method": "GET", "uri": "${workflow.input.uri}"}
    assert given == {"uri": workflow.input.uri}  # conductor-python adds a method to it
    task = HttpTask("h", {"uri": "https://a.example", "method": "PUT", "readTimeOut": 5})
    assert request(task) == {"uri": "https://a.example", "method": "PUT", "readTimeOut": 5}
    task.http_request = HttpInput(uri="https://b.example")
    assert request(task) == {"uri": "https://b.example", "method": "GET"}


def test_methods_are_in_upper_case():
    assert request(HttpTask("h", HttpInput("patch", "https://a.example")))["method"] == "PATCH"
    assert request(HttpTask("h", HttpInput(workflow.input.how, "https://a.example")))["method"] == (
        "${workflow.input.how}"
    )


@pytest.mark.parametrize("field", ["connection_time_out", "read_timeout"])
def test_timeouts_are_in_seconds(field):
    with pytest.raises(ConfigurationError, match=rf"{field} is in seconds: 3000 .* write 3;"):
        HttpTask("h", HttpInput(uri="https://a.example", **{field: 3000}))
    with pytest.raises(ConfigurationError, match=f"{field} is a number of seconds"):
        HttpTask("h", HttpInput(uri="https://a.example", **{field: -1}))
    long = HttpTask("h", HttpInput(uri="https://a.example", **{field: timedelta(hours=1)}))
    assert 3_600_000 in request(long).values()


def test_references_to_the_response():
    task = HttpTask("h", {"uri": "https://a.example"})
    assert str(task.status_code) == str(task.status_code()) == "${h.output.response.statusCode}"
    assert str(task.headers("Date")) == str(task.headers.Date) == "${h.output.response.headers.Date}"
    assert str(task.headers["Content-Type"][0]) == "${h.output.response.headers.Content-Type[0]}"
    assert str(task.body()) == "${h.output.response.body}"
    assert str(task.body("a[0].b")) == str(task.body.a[0].b) == "${h.output.response.body.a[0].b}"
    assert str(task.reason_phrase) == "${h.output.response.reasonPhrase}"


def test_polling():
    task = HttpPollTask("p", HttpPollInput("$.output.body.done", 5, timedelta(minutes=1), uri="https://a.example"))
    assert wire(task)["type"] == "HTTP_POLL"
    assert request(task) == {
        "method": "GET",
        "uri": "https://a.example",
        "terminationCondition": "$.output.body.done",
        "maxPollCount": 5,
        "pollingInterval": 60,
        "pollingStrategy": "FIXED",
    }


# -- on the real server


@pytest.fixture
def shop():
    """A service that says what it was asked, or fails."""

    class Shop(BaseHTTPRequestHandler):
        def answer(self):
            length = self.headers.get("Content-Length")
            chunked = self.headers.get("Transfer-Encoding") == "chunked"
            body = self.rfile.read(int(length)) if length else self.chunks() if chunked else b""
            said = {
                "method": self.command,
                "path": self.path,
                "trace": self.headers["X-Trace"],
                "body": json.loads(body) if body else None,
            }
            answer = json.dumps(said).encode()
            self.send_response(404 if self.path == "/missing" else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.send_header("X-Shop", "open")
            self.end_headers()
            self.wfile.write(answer)

        def chunks(self):
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        do_GET = do_POST = do_PATCH = answer  # noqa: N815 - http.server's words

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.server
@pytest.mark.anyio
@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_a_request_is_sent_and_its_response_read(perform, shop, method):
    ask = HttpTask("ask", HttpInput(uri=f"{shop}/items/{workflow.input.item}", headers={"X-Trace": "t"}))
    tell = HttpTask("tell", HttpInput(method, f"{shop}/orders", body={"asked": ask.body.path}, read_timeout=10))
    output = {
        "status": tell.status_code,
        "reason": tell.reason_phrase,
        "shop": tell.headers["X-Shop"][0],
        "told": tell.body,
        "trace": ask.body("trace"),
    }
    run = await perform(ask, tell, given={"item": 7}, output=output)
    assert run.status == "COMPLETED", run.reason_for_incompletion
    assert run.output == {
        "status": 200,
        "reason": "OK",
        "shop": "open",
        "told": {"method": method, "path": "/orders", "trace": None, "body": {"asked": "/items/7"}},
        "trace": "t",
    }


@pytest.mark.server
@pytest.mark.anyio
async def test_a_status_other_than_2xx_fails_the_task(perform, shop):
    run = await perform(HttpTask("ask", HttpInput(uri=f"{shop}/missing"), retry_count=0))
    assert run.status == "FAILED"
    assert "404" in run.reason_for_incompletion


@pytest.mark.server
@pytest.mark.anyio
async def test_http_poll_is_stored_unchanged(read_back):
    await read_back(HttpPollTask("p", HttpPollInput("$.output.body.done", uri="https://a.example")))

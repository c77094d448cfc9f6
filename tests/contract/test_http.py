"""CF73: HTTP tasks, against a server of the test's own."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.wire import Wire, row, task

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.anyio

ANSWERS: dict[str, tuple[int, str, str]] = {
    "/json": (200, "application/json", '{"a": [1, "b"]}'),
    "/text": (200, "text/plain", "just text"),
    "/number": (200, "application/json", "5"),
    "/list": (200, "application/json", "[1, 2]"),
    "/fails": (500, "application/json", '{"no": "luck"}'),
}


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer(*ANSWERS[self.path])

    def do_POST(self) -> None:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers["Content-Length"]))
        said = {"body": json.loads(body), "type": self.headers["Content-Type"], "x": self.headers.get("X-Test")}
        self.answer(200, "application/json", json.dumps(said))

    def answer(self, status: int, kind: str, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


def http(**request: Any) -> dict[str, Any]:
    return task("HTTP", "h", inputParameters=request)


@pytest.mark.parametrize(
    ("path", "body"), [("/json", {"a": [1, "b"]}), ("/text", "just text"), ("/number", 5.0), ("/list", [1, 2])]
)
async def test_cf73_the_body_of_an_answer(wire: Wire, site: str, path: str, body: Any) -> None:
    execution = await wire.run(http(uri=site + path, method="GET"))
    assert execution["status"] == "COMPLETED"
    response = row(execution, "h")["outputData"]["response"]
    assert (response["statusCode"], response["reasonPhrase"], response["body"]) == (200, "OK", body)
    assert type(response["body"]) is type(body)
    assert response["headers"]["Content-Type"] == [ANSWERS[path][1]]


@pytest.mark.parametrize("nested", [True, False], ids=["under http_request", "at the top"])
async def test_cf73_a_request_with_a_body(wire: Wire, site: str, nested: bool) -> None:
    request = {"uri": site, "method": "POST", "headers": {"X-Test": "${workflow.input.x}"}, "body": {"k": [1]}}
    given = {"http_request": request} if nested else request
    execution = await wire.run(http(**given), input={"x": "v"})
    body = row(execution, "h")["outputData"]["response"]["body"]
    assert (body["body"], body["x"], body["type"].split(";")[0]) == ({"k": [1]}, "v", "application/json")


async def test_cf73_an_answer_that_is_no_success_fails_the_task(wire: Wire, site: str) -> None:
    execution = await wire.run(http(uri=f"{site}/fails", method="GET"))
    failed = row(execution, "h")
    assert (execution["status"], failed["status"]) == ("FAILED", "FAILED")
    assert failed["reasonForIncompletion"].startswith("Failed to invoke HTTP task due to: ")
    assert failed["outputData"]["response"].startswith("java.lang.Exception: 500 ")


async def test_cf73_nobody_listens(wire: Wire) -> None:
    execution = await wire.run(http(uri="http://127.0.0.1:9", method="GET"))
    failed = row(execution, "h")
    assert (execution["status"], failed["status"]) == ("FAILED", "FAILED")
    assert failed["reasonForIncompletion"].startswith("Failed to invoke HTTP task due to: ")
    assert isinstance(failed["outputData"]["response"], str)


async def test_cf73_no_method(wire: Wire, site: str) -> None:
    failed = row(await wire.run(http(uri=site)), "h")
    assert (failed["status"], failed["reasonForIncompletion"]) == ("FAILED", "No HTTP method specified")

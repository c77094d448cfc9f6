"""A web server for HTTP tasks, which says the same each time."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWERS: dict[str, tuple[int, str, str]] = {
    "/json": (200, "application/json", '{"a": [1, "b"]}'),
    "/text": (200, "text/plain", "just text"),
    "/number": (200, "application/json", "5"),
    "/list": (200, "application/json", "[1, 2]"),
    "/true": (200, "application/json", "true"),
    "/null": (200, "application/json", "null"),
    "/nothing": (204, "application/json", ""),
    "/fails": (500, "application/json", '{"no": "luck"}'),
}
"""Status, type and body by path; 404 for all others."""


@contextmanager
def website() -> Iterator[str]:
    """The address of a web server that runs meanwhile."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answering) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            serving.join()


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer(*ANSWERS.get(self.path, (404, "text/plain", "nothing here")))

    def do_PUT(self) -> None:
        said = {"body": self.read_body().decode(), "type": self.headers["Content-Type"], "path": self.path}
        self.answer(200, "application/json", json.dumps(said))

    def do_POST(self) -> None:
        body = self.read_body()
        said = {"body": json.loads(body), "type": self.headers["Content-Type"], "x": self.headers.get("X-Test")}
        self.answer(200, "application/json", json.dumps(said))

    def read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self, status: int, kind: str, body: str) -> None:
        self.send_response_only(status)  # without the time
        self.send_header("Content-Type", kind)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: Any) -> None:
        """Says nothing."""

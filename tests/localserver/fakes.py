"""A fake Java and a fake Maven repository that misbehave on demand, and functions that observe them."""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import psutil

if TYPE_CHECKING:
    from collections.abc import Callable

    from conductor_async.localserver import LocalServer

VERSION = "9.9.9"
JAR_NAME = f"conductor-server-{VERSION}-boot.jar"
JAR_PATH = f"org/conductoross/conductor-server/{VERSION}/{JAR_NAME}"


def make_java(folder: Path, version: str = "21.0.1") -> Path:
    launcher = folder / "java"
    folder.mkdir(parents=True, exist_ok=True)
    here = Path(__file__)
    script = here.with_name("fake_java.sh").read_text()
    for name, value in (("VERSION", version), ("PYTHON", sys.executable), ("SERVER", here.with_name("fake_server.py"))):
        script = script.replace(f"@{name}@", str(value))
    launcher.write_text(script)
    launcher.chmod(0o755)
    return launcher


def seen(server: LocalServer) -> Any:
    """What the fake Java saw when it was last started."""
    return json.loads((server.data_dir / "seen.json").read_text())


def temporary_folders(places: Path) -> list[Path]:
    return list((places / "tmp").glob("conductor-async-*"))


def running(places: Path) -> set[int]:
    """The ids of this test's processes: supervisors and servers."""
    found: set[int] = set()
    for process in psutil.process_iter(["pid", "environ", "status"]):
        info = process.info
        if info["status"] == psutil.STATUS_ZOMBIE or "SPRING_APPLICATION_JSON" not in (info["environ"] or {}):
            continue
        if info["environ"].get("TEST_PLACES") == str(places):
            found.add(info["pid"])
    return found


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(10):
        while not condition():  # noqa: ASYNC110 - other processes set no event
            await anyio.sleep(0.01)


async def until_gone(places: Path) -> None:
    await until(lambda: not running(places))


class Repository:
    """A Maven repository that holds one jar."""

    def __init__(self) -> None:
        self.jar = bytes(range(256)) * 4096  # 1 MiB
        self.sha1: str | None = hashlib.sha1(self.jar).hexdigest()
        self.cut: list[int] = []  # each of the next answers ends after so many bytes
        self.statuses: list[int] = []  # the next answers' statuses
        self.ranges = True
        self.requests: list[tuple[str, str | None]] = []
        repository = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                repository.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/maven2"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path, wanted = request.path.removeprefix("/maven2/"), request.headers["Range"]
        if path == f"{JAR_PATH}.sha1":
            body = f"{self.sha1}  {JAR_NAME}\n".encode() if self.sha1 else None
            self._send(request, 200 if body else 404, body or b"")
        elif path == JAR_PATH:
            self.requests.append((path, wanted))
            status = self.statuses.pop(0) if self.statuses else 200
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.ranges else 0
            if status != 200:
                self._send(request, status, b"")
            elif start >= len(self.jar):
                self._send(request, 416, b"")
            else:
                self._send(request, 206 if start else 200, self.jar[start:], start)
        else:
            self._send(request, 404, b"")

    def _send(self, request: BaseHTTPRequestHandler, status: int, body: bytes, start: int = 0) -> None:
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        if status == 206:
            request.send_header("Content-Range", f"bytes {start}-{start + len(body) - 1}/{start + len(body)}")
        request.end_headers()
        request.wfile.write(body[: self.cut.pop(0)] if self.cut and len(body) > 100 else body)

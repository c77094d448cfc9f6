"""A Conductor server that does nothing: every answer is canned bytes, so that a benchmark measures the client alone.

Runs in its own process (`python null_server.py`), prints its port, and ends when its standard input is closed.

- `POST /api/workflow` and `POST /api/workflow/{name}` answer an id, `POST /api/metadata/workflow` nothing. `GET
  /api/workflow/{id}` answers an execution with as many tasks as the id's last group says, and its `/status` RUNNING
  until `PUT /null/complete`, then COMPLETED.
- `GET /api/tasks/poll/batch/{type}` answers `count` tasks at once, each with an id of its own; a type named `idle…` has
  an empty queue: it waits out the asked time, then answers `[]`. `POST /api/tasks/update-v2` brings a next task,
  `POST /api/tasks` an id. All of these count as requests, by `GET /null/requests`.
- `GET /null/requests` answers how many requests there were since the last time it was asked.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import sys
from urllib.parse import parse_qs, urlsplit

from executions import as_sent, execution, execution_id, task

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def answer(body: bytes, content_type: str = "application/json", status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Canned:
    """What the server answers."""

    def __init__(self) -> None:
        self.serial = itertools.count(1)
        self.requests = 0
        self.status = "RUNNING"
        self.executions: dict[int, bytes] = {}
        self.token = answer(b'{"token":"null-server-token"}')
        self.empty = answer(b"[]")
        self.none = b"HTTP/1.1 204 No Content\r\n\r\n"
        self.missing = answer(b'{"status":404,"message":"No static resource"}', status="404 Not Found")
        polled = task(0, execution_id(1), status="IN_PROGRESS")
        self.task_head, self.task_tail = as_sent(polled).split(polled["taskId"].encode())

    def execution(self, tasks: int) -> bytes:
        if tasks not in self.executions:
            self.executions[tasks] = answer(as_sent(execution(tasks)))
        return self.executions[tasks]

    def task(self) -> bytes:
        return b"%b%08x-1111-4111-8111-111111111111%b" % (self.task_head, next(self.serial), self.task_tail)

    def to(self, method: str, target: str) -> tuple[float, bytes]:
        """The seconds to wait, and the answer."""
        self.requests += 1
        if method == "POST":
            if target == "/api/tasks/update-v2":
                return 0, answer(self.task())
            if target in ("/api/workflow", "/api/tasks"):
                return 0, answer(execution_id(5, next(self.serial)).encode(), "text/plain;charset=UTF-8")
            if target == "/api/token":
                return 0, self.token
        url = urlsplit(target)
        match url.path.split("/")[1:]:
            case ["api", "metadata", "workflow"]:
                return 0, self.none
            case ["api", "workflow", _] if method == "POST":
                return 0, answer(execution_id(5, next(self.serial)).encode(), "text/plain;charset=UTF-8")
            case ["api", "workflow", workflow_id]:
                return 0, self.execution(int(workflow_id[-12:]))
            case ["api", "workflow", workflow_id, "status"]:
                return 0, answer(f'{{"workflowId":"{workflow_id}","status":"{self.status}"}}'.encode())
            case ["api", "tasks", "poll", "batch", task_type]:
                query = parse_qs(url.query)
                if task_type.startswith("idle"):
                    return int(query.get("timeout", ["100"])[0]) / 1000, self.empty
                count = int(query.get("count", ["1"])[0])
                return 0, answer(b"[" + b",".join(self.task() for _ in range(count)) + b"]")
            case ["null", "complete"]:
                self.status = "COMPLETED"
                return 0, self.none
            case ["null", "requests"]:
                seen, self.requests = self.requests, 0
                return 0, answer(str(seen - 1).encode(), "text/plain")
        return 0, self.missing


class Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive; a request's body is skipped, and pipelining does not happen."""

    def __init__(self, canned: Canned) -> None:
        self.canned = canned
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head_end = self.buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        length = LENGTH.search(self.buffer, 0, head_end)
        if len(self.buffer) < head_end + 4 + (int(length[1]) if length else 0):
            return
        method, target, _ = self.buffer[: self.buffer.find(b"\r\n")].decode("ascii").split(" ")
        self.buffer = b""
        delay, reply = self.canned.to(method, target)
        if delay:
            asyncio.get_running_loop().call_later(delay, self.reply, reply)
        else:
            self.reply(reply)

    def reply(self, reply: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(reply)


async def main() -> None:
    canned = Canned()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(canned), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), lambda: os.read(sys.stdin.fileno(), 1024) or ended.set())
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(main())

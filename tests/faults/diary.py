"""What happened to each start, between a rig and its server: to be read when there are two executions of one key."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.faults.rig import Operation, Upstream

if TYPE_CHECKING:
    from tests.fakes.http_server import Request


@dataclass
class Diary:
    """Lines by dedupe key, each with the seconds since the diary was begun.

    Attributes:
        lines: What was noted, by key.
        began: Epoch seconds.
    """

    lines: dict[str, list[str]] = field(default_factory=dict)
    began: float = field(default_factory=time.time)

    def __str__(self) -> str:
        return "".join(f"{key} {line}\n" for key, lines in self.lines.items() for line in lines)

    def note(self, key: str, line: str) -> None:
        """Adds a line."""
        self.lines.setdefault(key, []).append(f"{time.time() - self.began:9.3f} {line}")

    def came_by_a_look(self, key: str, workflow_id: str) -> bool:
        """Whether the server has never answered a start with this id: it was found while that was under way."""
        return not any(
            f"{Operation.START.value} was answered by the server: {workflow_id}" in line for line in self.lines[key]
        )

    def kept(self, upstream: Upstream) -> Upstream:
        """The same way to the server, with an entry for each start and each look."""

        async def carry_out(request: Request) -> bytes:
            operation = Operation.of(request)
            if operation not in (Operation.START, Operation.LOOK):
                return await upstream(request)
            key = request.json["correlationId"] if operation is Operation.START else request.json[0]
            self.note(key, f"{operation.value} reaches the server")
            outcome = "broken off"
            try:
                answer = await upstream(request)
                outcome = answer.partition(b"\r\n\r\n")[2][:60].decode("latin-1")
            except Exception as error:
                outcome = repr(error)
                raise
            finally:
                self.note(key, f"{operation.value} was answered by the server: {outcome}")
            return answer

        return carry_out

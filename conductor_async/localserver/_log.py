"""Reads the server's log while it is being written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_TAIL_LINES = 60
_TAIL_BYTES = 1 << 16

_PORT_IN_USE = re.compile(r"Port \d+ was already in use|Address already in use")
# After each of these the process never becomes ready, but stays alive: threads that nobody ends keep it so.
_FAILURES = re.compile(r"APPLICATION FAILED TO START|Application run failed|java\.lang\.OutOfMemoryError")


class Log:
    """The log of one start of the server.

    Args:
        path: The file.
        start: Its size before this start: the log of earlier starts is ignored.
    """

    def __init__(self, path: Path, start: int = 0) -> None:
        self.path = path
        self._start = start

    def text(self) -> str:
        """Returns what was written since the start."""
        return self._read(self._start)

    def tail(self) -> str:
        """Returns the last lines, for an error message."""
        recent = self._read(max(self._start, self.size() - _TAIL_BYTES))
        return "\n".join(recent.rstrip().splitlines()[-_TAIL_LINES:])

    def failure(self) -> str | None:
        """Returns the words that say that this start has failed; None if there are none."""
        found = _FAILURES.search(self.text())
        return found[0] if found else None

    def port_in_use(self) -> bool:
        """Returns whether it failed because another program uses the port."""
        return _PORT_IN_USE.search(self.text()) is not None

    def size(self) -> int:
        """Returns the size of the file in bytes."""
        return self.path.stat().st_size if self.path.exists() else 0

    def _read(self, offset: int) -> str:
        if not self.path.exists():
            return ""
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read().decode(errors="replace")

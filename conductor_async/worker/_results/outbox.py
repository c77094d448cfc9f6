"""The outbox: a file with results, so that the next process delivers those that a killed one could not.

It keeps the exact request until the server has answered it, and only results that end a task: these can be sent again,
however late, and do no harm.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import anyio
from anyio import to_thread
from pydantic import ValidationError

from conductor_async._http.body import EncodedJson
from conductor_async.errors import ConfigurationError
from conductor_async.models import TaskResult
from conductor_async.worker._results.encoded_result import EncodedResult

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

T = TypeVar("T")

logger = logging.getLogger("conductor_async")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS results (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    task_type TEXT NOT NULL,
    content BLOB NOT NULL,
    kept_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
)
"""


class Outbox:
    """Results in an SQLite file. A thread writes them; results that arrive while it writes are written together, next.

    Args:
        path: The file. One process at a time can use it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._file: sqlite3.Connection | None = None
        self._lock = threading.Lock()
        self._to_add: list[EncodedResult] = []
        self._to_remove: list[int] = []
        self._limiter: anyio.CapacityLimiter
        self._written: anyio.Event
        self._has_work: anyio.Event
        self._error: sqlite3.Error | None = None

    async def open(self) -> None:
        """Opens the file.

        Raises:
            ConfigurationError: The file cannot be opened, is not an outbox, or another process uses it.
        """
        self._limiter = anyio.CapacityLimiter(1)
        self._written, self._has_work = anyio.Event(), anyio.Event()
        await self._in_thread(self._open)

    async def run(self) -> None:
        """Writes what is added and removed, until cancelled."""
        while True:
            await self._has_work.wait()
            self._has_work = anyio.Event()
            written, self._written = self._written, anyio.Event()
            await self._in_thread(self._write)
            written.set()

    async def aclose(self) -> None:
        """Writes what is still to be written, and closes the file."""
        await self._in_thread(self._close)

    async def read(self) -> list[EncodedResult]:
        """Returns the results of an earlier run. What cannot be read stays in the file, and is logged."""
        return await self._in_thread(self._read)

    async def add(self, encoded: EncodedResult) -> None:
        """Returns when the result is in the file. If the file cannot be written, that is logged: the host goes on."""
        self._to_add.append(encoded)
        written = self._written
        self._has_work.set()
        await written.wait()

    def remove(self, encoded: EncodedResult) -> None:
        """Removes a result that the server has or will never accept. The file is written when there is time."""
        if encoded.row is not None:
            self._to_remove.append(encoded.row)
            self._has_work.set()

    # -- in the thread -----------------------------------------------------------------------------

    def _write(self) -> None:
        with self._lock:
            added, self._to_add = self._to_add, []
            removed, self._to_remove = self._to_remove, []
            assert self._file is not None
            try:
                with self._file:
                    for encoded in added:
                        encoded.row = self._file.execute(
                            "INSERT INTO results (task_type, content) VALUES (?, ?)",
                            (encoded.task_type, encoded.content),
                        ).lastrowid
                    self._file.executemany("DELETE FROM results WHERE id = ?", [(row,) for row in removed])
            except sqlite3.Error as error:
                for encoded in added:
                    encoded.row = None
                self._to_remove = removed + self._to_remove
                if self._error is None:
                    logger.critical(
                        "The outbox %s cannot be written: %s. Until it can, results are kept in memory only",
                        self.path,
                        error,
                    )
                self._error = error
            else:
                self._error = None

    def _open(self) -> None:
        file: sqlite3.Connection | None = None
        try:
            file = sqlite3.connect(self.path, timeout=0.5, check_same_thread=False)
            # Exclusive: another process with the same file would deliver these results as well.
            for statement in (
                "PRAGMA locking_mode = EXCLUSIVE",
                "PRAGMA journal_mode = WAL",
                "PRAGMA synchronous = FULL",
                _SCHEMA,
                "BEGIN IMMEDIATE",
                "COMMIT",
            ):
                file.execute(statement)
        except sqlite3.Error as error:
            if file is not None:
                file.close()
            reason = "another process has it: give each process its own" if "locked" in str(error) else str(error)
            raise ConfigurationError(f"the outbox {str(self.path)!r} cannot be used: {reason}") from error
        self._file = file

    def _read(self) -> list[EncodedResult]:
        with self._lock:
            assert self._file is not None
            rows = self._file.execute("SELECT id, task_type, content FROM results ORDER BY id").fetchall()
        results: list[EncodedResult] = []
        for row, task_type, content in rows:
            try:
                result = TaskResult.model_validate_json(content)
            except ValidationError as error:
                logger.critical(
                    "Result %d of the outbox %s cannot be read, so it stays there and is not delivered: %s",
                    row,
                    self.path,
                    error,
                )
                continue
            encoded = EncodedResult(result, task_type, EncodedJson(content))
            encoded.row = row
            results.append(encoded)
        return results

    def _close(self) -> None:
        assert self._file is not None
        self._write()
        self._file.close()
        self._file = None

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await to_thread.run_sync(call, limiter=self._limiter)

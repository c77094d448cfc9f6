"""An outbox in a file: results that a killed process had not delivered are delivered by the next one.

What is kept is the exact request, until the server has answered it. Only results that end a task are kept: those may
come again, however late, and do no harm.
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

from conductor_async._http.request import EncodedJson
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
    """Results in an SQLite file, written by a thread. Those that come while it writes are written together, next.

    Args:
        path: The file. One process at a time can have it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._file: sqlite3.Connection | None = None
        self._lock = threading.Lock()
        self._to_keep: list[EncodedResult] = []
        self._done: list[int] = []
        self._limiter: anyio.CapacityLimiter
        self._kept: anyio.Event
        self._news: anyio.Event
        self._broken: sqlite3.Error | None = None

    async def open(self) -> None:
        """Opens the file.

        Raises:
            ConfigurationError: It cannot be opened, is no outbox, or another process has it.
        """
        self._limiter = anyio.CapacityLimiter(1)
        self._kept, self._news = anyio.Event(), anyio.Event()
        await self._in_a_thread(self._open)

    async def run(self) -> None:
        """Writes what comes, until cancelled."""
        while True:
            await self._news.wait()
            self._news = anyio.Event()
            kept, self._kept = self._kept, anyio.Event()
            await self._in_a_thread(self._write)
            kept.set()

    async def aclose(self) -> None:
        """Writes what is left to write, and closes the file."""
        await self._in_a_thread(self._close)

    async def left(self) -> list[EncodedResult]:
        """What an earlier run has left. What cannot be read stays in the file, and is spoken of."""
        return await self._in_a_thread(self._read)

    async def keep(self, parcel: EncodedResult) -> None:
        """Returns when the file has it. If it cannot be written, says so: the result is still delivered."""
        self._to_keep.append(parcel)
        kept = self._kept
        self._news.set()
        await kept.wait()

    def done(self, parcel: EncodedResult) -> None:
        """The server has it, or will never want it. Written when there is time."""
        if parcel.row is not None:
            self._done.append(parcel.row)
            self._news.set()

    # -- writing -----------------------------------------------------------------------------------

    def _write(self) -> None:
        with self._lock:
            keep, self._to_keep = self._to_keep, []
            done, self._done = self._done, []
            assert self._file is not None
            try:
                with self._file:
                    for parcel in keep:
                        parcel.row = self._file.execute(
                            "INSERT INTO results (task_type, content) VALUES (?, ?)", (parcel.task_type, parcel.content)
                        ).lastrowid
                    self._file.executemany("DELETE FROM results WHERE id = ?", [(row,) for row in done])
            except sqlite3.Error as error:
                for parcel in keep:
                    parcel.row = None
                self._done = done + self._done
                if self._broken is None:
                    logger.critical("The outbox %s cannot be written, results are in memory only: %s", self.path, error)
                self._broken = error
            else:
                self._broken = None

    def _open(self) -> None:
        file: sqlite3.Connection | None = None
        try:
            file = sqlite3.connect(self.path, timeout=0.5, check_same_thread=False)
            # Another process that had it too would deliver these results as well. So it is ours alone.
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
            reason = "another process has it: give each its own" if "locked" in str(error) else str(error)
            raise ConfigurationError(f"the outbox {str(self.path)!r} cannot be used: {reason}") from error
        self._file = file

    def _read(self) -> list[EncodedResult]:
        with self._lock:
            assert self._file is not None
            rows = self._file.execute("SELECT id, task_type, content FROM results ORDER BY id").fetchall()
        parcels: list[EncodedResult] = []
        for row, task_type, content in rows:
            try:
                result = TaskResult.model_validate_json(content)
            except ValidationError as error:
                logger.critical(
                    "Result %d of the outbox %s is not delivered, it cannot be read: %s", row, self.path, error
                )
                continue
            parcel = EncodedResult(result, task_type, EncodedJson(content))
            parcel.row = row
            parcels.append(parcel)
        return parcels

    def _close(self) -> None:
        assert self._file is not None
        self._write()
        self._file.close()
        self._file = None

    async def _in_a_thread(self, call: Callable[[], T]) -> T:
        return await to_thread.run_sync(call, limiter=self._limiter)

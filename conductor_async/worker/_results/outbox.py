"""The outbox: a file with results, so that the next process delivers those that a killed one could not.

It keeps the exact request until the server has answered it, and only results that end a task: these can be sent again,
however late, and do no harm.

A damaged file must not keep a host from starting: it is set aside, and what can be read of it goes into a new one.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import anyio
from anyio import to_thread

from conductor_async._http.body import EncodedJson
from conductor_async.errors import ConfigurationError
from conductor_async.models import TaskResult
from conductor_async.worker._results.damaged_outbox import is_damage, may_be_outbox, readable_rows, set_aside
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
        """Opens the file. A damaged one is set aside under another name, and what it still has goes into a new one.

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
        try:
            try:
                self._file = _connect(self.path)
            except sqlite3.Error as error:
                if not is_damage(error) or not may_be_outbox(self.path):
                    raise
                self._replace_damaged(error)
        except (sqlite3.Error, OSError) as error:
            raise ConfigurationError(
                f"the outbox {str(self.path)!r} cannot be used: {_reason(error, self.path)}"
            ) from error

    def _replace_damaged(self, error: sqlite3.Error) -> None:
        aside = set_aside(self.path)
        rows = readable_rows(aside, _SCHEMA)
        self._file = _connect(self.path)
        with self._file:
            self._file.executemany("INSERT INTO results (id, task_type, content) VALUES (?, ?, ?)", rows)
        logger.critical(
            "The outbox %s is damaged: %s. It is set aside as %s, and a new one is used. %d results can be read from it"
            " and are delivered; others that it may have had are lost, and the server hands their tasks out again after"
            " their response timeout",
            self.path,
            error,
            aside,
            len(rows),
        )

    def _read(self) -> list[EncodedResult]:
        with self._lock:
            assert self._file is not None
            rows = self._file.execute("SELECT id, task_type, content FROM results ORDER BY id").fetchall()
        results: list[EncodedResult] = []
        for row, task_type, content in rows:
            try:
                result = TaskResult.model_validate_json(content)
                encoded = EncodedResult(result, str(task_type), EncodedJson(content))
                if not encoded.is_final:
                    raise ValueError("it does not end its task, which may be another worker's by now")
            except (TypeError, ValueError) as error:
                logger.critical(
                    "Result %d of the outbox %s cannot be read, so it stays there and is not delivered: %s",
                    row,
                    self.path,
                    error,
                )
                continue
            encoded.row = row
            results.append(encoded)
        return results

    def _close(self) -> None:
        assert self._file is not None
        self._write()
        try:
            self._file.close()
        except sqlite3.Error as error:
            logger.warning("The outbox %s could not be closed properly: %s", self.path, error)
        self._file = None

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await to_thread.run_sync(call, limiter=self._limiter)


def _connect(path: Path) -> sqlite3.Connection:
    """Returns a connection to the file that no other process has, with the table of an outbox.

    Raises:
        ConfigurationError: It is another program's.
        sqlite3.Error: It cannot be used.
    """
    file = sqlite3.connect(path, timeout=0.5, check_same_thread=False)
    try:
        file.text_factory = _text
        # Before anything is written: it may be somebody else's.
        tables = {name for (name,) in file.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        if tables and not _is_outbox(file, tables):
            raise ConfigurationError(
                f"the outbox {str(path)!r} is another program's database: it has the tables {', '.join(sorted(tables))}"
            )
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
        _check(file)
    except BaseException:
        file.close()
        raise
    return file


def _is_outbox(file: sqlite3.Connection, tables: set[str]) -> bool:
    columns = {column[1] for column in file.execute("PRAGMA table_info(results)")}
    return tables <= {"results", "sqlite_sequence"} and columns >= {"id", "task_type", "content"}


def _check(file: sqlite3.Connection) -> None:
    """Reads the whole file, which is small, so that damage is found now and not when a result is to be kept."""
    (found,) = file.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        error = sqlite3.DatabaseError(" ".join(found.split()))
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error


def _text(content: bytes) -> str:
    return content.decode(errors="replace")


def _reason(error: Exception, path: Path) -> str:
    if path.is_dir():
        return "it is a folder"
    if "locked" in str(error):
        return "another process has it: give each process its own"
    if "unable to open" in str(error) or "readonly" in str(error):
        return f"{error}: does its folder exist, and may this process write there?"
    return str(error)

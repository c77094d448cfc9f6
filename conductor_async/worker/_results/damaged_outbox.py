"""What to do with an outbox file that SQLite cannot read: set it aside, and read from it what can be read."""

from __future__ import annotations

import itertools
import shutil
import sqlite3
import tempfile
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

Row: TypeAlias = tuple[int, str, bytes]
"""The id of a result in the file, the name of its task, and its content."""

_MAGIC = b"SQLite format 3\0"
_HEADER_SIZE = 100
_TABLE = b"CREATE TABLE results"
_CONTENT = b'"workflowInstanceId"'

_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT})

_LONGEST_GAP = 10_000
"""Ids that are looked for one by one where a table cannot be read in order."""


def is_damage(error: sqlite3.Error) -> bool:
    """Returns whether the error says that the file is no database, or a broken one."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _DAMAGE


def may_be_outbox(path: Path) -> bool:
    """Returns whether a file that cannot be read as a database looks like an outbox, and not like anybody else's file.

    Of an outbox, any part may be missing. So a broken database without a trace of other tables counts as one.
    """
    content = path.read_bytes()
    if _TABLE in content or _CONTENT in content or not content.strip(b"\0"):
        return True
    return content[: len(_MAGIC)] == _MAGIC[: len(content)] and b"CREATE TABLE" not in content


def set_aside(path: Path) -> Path:
    """Renames the file and those that SQLite keeps beside it. Returns the new name of the file."""
    stem = f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}"
    aside, number = path.with_name(stem), 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{stem}-{number}")
    for suffix in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    return aside


def readable_rows(path: Path, schema: str) -> list[Row]:
    """Returns what can be read of a damaged file, which is left as it is.

    Args:
        path: The file.
        schema: The statement that makes the table of an outbox.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / "copy.db"
        try:
            for suffix in ("", "-wal"):
                with suppress(FileNotFoundError):
                    shutil.copyfile(path.with_name(path.name + suffix), copy.with_name(copy.name + suffix))
            if rows := _rows(copy):
                return rows
            _replace_header(copy, schema)
            return _rows(copy)
        except OSError:
            return []  # no space for a copy, for example: the file itself is still there


def _replace_header(path: Path, schema: str) -> None:
    """Gives the file the header of an outbox of the same layout, which SQLite needs to read anything."""
    fresh = path.with_name("fresh.db")
    with closing(sqlite3.connect(fresh)) as file:
        file.execute(schema)
        file.commit()
    header = bytearray(fresh.read_bytes()[:_HEADER_SIZE])
    header[92:96] = b"\0\0\0\0"  # not the version that the size in the header is for: the file's own size counts
    content = path.read_bytes()
    path.write_bytes(bytes(header) + content[_HEADER_SIZE:])
    path.with_name(path.name + "-wal").unlink(missing_ok=True)


def _rows(path: Path) -> list[Row]:
    rows: dict[int, Row] = {}
    with closing(sqlite3.connect(path)) as file:
        file.text_factory = bytes
        # From both ends up to the damage, then one by one between these.
        for condition, order in (("1", "id"), ("1", "id DESC")):
            rows |= {row[0]: row for row in _select(file, condition, order)}
        known = sorted(rows)
        for first, after in itertools.pairwise(known):
            for id_ in range(first + 1, min(after, first + _LONGEST_GAP)):
                rows |= {row[0]: row for row in _select(file, f"id = {id_}", "id")}
    return [rows[id_] for id_ in sorted(rows)]


def _select(file: sqlite3.Connection, condition: str, order: str) -> Iterator[Row]:
    with suppress(sqlite3.Error):
        query = f"SELECT id, task_type, content FROM results WHERE {condition} ORDER BY {order}"  # noqa: S608 - our own
        for id_, task_type, content in file.execute(query):
            if isinstance(id_, int) and isinstance(task_type, bytes) and isinstance(content, bytes):
                yield id_, task_type.decode(errors="replace"), content

"""Locks between processes. The operating system frees them when their holder dies, so none is ever stale."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _take(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FileLock:
    """A lock on a file that exists for this purpose. It is never deleted: another process may be waiting on it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def try_acquire(self) -> bool:
        """Take the lock if nobody holds it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+b")
        try:
            _take(file)
        except OSError:
            file.close()
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Give the lock back, if it is held: closing the file does it on every platform."""
        if self._file is not None:
            self._file.close()
            self._file = None


@contextmanager
def locked(path: Path, checkpoint: Callable[[], None]) -> Generator[None]:
    """Hold the lock of that name; wait for it, as long as `checkpoint` does not raise."""
    lock = FileLock(path)
    while not lock.try_acquire():
        checkpoint()
        time.sleep(0.1)
    try:
        yield
    finally:
        lock.release()
